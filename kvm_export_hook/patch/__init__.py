# SPDX-License-Identifier: MIT
"""Mails and diffs.

``streams`` opens files, ``patches`` begins. ``mail`` gets a diff, ``patch_names`` says which files,
``apply`` has git apply it to a ``base`` in ``scratch``. Of what cannot be applied, ``diff`` reads
hunks, ``reading`` makes both states, ``series`` keeps the facts.
"""
