// Compares the gradient of every LoRA tensor with finite differences of the loss. Used by selftest and the tests.
#pragma once

#include "pair-pass.h"

struct gradient_error {
    std::string name;          // worst tensor
    double      relative = 0;  // |analytic - numeric| / |gradient along the direction|
    int         n_tensors = 0;
};

// The policy must be F32 on the CPU; reference sums are taken from the base model. Leaves the adapter as it was.
gradient_error gradient_check(policy & pol, const train_config & config, const token_pair & pair);

// The loss of one pair and, when wanted, its gradient in the adapter's gradient buffer (zeroed first).
pair_loss policy_loss(policy & pol, const train_config & config, const token_pair & pair, bool with_gradient);
