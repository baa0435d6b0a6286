// The frozen reference model of a loss that compares with one: the base alone, the adapter that the run came with, or an adapter of its own.
#pragma once

#include "reference-cache.h"
#include "run.h"

struct reference {
    bool with_lora = false;
    std::vector<float> params;      // of reference_adapter, in the layout of the policy's own; empty when it has none
    std::string     hash;           // of the adapter's weights, "base" without one
    reference_cache cache;
    int64_t         n_cached = 0;   // pairs that the cache answered
};

// Reads reference_adapter, which must have the shape of the policy's adapter.
void reference_init(reference & ref, run & r);
// Log-probabilities of one pair. With "adapter_in" they hold only while the policy has not been updated yet.
pair_logps reference_forward(const reference & ref, run & r, const packed_pair & packed);

// The same from the cache when it knows the pair, for training; `score` always computes.
void           reference_open_cache(reference & ref, const run & r);
reference_sums reference_lookup(reference & ref, run & r, const packed_pair & packed);
json           reference_describe_cache(const reference & ref); // for `hello`; null when there is none
