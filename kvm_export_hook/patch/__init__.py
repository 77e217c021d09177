# SPDX-License-Identifier: MIT
"""Mails and diffs.

``patches`` begins. ``mail`` gets a diff, ``patch_names`` says which files, ``apply`` has git apply
it in ``scratch``. Of what cannot be applied, ``diff`` and ``sides`` read hunks, ``reading`` makes both
states, ``series`` keeps the facts.
"""
