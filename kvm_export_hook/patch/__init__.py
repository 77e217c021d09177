# SPDX-License-Identifier: MIT
"""Mails and diffs.

``streams`` opens files, ``patches`` checks what is in them. ``mail`` finds the diff of a mail,
``patch_names`` which files it changes; ``apply`` has git apply it to a ``base`` in ``scratch``, and
``whole`` keeps it for files outside KVM. If it does not apply, ``diff`` reads its hunks,
``reading`` makes both states of them, and ``series`` keeps the facts.
"""
