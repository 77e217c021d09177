# SPDX-License-Identifier: MIT
"""The command as people and git hooks run it."""
