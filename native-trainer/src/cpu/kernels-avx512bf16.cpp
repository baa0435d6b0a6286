#include "kernels.h"

#define CPU_BF16
#define CPU_K_ALIGN 2
#include "simd-avx512.h"

#include "loops.h"

const cpu_kernels cpu_kernels_avx512bf16 = CPU_KERNELS("avx512bf16", gemm);
