#include "kernels.h"

#include "simd-avx2.h"

#include "loops.h"

const cpu_kernels cpu_kernels_avx2 = CPU_KERNELS("avx2", gemm);
