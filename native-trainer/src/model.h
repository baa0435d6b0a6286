// The frozen base model on the device.
#pragma once

#include "arch.h"
#include "config.h"
#include "device.h"

#include <string>
#include <vector>

struct lora_pair;

// y = W x + bias + (LoRA). ggml stores W as (n_in, n_out): a row of n_in numbers for each output.
struct linear {
    std::string   name;                     // "blk.0.attn_q"
    int64_t       n_in = 0, n_out = 0;
    ggml_tensor * w    = nullptr;           // (n_in, n_out), as in the file
    ggml_tensor * w_t  = nullptr;           // (n_out, n_in), BF16 or F32, for the backward pass; null = made anew in each graph
    ggml_tensor * bias = nullptr;           // (n_out)
    lora_pair *   lora = nullptr;           // null = not a target
};

struct layer_weights {
    ggml_tensor * attn_norm = nullptr;      // (n_embd)
    ggml_tensor * ffn_norm  = nullptr;      // (n_embd)
    ggml_tensor * attn_post_norm = nullptr; // (n_embd), arch_facts::gemma
    ggml_tensor * ffn_post_norm  = nullptr;
    ggml_tensor * q_norm    = nullptr;      // (head_dim), arch_facts::qk_norm
    ggml_tensor * k_norm    = nullptr;
    rope_params   rope;
    linear        linears[TARGET_COUNT];
};

struct model {
    hyper_params  hparams;
    std::string   path;
    std::string   name;                     // general.name
    std::string   hash;                     // of the whole content
    int64_t       n_params = 0;
    int64_t       n_bytes  = 0;
    std::string   tensor_types;             // "Q4_1 210, F32 61, Q8_0 1"

    ggml_tensor * token_embd  = nullptr;    // (n_embd, n_vocab)
    ggml_tensor * output_norm = nullptr;    // (n_embd)
    ggml_tensor * rope_freqs  = nullptr;    // (rope_dims/2), Llama 3
    linear        output;                   // its w is token_embd when the embeddings are tied
    std::vector<layer_weights> layers;

    ggml_context *        ctx_weights    = nullptr;
    ggml_backend_buffer_t buffer_weights = nullptr;
    std::vector<ggml_context *>        ctx_transposed;
    std::vector<ggml_backend_buffer_t> buffer_transposed;
    ggml_tensor *         iota           = nullptr; // 0, 1, 2, ...: get_rows(W, iota) is W dequantised
};

// Describes and checks without loading any weights. `inspect` stops here.
void model_open(model & m, gguf_file & g, const std::string & path);
// Says why a tensor type cannot be trained on, or an empty string.
std::string model_type_problem(ggml_type type);

struct model_plan {
    bool   precision_f32 = false;           // every matrix in F32, dequantised at load
    bool   resident_transposed = true;      // keep W^T of every layer; otherwise it is made anew in each backward graph
};

size_t model_weight_bytes(const gguf_file & g, const model_plan & plan);
void   model_place(model & m, const gguf_file & g, device & d, const model_plan & plan); // makes room for the weights
void   model_load(model & m, const gguf_file & g, device & d, const model_plan & plan);  // and reads them
void   model_free(model & m);

// Transposed copies for the backward pass: of the output matrix always, of the layers when the plan keeps them.
size_t model_transposed_layer_bytes(const model & m);
void   model_transpose_output(model & m, device & d);
void   model_transpose_layers(model & m, device & d);
void   model_drop_transposed_layers(model & m);
json   model_describe(const model & m);
