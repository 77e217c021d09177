# SPDX-License-Identifier: MIT
"""Patches and mails."""
