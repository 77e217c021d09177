# SPDX-License-Identifier: MIT
"""C that uses a symbol, or only seems to, for the tests of --users. Gcc compiles it, too.

Each shape has the files to add to the kernel of ``kernel_tree``, the symbol, and
its uses. ``PRELUDE`` stands for the kernel's own headers, which the hook does not read.
"""

from __future__ import annotations

HOST = "include/linux/kvm_host.h"
ASM = "arch/x86/include/asm/kvm_page.h"
X86 = "arch/x86/kvm/x86.h"
SVM = "arch/x86/kvm/svm/svm.c"
AVIC = "arch/x86/kvm/svm/avic.c"
VMX = "arch/x86/kvm/vmx/vmx.c"
VFIO = "drivers/vfio/main.c"
MAKEFILE = "arch/x86/kvm/Makefile"

IN_SVM = f"kvm-amd {SVM}"
IN_VFIO = f"- {VFIO}"
FOO = "kvm_foo"
TRACEPOINT = "__tracepoint_kvm_foo"
STATIC_CALL = "__SCT__kvm_foo"

PRELUDE = """\
#define NULL ((void *)0)
#define EXPORT_SYMBOL_GPL(x) extern int exported_##x
#define __must_check __attribute__((warn_unused_result))
#define DEFINE_CLASS(name, type, exit, init, ...) \\
	typedef type class_##name##_t; \\
	static inline void class_##name##_exit(type *p) { type _T = *p; exit; } \\
	static inline type class_##name##_init(__VA_ARGS__) { type t = init; return t; }
#define CLASS(name, var) \\
	class_##name##_t var __attribute__((cleanup(class_##name##_exit))) = class_##name##_init
#define DEFINE_GUARD(name, type, lock, unlock) \\
	DEFINE_CLASS(name, type, if (_T) { unlock; }, ({ lock; _T; }), type _T)
#define guard(name) CLASS(name, guard_of_##name)
#define DEFINE_FREE(name, type, free) \\
	static inline void free_##name(void *p) { type _T = *(type *)p; free; }
#define __free(name) __attribute__((cleanup(free_##name)))
#define static_call(name) (*(int (*)(void))&__SCT__##name)
#define DECLARE_TRACE(name) \\
	extern int __tracepoint_##name; \\
	static inline void trace_##name(void) { __tracepoint_##name++; } \\
	static inline int trace_##name##_enabled(void) { return __tracepoint_##name; }
#define symbol_get(x) ({ extern __typeof__(x) x; &x; })
extern char __SCT__kvm_foo[];
int kvm_foo();
int kvm_baz(void);
"""

INCLUDE = "#include <linux/kvm_host.h>\n"
X86_INCLUDE = '#include "x86.h"\n'
READER = (
    "#define READER(fn, var) \\\n"
    "\textern int var; \\\n"
    "\tstatic inline int fn(void) { return var; }\n"
)
CALL_BAR = "int f(void)\n{\n\treturn bar();\n}\n"

Shape = tuple[dict[str, str], str, list[str]]
SHAPES: dict[str, Shape] = {
    "a call in a module and outside": (
        {SVM: "int f(void) { return kvm_foo(); }\n", VFIO: "int g(void) { return kvm_foo(); }\n"},
        FOO,
        [f"{IN_SVM}:1", f"{IN_VFIO}:1"],
    ),
    "an inline function that a macro makes": (
        {HOST: READER + "READER(bar, kvm_limit_now)\n", SVM: INCLUDE + CALL_BAR},
        "kvm_limit_now",
        [f"{IN_SVM}:4 < bar"],
    ),
    "an inline function that a macro makes, and nobody calls": (
        {HOST: READER + "READER(bar, kvm_limit_now)\n", SVM: INCLUDE},
        "kvm_limit_now",
        [],
    ),
    "inline functions that a macro makes, one after the other": (
        {
            X86: READER + "READER(bar, kvm_limit_now)\nREADER(baz, kvm_other)\n"
            "static inline int qux(void)\n{\n\treturn baz();\n}\n",
            SVM: X86_INCLUDE + "int f(void) { return qux(); }\n",
        },
        "kvm_other",
        [f"{IN_SVM}:2 < qux < baz"],
    ),
    "an inline function whose name a macro pastes": (
        {
            HOST: "#define READER(x) static inline int read_##x(void) { return kvm_##x(); }\n"
            "READER(foo)\nREADER(baz);\n",
            SVM: INCLUDE + "int f(void) { return read_foo(); }\n",
            VMX: INCLUDE + "int f(void) { return read_baz(); }\n",
        },
        FOO,
        [f"{IN_SVM}:2 < read_foo"],
    ),
    "an inline function that a macro makes by another of another header": (
        {
            HOST: "#define READER(x, ...) static inline int x(void) { return __VA_ARGS__; }\n",
            X86: INCLUDE + "#define FOO_READER(x) READER(x##_foo, kvm_foo(1, 2))\n"
            "FOO_READER(read)\n",
            SVM: X86_INCLUDE + "int f(void) { return read_foo(); }\n",
        },
        FOO,
        [f"{IN_SVM}:2 < read_foo"],
    ),
    "an inline function whose head a macro makes": (
        {
            HOST: "#define HEAD(fn) static inline int fn(void)\n"
            "HEAD(bar)\n{\n\treturn kvm_foo();\n}\n",
            SVM: INCLUDE + CALL_BAR,
        },
        FOO,
        [f"{IN_SVM}:4 < bar"],
    ),
    "an inline function with a name from a macro": (
        {
            HOST: "#define NAME(x) x##_bar\nstatic inline int NAME(foo)(int a)\n{\n"
            "\treturn kvm_foo(a);\n}\n",
            SVM: INCLUDE + "int f(void) { return foo_bar(1); }\n",
        },
        FOO,
        [f"{IN_SVM}:2 < foo_bar"],
    ),
    "a name that a macro of KVM's headers pastes": (
        {
            HOST: "#define call(x) kvm_##x()\n",
            SVM: INCLUDE + "\nint f(void) { return call(foo); }\n",
        },
        FOO,
        [f"{IN_SVM}:3"],
    ),
    "a name that a macro pastes in a macro": (
        {
            HOST: "#define call(x) kvm_##x()\n#define bar() call(foo)\n",
            SVM: INCLUDE + CALL_BAR,
        },
        FOO,
        [f"{IN_SVM}:4"],
    ),
    "a name that a macro pastes by another": (
        {
            HOST: "#define call(x) kvm_##x()\n#define twice(x) (call(x) + call(x))\n",
            SVM: INCLUDE + "int f(void) { return twice(foo); }\n",
        },
        FOO,
        [f"{IN_SVM}:2"],
    ),
    "another name that a macro pastes": (
        {HOST: "#define call(x) kvm_##x()\n", SVM: INCLUDE + "int f(void) { return call(baz); }\n"},
        FOO,
        [],
    ),
    "a class": (
        {
            HOST: "#define DEFINE_MAP_CLASS(ro) \\\n"
            "DEFINE_CLASS(kvm_local##ro, int, kvm_baz(), \\\n"
            "\t({ int m = kvm_map##ro(gfn); m; }), int gfn)\n"
            "int kvm_map(int);\nint kvm_map_readonly(int);\n"
            "DEFINE_MAP_CLASS()\nDEFINE_MAP_CLASS(_readonly)\n",
            SVM: INCLUDE + "int f(void)\n{\n\tCLASS(kvm_local_readonly, m)(1);\n\treturn m;\n}\n",
            VMX: INCLUDE + "int f(void)\n{\n\tCLASS(kvm_local, m)(1);\n\treturn m;\n}\n",
        },
        "kvm_map_readonly",
        [f"{IN_SVM}:4 < kvm_local_readonly"],
    ),
    "a class that nobody uses": (
        {HOST: "DEFINE_CLASS(kvm_local, int, kvm_baz(), kvm_foo(a), int a)\n", SVM: INCLUDE},
        FOO,
        [],
    ),
    "a guard": (
        {
            HOST: "DEFINE_GUARD(kvm_lock, int, kvm_baz(), kvm_foo(_T))\n",
            SVM: INCLUDE + "int f(void)\n{\n\tguard(kvm_lock)(1);\n\treturn 0;\n}\n",
        },
        FOO,
        [f"{IN_SVM}:4 < kvm_lock"],
    ),
    "what is freed at the end": (
        {
            HOST: "DEFINE_FREE(kvm_put, int *, if (_T)\nkvm_foo(_T))\n",
            SVM: INCLUDE + "int f(int *a)\n{\n\tint *p __free(kvm_put) = a;\n\treturn *p;\n}\n",
        },
        FOO,
        [f"{IN_SVM}:4 < kvm_put"],
    ),
    "a table of functions in a header": (
        {
            HOST: "static int (*const kvm_ops[])() = {\n\t[1] = kvm_foo,\n};\n",
            SVM: INCLUDE + "int f(int a)\n{\n\treturn kvm_ops[a]();\n}\n",
        },
        FOO,
        [f"{IN_SVM}:4 < kvm_ops"],
    ),
    "a structure of functions in a header": (
        {
            HOST: "struct ops { int (*get)(); };\n"
            "static const struct ops kvm_ops __attribute__((used)) = { .get = kvm_foo };\n",
            SVM: INCLUDE + "const void *f(void) { return &kvm_ops; }\n",
        },
        FOO,
        [f"{IN_SVM}:2 < kvm_ops"],
    ),
    "a pointer in a header": (
        {
            HOST: "static int (*volatile kvm_get)() = kvm_foo;\n",
            SVM: INCLUDE + "int f(void) { return kvm_get(); }\n",
        },
        FOO,
        [f"{IN_SVM}:2 < kvm_get"],
    ),
    "assembler in a source": (
        {
            SVM: "void f(void)\n{\n"
            '\tasm volatile("push %%rax\\n\\tcall kvm_foo\\n" ::: "memory");\n}\n'
        },
        FOO,
        [f"{IN_SVM}:3"],
    ),
    "assembler in an inline function": (
        {
            X86: 'static inline int bar(void) { asm("call kvm_foo"); return 0; }\n',
            SVM: X86_INCLUDE + CALL_BAR,
        },
        FOO,
        [f"{IN_SVM}:4 < bar"],
    ),
    "a string beside assembler": (
        {SVM: 'const char *f(void) { asm("nop" /* ( */); return "kvm_foo"; }\n'},
        FOO,
        [],
    ),
    "a header for devices": (
        {
            "include/kvm/iodev.h": "static inline int bar(void) { return kvm_foo(); }\n",
            SVM: "#include <kvm/iodev.h>\n" + CALL_BAR,
        },
        FOO,
        [f"{IN_SVM}:4 < bar"],
    ),
    "outside, through an inline function of a public header": (
        {
            ASM: "static inline int bar(void) { return kvm_foo(); }\n",
            VFIO: "#include <asm/kvm_page.h>\n" + CALL_BAR,
        },
        FOO,
        [f"{IN_VFIO}:4 < bar"],
    ),
    "outside, through a header for devices": (
        {
            "include/kvm/iodev.h": "static inline int bar(void) { return kvm_foo(); }\n",
            VFIO: "#include <kvm/iodev.h>\n" + CALL_BAR,
        },
        FOO,
        [f"{IN_VFIO}:4 < bar"],
    ),
    "outside, a function with the name of one in KVM's own header": (
        {
            X86: "static inline int bar(void) { return kvm_foo(); }\n",
            VFIO: "static int bar(void) { return 1; }\n" + CALL_BAR,
        },
        FOO,
        [],
    ),
    "a declaration": ({SVM: "extern int kvm_foo();\n", VFIO: "int kvm_foo();\n"}, FOO, []),
    "a declaration of a variable": ({SVM: "extern struct a *kvm_limit;\n"}, "kvm_limit", []),
    "a declaration with attributes": (
        {SVM: "extern int __must_check kvm_bar(int a,\n\tint b) __attribute__((cold));\n"},
        "kvm_bar",
        [],
    ),
    "a declaration, and a call": (
        {SVM: "extern int kvm_foo();\n\nint f(void) { return kvm_foo(); }\n"},
        FOO,
        [f"{IN_SVM}:3"],
    ),
    "a declaration in a function, and a call": (
        {VFIO: "struct a { int kvm_foo; };\nint f(void)\n{\n\treturn kvm_foo();\n}\n"},
        FOO,
        [f"{IN_VFIO}:4"],
    ),
    "a pointer that is set": (
        {SVM: "extern int kvm_foo();\nint (*get)() = kvm_foo;\n"},
        FOO,
        [f"{IN_SVM}:2"],
    ),
    "a parameter": (
        {SVM: "int f(int a, int kvm_foo)\n{\n\treturn a + kvm_foo;\n}\nint g(int kvm_foo);\n"},
        FOO,
        [],
    ),
    "a parameter that is a function": (
        {SVM: "int f(int (*kvm_foo)(int a), int b[4])\n{\n\treturn kvm_foo(b[1]);\n}\n"},
        FOO,
        [],
    ),
    "a parameter of an inline function": (
        {
            HOST: "static inline int bar(int kvm_foo) { return kvm_foo; }\n",
            SVM: INCLUDE + "int f(void) { return bar(1); }\n",
        },
        FOO,
        [],
    ),
    "a parameter of a macro": (
        {
            HOST: "#define bar(kvm_foo) (kvm_foo + 1)\n",
            SVM: INCLUDE + "int f(void) { return bar(1); }\n",
        },
        FOO,
        [],
    ),
    "a parameter, and a call in another function": (
        {
            SVM: "int f(int kvm_foo)\n{\n\treturn kvm_foo;\n}\n"
            "int g(void)\n{\n\treturn kvm_foo();\n}\n"
        },
        FOO,
        [f"{IN_SVM}:7"],
    ),
    "what another source of the module exports": (
        {
            MAKEFILE: "+kvm-amd-y += svm/avic.o\n",
            AVIC: "int svm_bar(void) { return 1; }\nEXPORT_SYMBOL_GPL(svm_bar);\n",
            SVM: "int svm_bar(void);\nint f(void) { return svm_bar(); }\n",
        },
        "svm_bar",
        [],
    ),
    "a tracepoint": (
        {X86: "DECLARE_TRACE(kvm_foo)\n", SVM: X86_INCLUDE + "void f(void) { trace_kvm_foo(); }\n"},
        TRACEPOINT,
        [f"{IN_SVM}:2 < trace_kvm_foo"],
    ),
    "a tracepoint that is asked for": (
        {
            X86: "DECLARE_TRACE(kvm_foo)\n"
            "static inline int bar(void) { return trace_kvm_foo_enabled(); }\n",
            SVM: X86_INCLUDE + CALL_BAR,
        },
        TRACEPOINT,
        [f"{IN_SVM}:4 < bar < trace_kvm_foo_enabled"],
    ),
    "a function with the name of a tracepoint": (
        {SVM: "int f(void) { return kvm_foo(); }\n"},
        TRACEPOINT,
        [],
    ),
    "a static call": (
        {SVM: "\nint f(void) { return static_call(kvm_foo)(); }\n"},
        STATIC_CALL,
        [f"{IN_SVM}:2"],
    ),
    "a static call by KVM's own macro": (
        {
            HOST: "#define kvm_call(x) static_call(kvm_##x)\n",
            X86: INCLUDE + "static inline int bar(void) { return kvm_call(foo)(); }\n",
            SVM: X86_INCLUDE + CALL_BAR,
            VMX: INCLUDE + "int f(void) { return kvm_call(foo)(); }\n",
        },
        STATIC_CALL,
        [f"{IN_SVM}:4 < bar", f"kvm-intel {VMX}:2"],
    ),
    "a function with the name of a static call": (
        {SVM: "int f(void) { return kvm_foo(); }\n"},
        STATIC_CALL,
        [],
    ),
}
