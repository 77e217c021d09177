# SPDX-License-Identifier: MIT
"""What git knows.

How it is run (``process``, ``objects``), where a repository begins (``discover``) and what it
holds (``repository``); then the sources: ``index``, ``commits`` with ``ranges``, ``since``.
"""
