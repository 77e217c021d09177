# SPDX-License-Identifier: MIT
"""Who uses a symbol.

``lookup`` is what other rooms call. ``searched`` says what it needs of a tree: the
``working_tree``, or a ``commit_tree``. ``gather`` reads KVM: its ``makefiles`` and ``headers``,
with their ``macros`` and ``statements``, and which ``words`` a source ``uses``. ``exported`` knows
what an export is called, ``closure`` which macros and inline functions lead to it. ``outside``
searches the rest of the tree.
"""
