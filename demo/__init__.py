# SPDX-License-Identifier: MIT
"""The demonstration that make demo runs."""
