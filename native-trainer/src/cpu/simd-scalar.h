// One number at a time: the reference of the others, and what remains on other CPUs.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

const int WIDTH = 1;
const int PANEL = 8, ROWS = 4;

typedef float vf;

vf   vload (const float * at)             { return *at; }
vf   vload_part(const float * at, int64_t) { return *at; }
void vstore(float * at, vf v)             { *at = v; }
void vstore_part(float * at, vf v, int64_t) { *at = v; }
vf   vset  (float x)                     { return x; }
vf   vadd  (vf a, vf b)                  { return a + b; }
vf   vsub  (vf a, vf b)                  { return a - b; }
vf   vmul  (vf a, vf b)                  { return a*b; }
vf   vdiv  (vf a, vf b)                  { return a/b; }
vf   vfma  (vf a, vf b, vf c)            { return a*b + c; }
vf   vsqrt (vf a)                        { return sqrtf(a); }
vf   vmax  (vf a, vf b)                  { return a > b ? a : b; }
vf   vmin  (vf a, vf b)                  { return a < b ? a : b; }
vf   vround(vf a)                        { return nearbyintf(a); }
vf   vscale2(vf a, vf n)                 { return ldexpf(a, (int) n); }
float vsum (vf a)                        { return a; }
float vtop (vf a)                        { return a; }

typedef float element;
const int K_PAIR = 1, K_ALIGN = 1;
const ggml_type PRODUCT = GGML_TYPE_F32;
typedef float pv;

pv   pload(const element * at)            { return *at; }
pv   pbroadcast(const element * at)       { return *at; }
vf   pdot(pv a, pv b, vf c)              { return a*b + c; }
void pstore(element * at, vf v)           { *at = v; }
void pstore_part(element * at, vf v, int64_t) { *at = v; }
vf   punload(const element * at)          { return *at; }
vf   punload_part(const element * at, int64_t) { return *at; }
vf   q8_load(const int8_t * at)           { return *at; }

void pack_columns(const void * rows, int64_t ld, int64_t n, int64_t k, int64_t k_padded, void * panel) {
    const element * from = (const element *) rows;
    element * to = (element *) panel;
    for (int64_t i = 0; i < k_padded; i++) {
        for (int64_t j = 0; j < PANEL; j++) {
            to[i*PANEL + j] = i < k && j < n ? from[j*ld + i] : 0;
        }
    }
}

void rope_pairs(const float * x, const float * c, const float * s, int64_t n, float sign, float * y) {
    for (int64_t i = 0; i < n; i += 2) {
        const float a = x[i], b = x[i + 1], sine = sign*s[i/2];
        y[i]     = a*c[i/2] - b*sine;
        y[i + 1] = a*sine + b*c[i/2];
    }
}

} // namespace
