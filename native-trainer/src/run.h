// What train and score share: config, model, pairs and the policy on its device.
#pragma once

#include "checkpoint.h"
#include "pair-pass.h"

struct run {
    train_config config;
    pair_set     set;
    pair_set     eval_set;                      // empty without eval_pairs
    policy       policy_;
    checkpoint_lock lock;                       // train
    std::string  adapter_in_hash;               // of its weights; empty without adapter_in
    int64_t      steps_per_epoch = 0, n_steps = 0;
};

void run_open(run & r, const std::string & config_path, config_use use);
void run_close(run & r);

run_identity run_identity_of(const run & r);
json         run_hello(const run & r);          // the `hello` event, without what train adds
double       run_memory_mb(const run & r);      // of the process, and of the device when that is no CPU

// Order of the pairs in an epoch: Fisher-Yates with counter-based random numbers, or file order.
std::vector<int64_t> epoch_order(const train_config & config, int64_t n_pairs, int64_t epoch);

// The commands. Each returns an exit code or throws failure.
int command_train   (const std::string & config_path);
int command_score   (const std::string & config_path);
int command_selftest(const std::string & dir, const std::string & device); // dir empty: look beside the executable and in the source tree
int command_devices ();
int command_inspect (const std::string & model_path, const std::string & device); // device empty: no word on memory
int command_dequantise(const std::string & from, const std::string & to);
