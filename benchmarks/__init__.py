# SPDX-License-Identifier: MIT
"""The figures of the README, measured again: ``make bench``."""
