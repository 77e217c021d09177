# SPDX-License-Identifier: MIT
"""What git knows.

``process`` runs git, ``objects`` asks it for objects, ``faults`` knows how it fails. ``discover``
finds the repository, ``repository`` its facts and texts, ``entries`` and ``trees`` its files,
``places`` and ``elsewhere`` what hides KVM's. ``compare`` makes a change of two trees. The sources
are ``index``, ``since``, and ``commits``, with ``ranges``, ``push`` and ``remotes``.
"""
