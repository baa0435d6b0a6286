#include "kernels.h"

#include "simd-scalar.h"

#include "loops.h"

const cpu_kernels cpu_kernels_scalar = CPU_KERNELS("scalar", gemm);
