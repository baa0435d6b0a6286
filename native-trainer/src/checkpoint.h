// The state of a run between two optimizer steps, in one GGUF file: adapter weights, both Adam moments, reference
// log-probabilities, counters, and what the run belongs to (config, model, adapters, data sets).
#pragma once

#include "lora.h"
#include "platform.h"

struct train_state {
    int64_t step      = 0;          // finished optimizer steps; epoch and place in the epoch's order follow from it
    int64_t adam_t    = 0;          // updates done (a step whose gradient is not finite is skipped)
    double  first_loss = 0, last_loss = 0;
    int64_t tokens    = 0;
    double  seconds   = 0;
    std::vector<double> ref_chosen, ref_rejected; // per pair, NAN = not computed; empty without a reference model
    std::vector<double> eval_ref_chosen, eval_ref_rejected; // the same of the evaluation pairs
    int64_t evaluated_step = -1;    // after which the evaluation pairs were last evaluated, -1 = never
};

// Hashes are of contents, empty when the run has no such file.
struct run_identity {
    json        config;
    std::string model_hash, pairs_hash, eval_pairs_hash, adapter_in_hash, reference_adapter_hash, device;
};

void checkpoint_save(const std::string & path, const lora_adapter & adapter, const train_state & state, const run_identity & identity);

// Reads a checkpoint after checking that it belongs to this run; the error says what differs.
train_state checkpoint_load(const std::string & path, lora_adapter & adapter, const run_identity & identity);
bool        checkpoint_exists(const std::string & path);

// Two runs that write one checkpoint would each go on from what the other saved. Held from the start of a run to its end.
struct checkpoint_lock {
    file_lock lock;
    checkpoint_lock() = default;
    checkpoint_lock(const checkpoint_lock &) = delete;
    checkpoint_lock & operator=(const checkpoint_lock &) = delete;
    ~checkpoint_lock() { platform_unlock(lock); }
};
void checkpoint_lock_take(checkpoint_lock & lock, const std::string & path);
