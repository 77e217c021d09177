# SPDX-License-Identifier: MIT
"""What is printed. Pure.

A module for each format, ``formats`` is their table. What they say is in ``wording`` (rules),
``advice`` (users) and ``sentences``; ``layout`` is how it is wanted.
"""
