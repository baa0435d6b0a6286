#include "kernels.h"

#include "simd-avx512.h"

#include "loops.h"

const cpu_kernels cpu_kernels_avx512 = CPU_KERNELS("avx512", gemm);
