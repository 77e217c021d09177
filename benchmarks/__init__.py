# SPDX-License-Identifier: MIT
"""The figures of docs/figures.md, measured again: ``make bench``."""
