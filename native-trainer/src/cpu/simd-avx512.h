// AVX-512 (F, BW, DQ, VL): sixteen F32 at a time. With CPU_BF16 products are in BF16.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace {

const int WIDTH = 16;
const int PANEL = 32, ROWS = 12; // 24 sums in 32 registers

typedef __m512 vf;

__mmask16 part_mask(int64_t n) { return (__mmask16) ((1u << n) - 1); }

vf   vload (const float * at)             { return _mm512_loadu_ps(at); }
vf   vload_part(const float * at, int64_t n) { return _mm512_maskz_loadu_ps(part_mask(n), at); }
void vstore(float * at, vf v)             { _mm512_storeu_ps(at, v); }
void vstore_part(float * at, vf v, int64_t n) { _mm512_mask_storeu_ps(at, part_mask(n), v); }
vf   vset  (float x)                     { return _mm512_set1_ps(x); }
vf   vadd  (vf a, vf b)                  { return _mm512_add_ps(a, b); }
vf   vsub  (vf a, vf b)                  { return _mm512_sub_ps(a, b); }
vf   vmul  (vf a, vf b)                  { return _mm512_mul_ps(a, b); }
vf   vdiv  (vf a, vf b)                  { return _mm512_div_ps(a, b); }
vf   vfma  (vf a, vf b, vf c)            { return _mm512_fmadd_ps(a, b, c); }
vf   vsqrt (vf a)                        { return _mm512_sqrt_ps(a); }
vf   vmax  (vf a, vf b)                  { return _mm512_max_ps(a, b); }
vf   vmin  (vf a, vf b)                  { return _mm512_min_ps(a, b); }
vf   vround(vf a)                        { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
vf   vscale2(vf a, vf n)                 { return _mm512_scalef_ps(a, n); }
float vsum(vf a)                         { return _mm512_reduce_add_ps(a); }
float vtop(vf a)                         { return _mm512_reduce_max_ps(a); }
vf   q8_load(const int8_t * at)           { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) at))); }

#if defined(CPU_BF16)

typedef uint16_t element;
const int K_PAIR = 2, K_ALIGN = CPU_K_ALIGN;
const ggml_type PRODUCT = GGML_TYPE_BF16;
typedef __m512i pv;

pv   pload(const element * at)            { return _mm512_loadu_si512(at); }
pv   pbroadcast(const element * at)       { int pair; memcpy(&pair, at, 4); return _mm512_set1_epi32(pair); }
vf   pdot(pv a, pv b, vf c)              { return _mm512_dpbf16_ps(c, (__m512bh) a, (__m512bh) b); }
void pstore(element * at, vf v)           { _mm256_storeu_si256((__m256i *) at, (__m256i) _mm512_cvtneps_pbh(v)); }
void pstore_part(element * at, vf v, int64_t n) { _mm256_mask_storeu_epi16(at, part_mask(n), (__m256i) _mm512_cvtneps_pbh(v)); }
vf   from_bf16(__m256i x)                { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
vf   punload(const element * at)          { return from_bf16(_mm256_loadu_si256((const __m256i *) at)); }
vf   punload_part(const element * at, int64_t n) { return from_bf16(_mm256_maskz_loadu_epi16(part_mask(n), at)); }

__mmask32 mask32(int64_t n) { return n >= 32 ? ~(__mmask32) 0 : ((__mmask32) 1 << n) - 1; }

// 32 columns of two rows, interleaved
void pack_row_pair(const element * upper, const element * lower, int64_t n_upper, int64_t n_lower, element * to) {
    alignas(64) static const uint16_t pairs[32] = {0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
    const __m512i first = _mm512_load_si512(pairs), second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
    const __m512i a = _mm512_maskz_loadu_epi16(mask32(n_upper), upper);
    const __m512i b = _mm512_maskz_loadu_epi16(mask32(n_lower), lower);
    _mm512_storeu_si512(to,      _mm512_permutex2var_epi16(a, first,  b));
    _mm512_storeu_si512(to + 32, _mm512_permutex2var_epi16(a, second, b));
}

#else

typedef float element;
const int K_PAIR = 1, K_ALIGN = 1;
const ggml_type PRODUCT = GGML_TYPE_F32;
typedef __m512 pv;

pv   pload(const element * at)            { return _mm512_loadu_ps(at); }
pv   pbroadcast(const element * at)       { return _mm512_set1_ps(*at); }
vf   pdot(pv a, pv b, vf c)              { return _mm512_fmadd_ps(a, b, c); }
void pstore(element * at, vf v)           { vstore(at, v); }
void pstore_part(element * at, vf v, int64_t n) { vstore_part(at, v, n); }
vf   punload(const element * at)          { return vload(at); }
vf   punload_part(const element * at, int64_t n) { return vload_part(at, n); }

#endif

// 16 x 16 dwords transposed
inline void transpose16(__m512i * r) {
    __m512i t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i]     = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        r[i]     = _mm512_unpacklo_epi64(t[i],     t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i],     t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        t[i]      = _mm512_shuffle_i32x4(r[i],     r[i + 4],  0x88);
        t[i + 4]  = _mm512_shuffle_i32x4(r[i],     r[i + 4],  0xdd);
        t[i + 8]  = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        r[i]      = _mm512_shuffle_i32x4(t[i],     t[i + 8],  0x88);
        r[i + 4]  = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 8]  = _mm512_shuffle_i32x4(t[i],     t[i + 8],  0xdd);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

// A dword is one F32 or a pair of BF16: both are transposed alike.
void pack_columns(const void * rows, int64_t ld, int64_t n, int64_t k, int64_t k_padded, void * panel) {
    const element * from = (const element *) rows;
    element * to = (element *) panel;
    const int64_t step = 16*K_PAIR;
    for (int64_t i = 0; i < k_padded; i += step) {
        const int64_t bytes = k <= i ? 0 : (k - i < step ? k - i : step)*(int64_t) sizeof(element);
        const __mmask64 mask = bytes == 64 ? ~(__mmask64) 0 : ((__mmask64) 1 << bytes) - 1;
        const int64_t valid = (k_padded - i < step ? k_padded - i : step)/K_PAIR;
        for (int64_t j = 0; j < PANEL; j += 16) {
            __m512i r[16];
            if (j + 16 <= n) {
#pragma GCC unroll 16
                for (int64_t l = 0; l < 16; l++) {
                    r[l] = _mm512_maskz_loadu_epi8(mask, from + (j + l)*ld + i);
                }
            } else {
#pragma GCC unroll 16
                for (int64_t l = 0; l < 16; l++) {
                    r[l] = j + l < n ? _mm512_maskz_loadu_epi8(mask, from + (j + l)*ld + i) : _mm512_setzero_si512();
                }
            }
            transpose16(r);
            if (valid == 16) {
#pragma GCC unroll 16
                for (int64_t l = 0; l < 16; l++) {
                    _mm512_storeu_si512(to + (i/K_PAIR + l)*PANEL*K_PAIR + j*K_PAIR, r[l]);
                }
            } else {
                __m512i kept[16];
#pragma GCC unroll 16
                for (int64_t l = 0; l < 16; l++) {
                    _mm512_storeu_si512(&kept[l], r[l]);
                }
                for (int64_t l = 0; l < valid; l++) {
                    _mm512_storeu_si512(to + (i/K_PAIR + l)*PANEL*K_PAIR + j*K_PAIR, kept[l]);
                }
            }
        }
    }
}

void rope_pairs(const float * x, const float * c, const float * s, int64_t n, float sign, float * y) {
    const __m512 signs = _mm512_mask_blend_ps(0x5555, _mm512_set1_ps(sign), _mm512_set1_ps(-sign));
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    for (int64_t i = 0; i < n; i += 16) {
        const int64_t valid = n - i < 16 ? n - i : 16;
        const __mmask16 mask = part_mask(valid), half = part_mask(valid/2);
        const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
        const __m512 cosine = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(half, c + i/2));
        const __m512 sine   = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(half, s + i/2));
        _mm512_mask_storeu_ps(y + i, mask, _mm512_fmadd_ps(v, cosine, _mm512_mul_ps(_mm512_permute_ps(v, 0xB1), _mm512_mul_ps(sine, signs))));
    }
}

} // namespace
