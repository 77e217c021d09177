# SPDX-License-Identifier: MIT
"""Keep unwanted symbol exports out of the Linux kernel's KVM.

``cli`` reads the command line; ``check`` chooses a source (``files``, ``git``,
``patch``) and finds what it adds (``changes``, ``rules``); ``show`` prints the
``report``, or has ``fix`` rewrite the files. Each room imports only what is below it:
CONTRIBUTING.md has the map.
"""

__version__ = "0.3.0"
