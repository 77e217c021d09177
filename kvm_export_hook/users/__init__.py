# SPDX-License-Identifier: MIT
"""Who uses an export: modules of KVM, files outside KVM, or nobody. ``lookup`` is the way in."""
