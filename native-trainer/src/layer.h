// One transformer block, forward and backward, for every architecture of arch.cpp and every binding of primitives.h.
#pragma once

#include "primitives.h"

struct layer_tape {
    ggml_tensor * x    = nullptr;   // input of the block (n_embd, n_tokens)
    ggml_tensor * x_ff = nullptr;   // input of its feed-forward half
    ggml_tensor * q_raw = nullptr, * k_raw = nullptr; // before q/k norm (head_dim, heads, n_tokens)
    ggml_tensor * gate = nullptr, * up = nullptr;     // (n_ff, n_tokens)
    ggml_tensor * attn_out = nullptr, * ffn_out = nullptr; // of both halves before their second norm (n_embd, n_tokens)
    linear_tape    qkv, o, gate_up, down;
    attention_tape attention;
};

ggml_tensor * layer_forward (pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t);
// dy = d loss / d output; returns d loss / d input, or null when it is not wanted (first layer)
ggml_tensor * layer_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy, bool want_dx);
