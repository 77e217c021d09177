# SPDX-License-Identifier: MIT
"""What git knows.

How it is run (``process``, ``objects``), where a repository begins (``discover``), what it holds
(``repository``), what is listed (``entries``, ``trees``) and how two trees become a change
(``compare``); then the sources: ``index``, ``commits`` with ``ranges``, ``since``.
"""
