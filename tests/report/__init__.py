# SPDX-License-Identifier: MIT
"""What is printed."""
