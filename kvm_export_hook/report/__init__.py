# SPDX-License-Identifier: MIT
"""What is printed. Pure.

Each format has a module; ``formats`` is their table. Their sentences are in ``wording`` (for the
rules), ``advice`` (for users) and ``sentences``. ``layout`` says what was asked for.
"""
