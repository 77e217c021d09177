# SPDX-License-Identifier: MIT
"""Mails and diffs.

``patches`` begins. ``mail`` gets a diff, ``numstat`` and ``patch_names`` say which files,
``diff`` and ``sides`` read hunks, ``reading`` makes both states, ``series`` keeps the facts;
``scratch`` is a place for git.
"""
