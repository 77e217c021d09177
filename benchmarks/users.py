# SPDX-License-Identifier: MIT
"""Builds KVM and what uses it, and compares --users with what ``nm -u`` finds in the objects.

In every configuration of CONFIGURATIONS, since --users reads the source in all:
a use that one object has is a use. Needs what a kernel build needs, and for
powerpc a cross compiler. The tree stays as it is: it is built in --build.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvm_export_hook.users.exported import name_linked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMMON = "EXPERT DEBUG_FS PERF_EVENTS TRACING FTRACE VFIO_GROUP VFIO_CONTAINER IOMMU_SUPPORT"
COMMON_OFF = "WERROR KVM_WERROR DRM_I915_WERROR PPC_WERROR DEBUG_INFO_BTF MODULE_SIG"
X86_MODULES = "KVM KVM_INTEL KVM_AMD VFIO VFIO_PCI VFIO_MDEV DRM_I915 DRM_I915_GVT_KVMGT"
X86_ON = (
    "KVM_XEN KVM_HYPERV KVM_SMM KVM_IOAPIC KVM_AMD_SEV KVM_PROVE_MMU KVM_SW_PROTECTED_VM"
    " KVM_EXTERNAL_WRITE_TRACKING X86_SGX X86_SGX_KVM HYPERVISOR_GUEST HYPERV X86_X2APIC X86_MCE"
    " INTEL_TDX_HOST KVM_INTEL_TDX CMA COMPACTION MEMORY_HOTPLUG MEMORY_HOTREMOVE"
    " CRYPTO_DEV_CCP CRYPTO_DEV_CCP_DD CRYPTO_DEV_SP_PSP CRYPTO_DEV_SP_CCP AMD_MEM_ENCRYPT"
    " INTEL_IOMMU AMD_IOMMU IRQ_REMAP IOMMUFD NUMA NUMA_BALANCING MEMORY_FAILURE DRM_I915_GVT"
)
X86_OFF = "KEXEC KEXEC_FILE CRASH_DUMP"  # INTEL_TDX_HOST goes with none of them
LOCK_DEBUGGING = "DEBUG_KERNEL PROVE_LOCKING"
X86_TARGETS = ("arch/x86/kvm/", "drivers/vfio/", "drivers/gpu/drm/i915/kvmgt.o")
PPC_MODULES = "KVM_BOOK3S_64 KVM_BOOK3S_64_HV KVM_BOOK3S_64_PR KVM_BOOK3S_HV_PMU VFIO"
PPC_ON = "KVM_XICS KVM_XIVE PPC_UV KVM_BOOK3S_HV_P9_TIMING"
PPC_TARGETS = ("arch/powerpc/kvm/", "arch/powerpc/perf/", "drivers/vfio/")

# Of each: the architecture, its default configuration, what becomes a module, what is
# switched on and off, and what is built.
CONFIGURATIONS: Mapping[str, tuple[str, str, str, str, str, Sequence[str]]] = {
    "x86_64": ("x86", "x86_64_defconfig", X86_MODULES, X86_ON, X86_OFF, X86_TARGETS),
    "x86_64 with lock debugging": (
        *("x86", "x86_64_defconfig", X86_MODULES, f"{X86_ON} {LOCK_DEBUGGING}", X86_OFF),
        X86_TARGETS[:1],
    ),
    "powerpc": ("powerpc", "ppc64le_defconfig", PPC_MODULES, PPC_ON, "", PPC_TARGETS),
}
CROSS_COMPILER = {"x86": "", "powerpc": "powerpc64le-linux-gnu-"}

# The object of each module of KVM that has no exports of virt/kvm or arch/x86/kvm itself.
MODULES = {
    "kvm-intel": "arch/x86/kvm/kvm-intel.o",
    "kvm-amd": "arch/x86/kvm/kvm-amd.o",
    "kvm-hv": "arch/powerpc/kvm/kvm-hv.o",
    "kvm-pr": "arch/powerpc/kvm/kvm-pr.o",
}
KVM = ("virt/kvm/", "arch/x86/kvm/", "arch/powerpc/kvm/")


def main() -> int:
    """Build, compare, print; return 1 if a user was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.users", description=__doc__)
    parser.add_argument("--srctree", type=Path, required=True, help="a whole kernel tree")
    parser.add_argument("--build", type=Path, required=True, help="where to build")
    parser.add_argument("--only", action="append", choices=CONFIGURATIONS, help="repeatable")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    undefined: dict[str, set[str]] = {}
    for name in arguments.only or CONFIGURATIONS:
        build = arguments.build.resolve() / name.replace(" ", "-")
        build_objects(arguments.srctree.resolve(), build, name, arguments.jobs)
        for path, names in read_undefined(build):
            undefined.setdefault(path, set()).update(names)
    differences = list(compare(list_exports(arguments.srctree), undefined, arguments.srctree))
    for line in differences:
        print(line)
    return int(any(line.startswith("missed") for line in differences))


def build_objects(srctree: Path, build: Path, name: str, jobs: int) -> None:
    """Build the objects of the configuration NAME."""
    arch, default, modules, on, off, targets = CONFIGURATIONS[name]
    build.mkdir(parents=True, exist_ok=True)
    print(f"building {name} ...", flush=True)
    options = {
        "--module": modules,
        "--enable": f"{COMMON} {on}",
        "--disable": f"{COMMON_OFF} {off}",
    }
    config = [
        part for flag, names in options.items() for each in names.split() for part in (flag, each)
    ]
    make = ["make", "-s", "-C", str(srctree), f"O={build}", f"ARCH={arch}", f"-j{jobs}"]
    make.append(f"CROSS_COMPILE={CROSS_COMPILER[arch]}")
    scripts = [str(srctree / "scripts/config"), "--file", str(build / ".config")]
    for command in (
        *([*make, default], [*scripts, *config], [*make, "olddefconfig"]),
        *([*make, "modules_prepare"], *([*make, target] for target in targets)),
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def read_undefined(build: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each object below BUILD, with what it leaves undefined."""
    for path in build.rglob("*.o"):
        listed = subprocess.run(
            ["nm", "-u", str(path)], capture_output=True, text=True, check=False
        )
        yield (
            str(path.relative_to(build)),
            {line.split()[-1] for line in listed.stdout.splitlines()},
        )


def list_exports(srctree: Path) -> dict[str, Any]:
    """List the users of each export, by the name that is linked, as the command does."""
    command = [sys.executable, "-m", "kvm_export_hook", "--list", "--users", "--format", "json"]
    done = subprocess.run([*command, str(srctree)], capture_output=True, check=True)
    users = {}
    for each in json.loads(done.stdout)["exports"]:
        linked = name_linked(each["macro"].encode(), each["symbol"].encode())
        if linked:
            users[linked.decode()] = each["users"]
    return users


def compare(
    users: Mapping[str, Any], undefined: Mapping[str, set[str]], srctree: Path
) -> Iterator[str]:
    """Yield each difference between USERS and what objects leave UNDEFINED, and the sum."""
    modules = {name: path for name, path in MODULES.items() if path in undefined}
    symbols = {"missed": 0, "made up": 0}
    pairs = dict.fromkeys(symbols, 0)
    for symbol, uses in sorted(users.items()):
        said = {each["module"] for each in uses} & modules.keys()
        linked = {name for name, path in modules.items() if symbol in undefined[path]}
        said |= {
            each["path"]
            for each in uses
            if each["module"] is None
            and is_built(each["path"], undefined)
            and not is_asked_for(symbol, srctree / each["path"])
        }
        linked |= {
            path.removesuffix(".o") + ".c"
            for path, names in undefined.items()
            if symbol in names
            and not path.startswith(KVM)
            and (srctree / path).with_suffix(".c").is_file()
        }
        for kind, found in ("missed", linked - said), ("made up", said - linked):
            pairs[kind] += len(found)
            for user in sorted(found):
                yield f"{kind}: {user} uses {symbol}"
        symbols["missed"] += bool(linked and not uses)
        symbols["made up"] += bool(said and not linked)
    counts = "; ".join(f"{kind}: {symbols[kind]} symbols, {pairs[kind]} pairs" for kind in symbols)
    yield f"{len(users)} exports, {', '.join(modules)}: {counts}"


def is_built(path: str, undefined: Mapping[str, set[str]]) -> bool:
    """Whether the source at PATH was built."""
    return path.removesuffix(".c") + ".o" in undefined


def is_asked_for(symbol: str, path: Path) -> bool:
    """Whether the source at PATH asks for SYMBOL at run time, which nm does not show."""
    return f"symbol_get({symbol})" in path.read_text("utf-8", "replace")


if __name__ == "__main__":
    raise SystemExit(main())
