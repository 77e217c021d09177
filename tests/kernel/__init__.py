# SPDX-License-Identifier: MIT
"""The suite that needs the sources of real kernels, GNU make and gcc."""
