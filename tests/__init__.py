# SPDX-License-Identifier: MIT
"""The specification of kvm-export-hook, as tests."""
