// What differs between the architectures that can be trained, as one table, and the sizes of one model.
#pragma once

#include "gguf-file.h"

#include <string>
#include <vector>

struct arch_facts {
    const char * name;       // general.architecture
    int          rope_mode;  // GGML_ROPE_TYPE_NORMAL or _NEOX
    bool         qk_norm;    // RMS norm of each head of q and k before RoPE
    int          no_rope_step; // every layer of this number has no RoPE (the 4th, the 8th, ...); 0 = all have it
    bool         gemma;      // embeddings scaled by sqrt(n_embd), norms after both halves too, GELU for SiLU, sliding windows
};

struct hyper_params {
    const arch_facts * arch = nullptr;
    int64_t n_layer    = 0;
    int64_t n_embd     = 0;  // D
    int64_t n_ff       = 0;
    int64_t n_head     = 0;
    int64_t n_head_kv  = 0;
    int64_t head_dim   = 0;  // n_head*head_dim may differ from n_embd
    int64_t n_vocab    = 0;  // V
    int64_t n_ctx      = 0;  // context length the model was made for
    int     rope_dims  = 0;
    float   rope_base  = 10000.0f;
    float   rope_scale = 1.0f;
    float   norm_eps   = 1e-5f;
    float   attn_scale = 0.0f; // 1/sqrt(head_dim) unless the file says otherwise
    float   embd_scale = 1.0f;
    int64_t swa_window = 0;    // tokens that a layer with a sliding window sees; 0 = no layer has one
    int64_t swa_period = 0;    // every layer of this number sees all
    float   swa_rope_base = 10000.0f;
};

// RoPE of one layer.
struct rope_params {
    bool  used  = true;
    float base  = 10000.0f;
    float scale = 1.0f;
};

rope_params rope_params_of(const hyper_params & h, int64_t layer);

// Fails with UNSUPPORTED_ARCHITECTURE, UNSUPPORTED_FEATURE or a damaged-file code when the model cannot be trained.
hyper_params hyper_params_read(const gguf_file & g);

const std::vector<arch_facts> & arch_table();
