# SPDX-License-Identifier: MIT
"""The data of the rule: the export macros and the bundled allowlist. No logic.

To judge one more macro, or to permit one more symbol, add its line here; each
table is sorted, and ``tests/policy_test.py`` says what else must hold.
"""

from __future__ import annotations

INTERNAL = b"EXPORT_SYMBOL_FOR_KVM_INTERNAL"
GPL = b"EXPORT_SYMBOL_GPL"
PLAIN = b"EXPORT_SYMBOL"

ALWAYS = "always"
IF_ALLOWLISTED = "if allowlisted"
NEVER = "never"

# When KVM may use a macro. What is not here is not judged: some name their
# modules themselves (EXPORT_SYMBOL_FOR_MODULES), some export no function
# (tracepoints, static calls).
MACROS = {
    b"EXPORT_PER_CPU_SYMBOL": NEVER,
    b"EXPORT_PER_CPU_SYMBOL_GPL": IF_ALLOWLISTED,
    b"EXPORT_SYMBOL": NEVER,
    b"EXPORT_SYMBOL_FOR_KVM_INTERNAL": ALWAYS,
    b"EXPORT_SYMBOL_GPL": IF_ALLOWLISTED,
    b"EXPORT_SYMBOL_NS": NEVER,
    b"EXPORT_SYMBOL_NS_GPL": IF_ALLOWLISTED,
    b"_EXPORT_SYMBOL": NEVER,
    b"__EXPORT_SYMBOL": NEVER,
    b"___EXPORT_SYMBOL": NEVER,
}

# The symbols of KVM that modules outside KVM need, and who needs them, as of
# Linux 7.3. A tree whose Makefile has a list of its own is judged by that one.
ALLOWLIST = {
    b"kvm_get_kvm": "VFIO on s390: drivers/s390/crypto/vfio_ap_ops.c",
    b"kvm_get_kvm_safe": "VFIO: drivers/vfio/vfio_main.c",
    b"kvm_page_track_register_notifier": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
    b"kvm_page_track_unregister_notifier": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
    b"kvm_put_kvm": "VFIO: drivers/vfio/vfio_main.c",
    b"kvm_write_track_add_gfn": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
    b"kvm_write_track_remove_gfn": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
}

# The words that the make check of the kernel looks for; it knows no others.
GREPPED = (PLAIN, GPL)
