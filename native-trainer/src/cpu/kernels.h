// The inner loops of the CPU binding, one table for each instruction set.
//
// A kernels-*.cpp file is compiled with the flags of its instruction set and holds nothing but plain loops: no inline functions
// of the standard library, since the linker keeps one copy of those for the whole program.
//
// Products read their numbers in `product` type: BF16 where the CPU multiplies it (sums are F32), else F32. The right-hand
// side is packed into panels of `panel` columns: BF16 [k/2][panel][2], F32 [k][panel]. k is padded with zeros to `k_align`.
#pragma once

#include "ggml.h"

#include <cstdint>

// One stretch of the summed dimension: A (m rows, lda apart) times packed columns; panel i begins i*panel_stride elements further.
struct gemm_segment {
    const void * a;
    int64_t      lda;
    const void * panels;
    int64_t      panel_stride;
    int64_t      k;             // a multiple of k_align
};

// One step of AdamW: rate and decay, the moments' factors, and what divides their bias away: 1/(1 - beta^t).
struct adamw_step {
    float rate, beta1, beta2, eps, decay, correction1, correction2;
    float clip;                 // the gradient is multiplied by it
};

struct cpu_kernels {
    const char * name;
    ggml_type    product;
    int64_t      panel;
    int64_t      k_align;

    // C (m, n) = or += sum over segments of A B
    void (*gemm)(int64_t m, int64_t n, const gemm_segment * segments, int n_segments, float * c, int64_t ldc, bool add);

    // rows of product numbers -> one panel of n <= panel columns
    void (*pack_columns)(const void * rows, int64_t ld, int64_t n, int64_t k, int64_t k_padded, void * panel); // row = column of the panel
    void (*pack_rows)   (const void * rows, int64_t ld, int64_t k, int64_t n, int64_t k_padded, void * panel); // row = one k

    void (*to_product)(const float * x, float scale, int64_t n, void * y);
    void (*split)(const float * x, float scale, int64_t n, void * high, void * low);  // high = scale x rounded, low = what that lost
    bool (*dequantize)(ggml_type type, const void * row, int64_t n, void * y);   // false: not one of the types with a loop here
    void (*transpose)(const float * x, int64_t ld, int64_t m, int64_t n, float scale, void * y, int64_t ldy); // y[j][i] = scale x[i][j]

    // y is F32, or product numbers when to_product is said
    void (*norm)     (const float * x, const float * w, int64_t n, float eps, void * y, bool to_product);
    void (*norm_back)(const float * dy, const float * x, const float * w, int64_t n, float eps, float * dx);
    // act(gate) up; act is SiLU or GELU
    void (*glu)     (const float * gate, const float * up, bool gelu, int64_t n, void * y);  // y in product numbers
    void (*glu_f32) (const float * gate, const float * up, bool gelu, int64_t n, float * y);
    // all but dy in product numbers
    void (*glu_back)(const void * gate, const void * up, bool gelu, const float * dy, int64_t n, void * dgate, void * dup, void * y);
    // cos and sin of n/2 angles; pairs are neighbours, or (neox) n/2 apart. sign = -1 turns back
    void (*rope)(const float * x, const float * cosines, const float * sines, int64_t n, bool neox, float sign, float * y);

    float (*maximum)(const float * x, int64_t n);
    // y = exp(scale s - shift) in product numbers; returns their sum before rounding
    float (*exp_row)(const float * s, int64_t n, float scale, float shift, void * y);
    float (*exp_row_f32)(const float * s, int64_t n, float scale, float shift, float * y);
    float (*dot)(const float * x, const void * y, int64_t n);                    // y in product numbers
    void  (*scale)(float * x, int64_t n, float factor);
    void  (*add_scaled)(float * x, const float * y, int64_t n, float factor);    // x += factor y
    void  (*multiply)(void * x, const float * y, int64_t n);                     // x in product numbers
    // prob = exp(scale s - lse), ds = scale prob (d_prob - delta); lse and delta of the row (stride 0) or of each column (stride 1)
    void  (*softmax_back)(const float * s, const float * d_prob, const float * lse, const float * delta, int stride, int64_t n, float scale, void * prob, void * ds);

    float (*sum_of_squares)(const float * x, int64_t n);
    void  (*adamw)(const adamw_step & s, int64_t n, float * w, float * gradient, float * m, float * v); // the gradient becomes zero
};

extern const cpu_kernels cpu_kernels_scalar;
extern const cpu_kernels cpu_kernels_avx2;
extern const cpu_kernels cpu_kernels_avx512;
extern const cpu_kernels cpu_kernels_avx512bf16;
extern const cpu_kernels cpu_kernels_amx;

static const int64_t CACHE_LINE = 64;

inline int64_t   round_up(int64_t n, int64_t step)               { return (n + step - 1)/step*step; }
inline int64_t   product_size(const cpu_kernels & k)             { return k.product == GGML_TYPE_BF16 ? 2 : 4; }
inline int64_t   padded_k(const cpu_kernels & k, int64_t n)      { return round_up(n, k.k_align); }
inline const char * elements(const cpu_kernels & k, const void * from, int64_t n) { return (const char *) from + n*product_size(k); }
inline char *       elements(const cpu_kernels & k, void * from, int64_t n)    { return (char *) from + n*product_size(k); }
