# SPDX-License-Identifier: MIT
"""The rule: bytes in, findings out. Pure: nothing here reads a file or prints.

``policy`` has the data, ``scope`` says which files count, ``facts`` and ``makefile`` read what a
tree says of the rule, ``fit`` and ``names`` what that means for a file and a line. ``scan`` finds
words, ``glance`` and ``lex`` their ``place``, ``judge`` the findings, ``exports`` every export.
"""
