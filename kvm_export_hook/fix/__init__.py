# SPDX-License-Identifier: MIT
"""Findings to new bytes.

``rewrite`` changes the words, ``atomic`` writes files, ``quote`` their names in patches.
"""
