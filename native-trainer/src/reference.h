// EXO's frozen reference model: the base alone, the adapter that the run came with, or an adapter of its own.
#pragma once

#include "run.h"

struct reference {
    bool with_lora = false;
    std::vector<float> params;      // of reference_adapter, in the layout of the policy's own; empty when it has none
};

// Reads reference_adapter, which must have the shape of the policy's adapter.
void reference_init(reference & ref, run & r);
// Log-probability sums of one pair. With "adapter_in" this holds only while the policy has not been updated yet.
pair_logps reference_forward(const reference & ref, run & r, const packed_pair & packed);
