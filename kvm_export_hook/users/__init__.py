# SPDX-License-Identifier: MIT
"""Who uses a symbol.

``lookup`` begins. A tree is ``searched``: the ``working_tree``, or a ``commit_tree``. ``gather``
reads KVM: ``makefiles``, ``headers``, ``macros``, ``statements``; ``words`` and ``uses`` are of a
source, ``exported`` of an export, ``closure`` leads from one to the other, ``outside`` is the rest.
"""
