# SPDX-License-Identifier: MIT
"""The data of the rule: the export macros and the bundled allowlist. No logic.

To judge one more macro, add its row here and in the README; to permit one more symbol, here
and in ``docs/rules.md``. These tables are sorted; ``tests/rules/policy_test.py`` and
``tests/project/readme_test.py`` say what else must hold.
"""

from __future__ import annotations

INTERNAL = b"EXPORT_SYMBOL_FOR_KVM_INTERNAL"
GPL = b"EXPORT_SYMBOL_GPL"
PLAIN = b"EXPORT_SYMBOL"

ALWAYS = "always"
IF_ALLOWLISTED = "if allowlisted"
NEVER = "never"


class Macro:
    """A row of MACROS.

    ``permitted``: when KVM may use the macro: ALWAYS, IF_ALLOWLISTED or NEVER.
    ``is_grepped``: whether the kernel's make check searches for it.
    ``is_rewritable``: whether a fix may replace it by another macro. That would
    cut off the users of the macros with a namespace or a section.
    """

    __slots__ = ("is_grepped", "is_rewritable", "permitted")

    def __init__(
        self, permitted: str, is_grepped: bool = False, is_rewritable: bool = False
    ) -> None:
        self.permitted = permitted
        self.is_grepped = is_grepped
        self.is_rewritable = is_rewritable


# A macro that is not here is not judged: some name their modules themselves
# (EXPORT_SYMBOL_FOR_MODULES), some export no function (tracepoints, static calls).
MACROS = {
    b"EXPORT_PER_CPU_SYMBOL": Macro(NEVER),
    b"EXPORT_PER_CPU_SYMBOL_GPL": Macro(IF_ALLOWLISTED),
    b"EXPORT_SYMBOL": Macro(NEVER, is_grepped=True, is_rewritable=True),
    b"EXPORT_SYMBOL_FOR_KVM_INTERNAL": Macro(ALWAYS),
    b"EXPORT_SYMBOL_GPL": Macro(IF_ALLOWLISTED, is_grepped=True, is_rewritable=True),
    b"EXPORT_SYMBOL_NS": Macro(NEVER),
    b"EXPORT_SYMBOL_NS_GPL": Macro(IF_ALLOWLISTED),
    b"_EXPORT_SYMBOL": Macro(NEVER),
    b"__EXPORT_SYMBOL": Macro(NEVER),
    b"___EXPORT_SYMBOL": Macro(NEVER),
}

# The symbols of KVM that modules outside KVM need, and who needs them, as of
# Linux 7.3. A list in the tree's own Makefile replaces this one.
ALLOWLIST = {
    b"kvm_get_kvm": "VFIO on s390: drivers/s390/crypto/vfio_ap_ops.c",
    b"kvm_get_kvm_safe": "VFIO: drivers/vfio/vfio_main.c",
    b"kvm_page_track_register_notifier": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
    b"kvm_page_track_unregister_notifier": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
    b"kvm_put_kvm": "VFIO: drivers/vfio/vfio_main.c, drivers/s390/crypto/vfio_ap_ops.c",
    b"kvm_write_track_add_gfn": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
    b"kvm_write_track_remove_gfn": "KVMGT: drivers/gpu/drm/i915/gvt/kvmgt.c",
}

# The words of the make check. A Makefile that has none of them outside comments has no
# check. The last one is part of the name of each macro that the check searches for.
CHECK_WORDS = (b"exports_grep_trailer", b"check_kvm_exports", PLAIN)

# The make checks that kernels have had, without their lists: checksums of the bytes and
# of make's logical lines. CONTRIBUTING.md says what to do when a kernel has another.
SHAPES = {
    0x0843AB49: "Linux 7.2 and 7.3: the lines",
    0x1540FCC5: "Linux 7.2 and 7.3: the bytes",
}

# A checksum is the remainder by this prime. That needs no import, which would cost more
# than everything else that is done to a Makefile. One in a billion other checks has the
# same checksum by chance. To make one on purpose is harder than to edit the list.
PRIME = 2**30 - 35

# A Makefile with more lines than this is not read line by line, which would take too long.
MOST_LINES = 1 << 17
