// The policy (base model + adapter) on one packed pair: log-probabilities forward, LoRA gradients backward.
//
// Memory is O(layers * n_tokens * n_embd) plus the scratch of one layer: the forward pass keeps the input of each layer, and with
// the CPU's kernels more of it when memory allows (saved_layers); the backward pass computes what was not kept again and then the
// layer's gradients, in one graph a layer, last layer first.
#pragma once

#include "loss.h"
#include "pairs.h"
#include "policy.h"

// Loads model and adapter and allocates everything the longest pair needs. Without adapter_in, training starts from a fresh
// adapter and scoring uses the base model alone. What is too large is tried in the next plan of memory: transposed weights
// resident or streamed, activations kept or computed again, attention whole or by head group.
void policy_init(policy & pol, const train_config & config, model && base, const gguf_file & g, int64_t max_tokens, bool training);
void policy_free(policy & pol);
// The same for a training from a fresh adapter with everything in its place and no memory: graphs can be measured and not run.
// Returns what the program itself takes of the device's memory.
double policy_measure(policy & pol, const train_config & config, model && base, const gguf_file & g, int64_t max_tokens);

// Log-probability sums of the pair's rows. `direction` also keeps what policy_backward needs.
pair_logps policy_forward(policy & pol, const packed_pair & pair, bool with_lora, bool direction);
// Adds weight * d loss / d (A, B) to the adapter's gradients; directly after a policy_forward with `direction`.
void policy_backward(policy & pol, const packed_pair & pair, const pair_loss & loss, double weight);

// Draws the dropout masks of one pair in one step; they stay until policy_dropout_off.
void policy_dropout_on(policy & pol, uint64_t seed, int64_t step, int64_t pair);
void policy_dropout_off(policy & pol);
