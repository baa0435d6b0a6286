// Which kernels this CPU can run.
#pragma once

#include "kernels.h"

#include <string>
#include <vector>

// All that this CPU and operating system can run, slowest first. Never empty.
const std::vector<const cpu_kernels *> & cpu_kernels_available();

// For products in F32 or in whatever is fastest. PREFLEXOR_CPU_ISA=scalar|avx2|avx512|avx512bf16|amx chooses one, "ggml"
// ggml's operators; a name that is unknown, or that this CPU cannot run, is an error.
const cpu_kernels & cpu_kernels_best(bool precision_f32);

// Whether these loops are worth it here: AVX2 at least, or asked for by name.
bool cpu_kernels_usable();
