# SPDX-License-Identifier: MIT
"""Where C comes from: the working tree, and patches."""
