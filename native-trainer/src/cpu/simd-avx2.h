// AVX2 with FMA and F16C: eight F32 at a time, products in F32.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace {

const int WIDTH = 8;
const int PANEL = 16, ROWS = 6; // 12 sums in 16 registers

typedef __m256 vf;

__m256i part_mask(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int) n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

vf   vload (const float * at)             { return _mm256_loadu_ps(at); }
vf   vload_part(const float * at, int64_t n) { return _mm256_maskload_ps(at, part_mask(n)); }
void vstore(float * at, vf v)             { _mm256_storeu_ps(at, v); }
void vstore_part(float * at, vf v, int64_t n) { _mm256_maskstore_ps(at, part_mask(n), v); }
vf   vset  (float x)                     { return _mm256_set1_ps(x); }
vf   vadd  (vf a, vf b)                  { return _mm256_add_ps(a, b); }
vf   vsub  (vf a, vf b)                  { return _mm256_sub_ps(a, b); }
vf   vmul  (vf a, vf b)                  { return _mm256_mul_ps(a, b); }
vf   vdiv  (vf a, vf b)                  { return _mm256_div_ps(a, b); }
vf   vfma  (vf a, vf b, vf c)            { return _mm256_fmadd_ps(a, b, c); }
vf   vsqrt (vf a)                        { return _mm256_sqrt_ps(a); }
vf   vmax  (vf a, vf b)                  { return _mm256_max_ps(a, b); }
vf   vmin  (vf a, vf b)                  { return _mm256_min_ps(a, b); }
vf   vround(vf a)                        { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
vf   vscale2(vf a, vf n) { // a in [0.5, 2], |n| < 127
    const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(a, _mm256_castsi256_ps(exponent));
}
float vsum(vf a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
float vtop(vf a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}

typedef float element;
const int K_PAIR = 1, K_ALIGN = 1;
const ggml_type PRODUCT = GGML_TYPE_F32;
typedef __m256 pv;

pv   pload(const element * at)            { return _mm256_loadu_ps(at); }
pv   pbroadcast(const element * at)       { return _mm256_broadcast_ss(at); }
vf   pdot(pv a, pv b, vf c)              { return _mm256_fmadd_ps(a, b, c); }
void pstore(element * at, vf v)           { vstore(at, v); }
void pstore_part(element * at, vf v, int64_t n) { vstore_part(at, v, n); }
vf   punload(const element * at)          { return vload(at); }
vf   punload_part(const element * at, int64_t n) { return vload_part(at, n); }
vf   q8_load(const int8_t * at)           { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) at))); }

// 8 x 8 dwords transposed
void transpose8(__m256 * r) {
    __m256 t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i]     = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i]     = _mm256_shuffle_ps(t[i],     t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i],     t[i + 2], 0xEE);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        r[i]     = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}

void pack_columns(const void * rows, int64_t ld, int64_t n, int64_t k, int64_t k_padded, void * panel) {
    const float * from = (const float *) rows;
    float * to = (float *) panel;
    for (int64_t i = 0; i < k_padded; i += 8) {
        for (int64_t j = 0; j < PANEL; j += 8) {
            __m256 r[8];
            for (int64_t l = 0; l < 8; l++) {
                const float * at = from + (j + l)*ld + i;
                r[l] = j + l >= n ? _mm256_setzero_ps() : i + 8 <= k ? _mm256_loadu_ps(at) : vload_part(at, k - i);
            }
            transpose8(r);
            const int64_t valid = k_padded - i < 8 ? k_padded - i : 8;
            for (int64_t l = 0; l < valid; l++) {
                _mm256_storeu_ps(to + (i + l)*PANEL + j, r[l]);
            }
        }
    }
}

void rope_pairs(const float * x, const float * c, const float * s, int64_t n, float sign, float * y) {
    const __m256 signs = _mm256_setr_ps(-sign, sign, -sign, sign, -sign, sign, -sign, sign);
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m256 v = vload(x + i);
        const __m256 cosine = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(c + i/2)), twice);
        const __m256 sine   = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(s + i/2)), twice);
        vstore(y + i, _mm256_fmadd_ps(v, cosine, _mm256_mul_ps(_mm256_permute_ps(v, 0xB1), _mm256_mul_ps(sine, signs))));
    }
    for (; i < n; i += 2) {
        const float a = x[i], b = x[i + 1], sine = sign*s[i/2];
        y[i]     = a*c[i/2] - b*sine;
        y[i + 1] = a*sine + b*c[i/2];
    }
}

} // namespace
