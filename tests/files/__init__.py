# SPDX-License-Identifier: MIT
"""Which files are found on the disk, and how."""
