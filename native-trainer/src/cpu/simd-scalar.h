// One number at a time: the reference of the others, and what remains on other CPUs.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

const int WIDTH = 1;
const int PANEL = 8, ROWS = 4;

typedef float vf;

vf   vload (const float * p)             { return *p; }
vf   vload_part(const float * p, int64_t) { return *p; }
void vstore(float * p, vf v)             { *p = v; }
void vstore_part(float * p, vf v, int64_t) { *p = v; }
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

pv   pload(const element * p)            { return *p; }
pv   pbroadcast(const element * p)       { return *p; }
vf   pdot(pv a, pv b, vf c)              { return a*b + c; }
void pstore(element * p, vf v)           { *p = v; }
void pstore_part(element * p, vf v, int64_t) { *p = v; }
vf   punload(const element * p)          { return *p; }
vf   punload_part(const element * p, int64_t) { return *p; }
vf   q8_load(const int8_t * p)           { return *p; }

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
