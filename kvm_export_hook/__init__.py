# SPDX-License-Identifier: MIT
"""Keep unwanted symbol exports out of the Linux kernel's KVM.

Data flows one way: a source gives text, the rules give findings, a report writes them.
"""

__version__ = "0.2.1"
