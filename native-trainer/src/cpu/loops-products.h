// Products, and the conversion and packing of what they read. Included by loops.h.
#pragma once

namespace {

const int VECTORS = PANEL/WIDTH;

// M rows of C and one panel; the sums stay in registers (the loops must be unrolled for that)
template <int M>
void gemm_rows(int64_t row, int64_t panel, int64_t n, const gemm_segment * segments, int n_segments, float * c, int64_t ldc, bool add) {
    vf sum[M][VECTORS];
#pragma GCC unroll 16
    for (int r = 0; r < M; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) {
            sum[r][v] = vset(0);
        }
    }
    for (int s = 0; s < n_segments; s++) {
        const gemm_segment & segment = segments[s];
        const int64_t lda = segment.lda;
        const element * a = (const element *) segment.a + row*lda;
        const element * b = (const element *) segment.panels + panel*segment.panel_stride;
        for (int64_t k = 0; k < segment.k; k += K_PAIR, b += PANEL*K_PAIR) {
            pv columns[VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; v++) {
                columns[v] = pload(b + v*WIDTH*K_PAIR);
            }
            const element * at = a + k;
#pragma GCC unroll 16
            for (int r = 0; r < M; r++) {
                // three rows are reached from one pointer, so that the pointers fit the registers
                const pv x = pbroadcast(at + (r % 3)*lda);
                if (r % 3 == 2) {
                    at += 3*lda;
                }
#pragma GCC unroll 8
                for (int v = 0; v < VECTORS; v++) {
                    sum[r][v] = pdot(x, columns[v], sum[r][v]);
                }
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < M; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) {
            float * to = c + r*ldc + v*WIDTH;
            const int64_t valid = n - v*WIDTH;
            if (valid >= WIDTH) {
                vstore(to, add ? vadd(sum[r][v], vload(to)) : sum[r][v]);
            } else if (valid > 0) {
                vstore_part(to, add ? vadd(sum[r][v], vload_part(to, valid)) : sum[r][v], valid);
            }
        }
    }
}

typedef void (*gemm_rows_function)(int64_t, int64_t, int64_t, const gemm_segment *, int, float *, int64_t, bool);

const gemm_rows_function GEMM_ROWS[] = {
    nullptr, gemm_rows<1>, gemm_rows<2>, gemm_rows<3>, gemm_rows<4>,
#if defined(__AVX2__)
    gemm_rows<5>, gemm_rows<6>,
#endif
#if defined(__AVX512F__)
    gemm_rows<7>, gemm_rows<8>, gemm_rows<9>, gemm_rows<10>, gemm_rows<11>, gemm_rows<12>,
#endif
};

[[maybe_unused]] void gemm(int64_t m, int64_t n, const gemm_segment * segments, int n_segments, float * c, int64_t ldc, bool add) {
    for (int64_t column = 0; column < n; column += PANEL) {
        for (int64_t row = 0; row < m; row += ROWS) {
            const int64_t rows = m - row < ROWS ? m - row : ROWS;
            GEMM_ROWS[rows](row, column/PANEL, n - column, segments, n_segments, c + row*ldc + column, ldc, add);
        }
    }
}

// ---- conversion and packing

void to_product(const float * x, float scale, int64_t n, void * y) {
    element * to = (element *) y;
    const vf factor = vset(scale);
    in_vectors(n, [&](int64_t i) { pstore(to + i, vmul(vload(x + i), factor)); },
        [&](int64_t i, int64_t count) { pstore_part(to + i, vmul(vload_part(x + i, count), factor), count); });
}

void split(const float * x, float scale, int64_t n, void * high, void * low) {
    element * to_high = (element *) high, * to_low = (element *) low;
    const vf factor = vset(scale);
    in_vectors(n, [&](int64_t i) {
            const vf v = vmul(vload(x + i), factor);
            pstore(to_high + i, v);
            pstore(to_low + i, vsub(v, punload(to_high + i)));
        }, [&](int64_t i, int64_t count) {
            const vf v = vmul(vload_part(x + i, count), factor);
            pstore_part(to_high + i, v, count);
            pstore_part(to_low + i, vsub(v, punload_part(to_high + i, count)), count);
        });
}

struct q8_0_block {
    ggml_fp16_t scale;
    int8_t      values[32];
};

bool dequantize(ggml_type type, const void * row, int64_t n, void * y) {
    element * to = (element *) y;
    if (type == GGML_TYPE_F32) {
        to_product((const float *) row, 1.0f, n, y);
        return true;
    }
    if (type != GGML_TYPE_Q8_0) {
        return false;
    }
    const q8_0_block * blocks = (const q8_0_block *) row;
    for (int64_t i = 0; i < n/32; i++) {
        const vf scale = vset(ggml_fp16_to_fp32(blocks[i].scale));
        for (int64_t j = 0; j < 32; j += WIDTH) {
            pstore(to + i*32 + j, vmul(q8_load(blocks[i].values + j), scale));
        }
    }
    return true;
}

void pack_rows(const void * rows, int64_t ld, int64_t k, int64_t n, int64_t k_padded, void * panel) {
    const element * from = (const element *) rows;
    element * to = (element *) panel;
    for (int64_t i = 0; i < k_padded; i += K_PAIR, to += PANEL*K_PAIR) {
#if defined(CPU_BF16)
        pack_row_pair(from + i*ld, from + (i + 1)*ld, i < k ? n : 0, i + 1 < k ? n : 0, to);
#else
        for (int64_t j = 0; j < PANEL; j += WIDTH) {
            const vf v = i >= k || n <= j ? vset(0) : n - j >= WIDTH ? vload(from + i*ld + j) : vload_part(from + i*ld + j, n - j);
            vstore(to + j, v);
        }
#endif
    }
}

void transpose(const float * x, int64_t ld, int64_t m, int64_t n, float scale, void * y, int64_t ldy) {
    element * to = (element *) y;
    const int64_t block = 64;
    float column[block];
    for (int64_t first = 0; first < m; first += block) {
        const int64_t rows = m - first < block ? m - first : block;
        for (int64_t j = 0; j < n; j++) {
            for (int64_t i = 0; i < rows; i++) {
                column[i] = x[(first + i)*ld + j];
            }
            to_product(column, scale, rows, to + j*ldy + first);
        }
    }
}

} // namespace
