# SPDX-License-Identifier: MIT
"""The rule: bytes in, findings out."""
