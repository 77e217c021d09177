# SPDX-License-Identifier: MIT
"""The rule: bytes in, findings out. Pure: nothing here reads a file or prints.

The data (``policy``), which files (``scope``), the tree (``facts``); then ``scan`` finds words,
``glance`` and ``lex`` their ``place``, ``judge`` the findings, with the help of ``names``, and
``exports`` all the rest.
"""
