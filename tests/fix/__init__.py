# SPDX-License-Identifier: MIT
"""What a fix writes."""
