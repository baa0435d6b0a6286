// AMX: the CPU's tile registers multiply 16 x 32 by 32 x 16 BF16 numbers in one instruction. Everything but the product is
// AVX-512's.
#include "kernels.h"

#define CPU_BF16
#define CPU_K_ALIGN 32
#include "simd-avx512.h"

#include "loops.h"

namespace {

// Tiles 0 to 3 hold a block of 32 x 32 of C, 4 and 5 are 16 rows of A each, 6 and 7 16 columns of B each.
struct tile_config {
    uint8_t  palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t  rows[16];
};

void configure(int64_t upper, int64_t lower) {
    tile_config config;
    memset(&config, 0, sizeof(config));
    config.palette = 1;
    const int64_t rows[8] = {upper, upper, lower, lower, upper, lower, 16, 16};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = (uint8_t) (rows[i] > 0 ? rows[i] : 1);
    }
    _tile_loadconfig(&config);
}

template <bool TWO>
inline void multiply(int64_t row, int64_t panel, const gemm_segment * segments, int n_segments) {
    for (int s = 0; s < n_segments; s++) {
        const gemm_segment & segment = segments[s];
        const int64_t lda = segment.lda;
        const element * a = (const element *) segment.a + row*lda;
        const element * b = (const element *) segment.panels + panel*segment.panel_stride;
        for (int64_t k = 0; k < segment.k; k += 32, b += 32*PANEL) {
            _tile_loadd(4, a + k, lda*2);
            _tile_loadd(6, b, PANEL*4);
            _tile_loadd(7, b + 32, PANEL*4);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            if (TWO) {
                _tile_loadd(5, a + 16*lda + k, lda*2);
                _tile_dpbf16ps(2, 5, 6);
                _tile_dpbf16ps(3, 5, 7);
            }
        }
    }
}

template <bool TWO>
inline void block(int64_t row, int64_t panel, const gemm_segment * segments, int n_segments, float * c, int64_t ldc, bool load) {
    if (load) {
        _tile_loadd(0, c, ldc*4);
        _tile_loadd(1, c + 16, ldc*4);
        if (TWO) {
            _tile_loadd(2, c + 16*ldc, ldc*4);
            _tile_loadd(3, c + 16*ldc + 16, ldc*4);
        }
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    multiply<TWO>(row, panel, segments, n_segments);
    _tile_stored(0, c, ldc*4);
    _tile_stored(1, c + 16, ldc*4);
    if (TWO) {
        _tile_stored(2, c + 16*ldc, ldc*4);
        _tile_stored(3, c + 16*ldc + 16, ldc*4);
    }
}

void narrow_store(const float * from, int64_t rows, int64_t columns, float * c, int64_t ldc, bool add) {
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            c[i*ldc + j] = from[i*PANEL + j] + (add ? c[i*ldc + j] : 0.0f);
        }
    }
}

void gemm_tiles(int64_t m, int64_t n, const gemm_segment * segments, int n_segments, float * c, int64_t ldc, bool add) {
    alignas(64) float narrow[32*PANEL];
    configure(16, 16);
    for (int64_t row = 0; row < m; row += 32) {
        const int64_t rows = m - row < 32 ? m - row : 32;
        if (rows < 32) {
            configure(rows < 16 ? rows : 16, rows - 16);
        }
        for (int64_t column = 0; column < n; column += PANEL) {
            const bool whole = n - column >= PANEL;
            float * to = whole ? c + row*ldc + column : narrow;
            const int64_t ld = whole ? ldc : PANEL;
            if (rows > 16) {
                block<true>(row, column/PANEL, segments, n_segments, to, ld, add && whole);
            } else {
                block<false>(row, column/PANEL, segments, n_segments, to, ld, add && whole);
            }
            if (!whole) {
                narrow_store(narrow, rows, n - column, c + row*ldc + column, ldc, add);
            }
        }
    }
    _tile_release(); // a task switch need not save the tiles
}

} // namespace

const cpu_kernels cpu_kernels_amx = CPU_KERNELS("amx", gemm_tiles);
