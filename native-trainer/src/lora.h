// The trained weights: one LoRA pair (A, B) for each target of each layer, y += s B (A x) with s = alpha/r.
//
// Parameters, gradients and the two Adam moments are four flat buffers of the same layout; the A's and B's are views into
// them. So the norm of all gradients is one sum and an optimizer step is one operator.
#pragma once

#include "config.h"
#include "device.h"
#include "model.h"

#include <string>
#include <vector>

struct lora_pair {
    std::string   name;                     // "blk.0.attn_q.weight"
    ggml_tensor * a = nullptr;              // (n_in, r)
    ggml_tensor * b = nullptr;              // (r, n_out)
    ggml_tensor * grad_a = nullptr, * grad_b = nullptr;
    float         scale = 1;
    uint64_t      index = 0;                // place in lora_adapter::pairs
};

struct lora_adapter {
    lora_config            config;
    std::vector<lora_pair> pairs;
    int64_t                n_params = 0;    // without padding
    // (1024, n) each: rows are what ggml's AdamW spreads over threads
    ggml_tensor * params = nullptr, * grads = nullptr, * moment1 = nullptr, * moment2 = nullptr;
    std::vector<ggml_tensor *> moments;     // views of both moments, named for the checkpoint
    ggml_context *        ctx    = nullptr;
    ggml_backend_buffer_t buffer = nullptr;
};

// r, alpha and targets of an adapter file, after checking that it belongs to the model; what the config says must agree.
lora_config lora_config_from_file(const gguf_file & g, const model & m, const lora_config & wanted);

// Bytes of the four buffers.
size_t lora_bytes(const model & m, const lora_config & config);
void lora_init(lora_adapter & adapter, model & m, device & d, const lora_config & config);
void lora_free(lora_adapter & adapter);

void lora_randomize(lora_adapter & adapter, uint64_t seed);        // A uniform in +-1/sqrt(n_in), B = 0, as PEFT does
void lora_load(lora_adapter & adapter, const gguf_file & g);       // "<tensor>.lora_a" and ".lora_b"
void lora_save(const lora_adapter & adapter, const model & m, const std::string & path);
void lora_zero_grads(lora_adapter & adapter);
// Of weights in the adapter's layout, its scale and its targets: adapters with one hash compute the same.
std::string lora_hash(const lora_adapter & adapter, const std::vector<float> & params);

// Writes to path + ".tmp", makes it durable, renames. Used for adapters and checkpoints.
void gguf_write_atomic(gguf_context * g, const std::string & path);
// Fails now rather than after hours when a result cannot be written.
void output_path_check(const std::string & path);

std::vector<float> tensor_values(const ggml_tensor * t);
