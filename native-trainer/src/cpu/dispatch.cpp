#include "dispatch.h"

#include "platform.h"
#include "protocol.h"

#if defined(__x86_64__) || defined(_M_X64)
#define CPU_X86
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

#if defined(CPU_X86)

struct cpuid_registers {
    uint32_t a, b, c, d;
};

static cpuid_registers cpuid(uint32_t leaf, uint32_t subleaf) {
#if defined(_MSC_VER)
    int r[4];
    __cpuidex(r, (int) leaf, (int) subleaf);
    return {(uint32_t) r[0], (uint32_t) r[1], (uint32_t) r[2], (uint32_t) r[3]};
#else
    cpuid_registers r = {0, 0, 0, 0};
    if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d)) {
        r = {0, 0, 0, 0};
    }
    return r;
#endif
}

// Register state that the operating system saves (XCR0)
static uint64_t enabled_state() {
    if (!(cpuid(1, 0).c >> 27 & 1)) {
        return 0;
    }
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t) high << 32 | low;
#endif
}

static std::vector<const cpu_kernels *> detect() {
    std::vector<const cpu_kernels *> found = {&cpu_kernels_scalar};
    const cpuid_registers basic = cpuid(1, 0), extended = cpuid(7, 0);
    const uint64_t state = enabled_state();
    const auto bit = [](uint32_t value, int n) { return (value >> n & 1) != 0; };
    if (!bit(extended.b, 5) || !bit(basic.c, 12) || !bit(basic.c, 29) || (state & 0x6) != 0x6) {    // AVX2, FMA, F16C
        return found;
    }
    found.push_back(&cpu_kernels_avx2);
    const bool foundation = bit(extended.b, 16) && bit(extended.b, 17) && bit(extended.b, 30) && bit(extended.b, 31); // F, DQ, BW, VL
    if (!foundation || (state & 0xe6) != 0xe6) {
        return found;
    }
    found.push_back(&cpu_kernels_avx512);
#if defined(CPU_BF16_KERNELS)
    if (!bit(cpuid(7, 1).a, 5)) {                                                                   // BF16
        return found;
    }
    found.push_back(&cpu_kernels_avx512bf16);
    if (bit(extended.d, 22) && bit(extended.d, 24) && (state & 0x60000) == 0x60000 && platform_permit_amx()) { // AMX-BF16, AMX-TILE
        found.push_back(&cpu_kernels_amx);
    }
#endif
    return found;
}

#else

static std::vector<const cpu_kernels *> detect() {
    return {&cpu_kernels_scalar};
}

#endif

const std::vector<const cpu_kernels *> & cpu_kernels_available() {
    static const std::vector<const cpu_kernels *> available = detect();
    return available;
}

static const char * const VARIABLE = "PREFLEXOR_CPU_ISA";

static const cpu_kernels * chosen_by_name() {
    const std::string name = platform_env(VARIABLE);
    if (name.empty() || name == "ggml") {
        return nullptr;
    }
    std::string names = "ggml";
    for (const cpu_kernels * k : cpu_kernels_available()) {
        if (name == k->name) {
            return k;
        }
        names += ", " + std::string(k->name);
    }
    fail_input("CONFIG", std::string(VARIABLE) + " is \"" + name + "\", this CPU can run " + names, "Unset the variable.");
}

const cpu_kernels & cpu_kernels_best(bool precision_f32) {
    const cpu_kernels * chosen = chosen_by_name();
    if (!chosen) {
        chosen = cpu_kernels_available().back();
    }
    if (precision_f32 && chosen->product != GGML_TYPE_F32) {
        for (const cpu_kernels * k : cpu_kernels_available()) {
            chosen = k->product == GGML_TYPE_F32 ? k : chosen; // the last one is the fastest
        }
    }
    return *chosen;
}

bool cpu_kernels_usable() {
    return platform_env(VARIABLE) != "ggml" && (chosen_by_name() || cpu_kernels_available().size() > 1);
}
