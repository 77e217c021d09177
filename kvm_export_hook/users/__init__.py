# SPDX-License-Identifier: MIT
"""Who uses a symbol: begin with ``lookup``."""
