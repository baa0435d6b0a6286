// Which plan fits into memory, before anything is computed; README.md, "Memory".
#pragma once

#include "policy.h"

// Takes the first plan that fits and allocates its scratch; fails with MEMORY_LIMIT or OUT_OF_MEMORY. fixed_mb: the program itself
void plan_memory(policy & pol, const train_config & config, double fixed_mb, bool training);

// What each plan of a training takes, in the order in which they are tried, and which one would be `taken` now. For a policy on a
// device that measures (policy_measure).
struct plan_estimate {
    double mb;
    json   plan;                         // plan_describe
};
std::vector<plan_estimate> estimate_plans(policy & pol, const train_config & config, double fixed_mb, size_t & taken);

json plan_describe(const policy & pol);  // transposed_weights, activations, attention

// The longest pair, in packed tokens, for which the most frugal plan fits; 0 when even the shortest does not.
int64_t find_tokens_that_fit(policy & pol, const train_config & config, double fixed_mb, int64_t max_tokens, bool training);

double policy_device_memory_mb(const policy & pol);
