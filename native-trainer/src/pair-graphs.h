// The graphs that one packed pair is computed with, and the buffers that they read and write.
#pragma once

#include "pairs.h"
#include "policy.h"
#include "primitives.h"

// Their tensors, without memory; dropout: with the pool of mask values
void buffers_describe(pair_buffers & b, const model & m, const device & d, int64_t max_tokens, bool dropout);
void buffers_init(pair_buffers & b, const model & m, device & d, int64_t max_tokens, bool dropout);
void buffers_upload(pair_buffers & b, const packed_pair & pair, int64_t n_vocab);
void saved_free(saved_layers & saved);

// n_tokens and n_rows are those of the pair at hand, the buffers hold those of the longest. A graph that is returned has not run.
void embed(policy & pol, int64_t n_tokens);
pass layer_forward_graph(policy & pol, int64_t layer, int64_t n_tokens, bool with_lora, tape_mode mode);
pass head_graph(policy & pol, int64_t n_tokens, int64_t first, int64_t n, bool direction);       // rows [first, first + n)
void head_backward_graph(policy & pol, int64_t n_tokens, int64_t n_rows);                        // runs
pass layer_backward_graph(policy & pol, int64_t layer, int64_t n_tokens, float grad_unscale);
