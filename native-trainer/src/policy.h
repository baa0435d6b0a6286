// The policy: base model and adapter on their device, with the memory that one packed pair is computed in. Types only, so that what
// fills them (pair-graphs, memory-plan, pair-pass) does not include each other in circles.
#pragma once

#include "lora.h"
#include "model.h"
#include "threads.h"

struct pair_buffers {
    int64_t max_tokens = 0, max_rows = 0, head_rows = 0;           // head_rows: rows of one head graph
    int64_t n_prompt = 0, n_chosen = 0;                            // of the pair at hand
    ggml_tensor * ids = nullptr, * pos = nullptr;                  // (max_tokens) I32
    ggml_tensor * mask = nullptr;                                  // (max_tokens^2) F32; null: the CPU's kernels do without
    ggml_tensor * rows = nullptr, * targets = nullptr;             // (max_rows) I32
    ggml_tensor * cells = nullptr;                                 // (max_rows) I64
    ggml_tensor * x = nullptr;                                     // (n_embd, max_tokens, n_layer + 1): input of each layer, output of the last
    ggml_tensor * dx = nullptr;                                    // (n_embd, max_tokens)
    ggml_tensor * logp = nullptr;                                  // (1, max_rows)
    ggml_tensor * e = nullptr;                                     // (n_embd, max_rows): -d logp / d h
    ggml_tensor * coef = nullptr;                                  // (1, max_rows)
    ggml_tensor * dropout = nullptr;                               // pool of mask values, when lora.dropout > 0
    ggml_context *        ctx    = nullptr;
    ggml_backend_buffer_t buffer = nullptr;
    size_t                buffer_bytes = 0;
};

// What the forward pass of the CPU's kernels keeps of each layer for the backward pass, when memory allows.
struct saved_layers {
    int64_t       layer_bytes = 0;
    ggml_tensor * memory = nullptr;                                // (layer_bytes, n_layer) bytes; null: layers are computed again
    ggml_context *        ctx    = nullptr;
    ggml_backend_buffer_t buffer = nullptr;
};

struct policy {
    device       dev;
    thread_tuner tuner;
    model        base;
    lora_adapter lora;
    pair_buffers buffers;
    saved_layers saved;
    model_plan   plan;
    bool         attention_by_group = false; // ggml's operators: the scores of one group of heads at a time
    double       estimate_mb = 0;
    int64_t      tokens_that_fit = 0;        // when policy_init failed for want of memory: packed tokens of a pair for which it would not
    bool         has_adapter = false;
    bool         fine = false;            // see pass::fine
    uint64_t     dropout_seed = 0;        // of the pair at hand
    bool         dropout = false;         // on for the next forward and backward pass
};
