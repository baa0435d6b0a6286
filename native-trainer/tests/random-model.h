// GGUF models with random weights in any shape and tensor type, and random pairs to go with them.
#pragma once

#include "gguf-file.h"

#include <string>

struct random_model {
    std::string architecture = "llama";
    int64_t  n_layer = 2, n_embd = 64, n_ff = 128, n_head = 4, n_head_kv = 2, head_dim = 16, n_vocab = 512;
    bool     tied = true;
    ggml_type type      = GGML_TYPE_F32;   // of the seven linear layers
    ggml_type embd_type = GGML_TYPE_F32;   // of embeddings and output matrix
    bool     dequantised = false;          // write the values of `type` as F32
    uint64_t seed = 1;
};

void random_model_write(const random_model & m, const std::string & path);
void random_pairs_write(const std::string & path, int n_pairs, int n_prompt, int n_chosen, int n_rejected, int64_t n_vocab);
