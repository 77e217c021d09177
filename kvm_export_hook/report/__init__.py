# SPDX-License-Identifier: MIT
"""Findings to what people and programs read: a module each format. Pure: nothing prints."""
