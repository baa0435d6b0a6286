// The loops of one instruction set, written once over the few operations of a simd-*.h. Included by each kernels-*.cpp.
#pragma once

#include "kernels.h"

#if defined(_MSC_VER) && !defined(__clang__)
#include <math.h> // its sqrt is an instruction, as __builtin_sqrt is
#endif

namespace {

// Calls full(i) for whole vectors and part(i, count) for what remains.
template <typename Full, typename Part>
inline void in_vectors(int64_t n, Full full, Part part) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        full(i);
    }
    if (i < n) {
        part(i, n - i);
    }
}

} // namespace

#include "loops-products.h"
#include "loops-rows.h"

#define CPU_KERNELS(name, gemm_function) { \
    name, PRODUCT, PANEL, K_ALIGN, gemm_function, pack_columns, pack_rows, to_product, split, dequantize, transpose, \
    norm, norm_back, glu, glu_f32, glu_back, rope, maximum, exp_row, exp_row_f32, dot_product, scale_row, add_scaled, multiply_row, softmax_back, \
    sum_of_squares, adamw }
