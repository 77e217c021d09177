# SPDX-License-Identifier: MIT
"""Findings to new bytes.

``rewrite`` changes the words, ``atomic`` writes files, ``quote`` writes their names in patches.
``staged`` also rewrites the index, under its ``index_lock``. ``shell`` quotes commands.
"""
