# SPDX-License-Identifier: MIT
"""The project itself: its documents, its package, its house."""
