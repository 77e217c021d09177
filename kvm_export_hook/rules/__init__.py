# SPDX-License-Identifier: MIT
"""The rule: bytes in, findings out. Pure: nothing here reads a file or prints."""
