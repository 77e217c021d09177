# SPDX-License-Identifier: MIT
"""What a change adds: a new state is compared with the old ones. Pure.

``state`` has the values, ``find`` searches the texts, ``added`` compares the keys of what
was found; ``effect`` says what a change does to the exports.
"""
