# SPDX-License-Identifier: MIT
"""The working tree.

``worktree`` reads what git names; ``locate`` finds the tree around any other path, ``walk`` the
files below a directory, ``look`` says what is at a path.
"""
