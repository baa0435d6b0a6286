// RoPE of single rows, for the operators that read q and k.
#pragma once

#include "arch.h"
#include "kernels.h"
#include "model.h"

#include <memory>
#include <vector>

// cos and sin of every position and frequency, made once
struct rope_table {
    float   base = 0, scale = 0;
    int     dims = 0;
    bool    neox = false;
    const ggml_tensor * freqs = nullptr;
    int64_t n_positions = 0;
    std::vector<float> cosines, sines;      // (dims/2, n_positions)
};

// Null when the layer has no RoPE.
std::shared_ptr<const rope_table> rope_table_for(const model & m, const rope_params & r, int64_t n_positions);

// y = x (head_dim) turned by its position, or back with sign = -1; y is not x
void rope_row(const cpu_kernels & k, const rope_table & t, int64_t position, const float * x, int64_t head_dim, float sign, float * y);
