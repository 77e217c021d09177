# SPDX-License-Identifier: MIT
"""What git is asked, with real repositories."""
