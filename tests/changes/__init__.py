# SPDX-License-Identifier: MIT
"""What a change adds, by the findings of its states."""
