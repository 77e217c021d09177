# SPDX-License-Identifier: MIT
"""What a change adds: two states in, what one has more of out. Pure.

``state`` has the values, ``added`` compares keys, ``find`` finds what to compare.
"""
