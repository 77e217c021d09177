# SPDX-License-Identifier: MIT
"""Keep unwanted symbol exports out of the Linux kernel's KVM.

Data flows one way: argv, cli, scope, scan, judge, report, exit status.
"""

__version__ = "0.1.0"
