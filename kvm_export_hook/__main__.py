# SPDX-License-Identifier: MIT
"""``python -m kvm_export_hook``: the command, where no script is installed."""

from kvm_export_hook.cli import start

start()
