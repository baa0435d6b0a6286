// One transformer block, forward and backward, for every architecture of arch.cpp and every binding of primitives.h.
#pragma once

#include "primitives.h"

struct layer_tape {
    ggml_tensor * x    = nullptr;   // input of the block (n_embd, n_tokens)
    ggml_tensor * x_ff = nullptr;   // input of its feed-forward half
    ggml_tensor * q_raw = nullptr, * k_raw = nullptr; // before q/k norm (head_dim, heads, n_tokens)
    ggml_tensor * attn_out = nullptr, * ffn_out = nullptr; // of both halves before their second norm (n_embd, n_tokens)
    linear_tape    qkv, o, down;
    gated_tape     gated;
    attention_tape attention;
};

// The block's output, written to `to` (null: to a new tensor)
ggml_tensor * layer_forward (pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t, ggml_tensor * to);
// dy = d loss / d output; d loss / d input is written to `to`, which may be dy itself; null: it is not wanted (first layer)
ggml_tensor * layer_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy, ggml_tensor * to);
