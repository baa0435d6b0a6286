// CONFIG.json: every key, its type and its default. The table for people is in README.md.
#pragma once

#include "loss.h"
#include "protocol.h"

#include <cstdint>
#include <string>
#include <vector>

enum class lr_schedule { constant, linear, cosine };
enum class reference_model { base, adapter_in, adapter_file };
enum class precision_mode { automatic, fine, f32 };

// The seven linear layers of a block that can carry a LoRA pair, in the order in which they are stored.
enum lora_target { TARGET_Q, TARGET_K, TARGET_V, TARGET_O, TARGET_GATE, TARGET_UP, TARGET_DOWN, TARGET_COUNT };

extern const char * const LORA_TARGET_NAMES[TARGET_COUNT];   // "q", "k", ...
extern const char * const LORA_TARGET_TENSORS[TARGET_COUNT]; // "attn_q", "attn_k", ... as in the GGUF

struct lora_config {
    int   r       = 16;
    float alpha   = 16;
    float dropout = 0;
    bool  targets[TARGET_COUNT] = {true, true, true, true, true, true, true};
    // said in the config, so that an adapter_in that differs is an error
    bool  has_r = false, has_alpha = false, has_targets = false;
};

struct train_config {
    std::string model;
    std::string adapter_in;                 // optional
    std::string adapter_out;
    std::string pairs;
    std::string eval_pairs;                 // optional, train only
    int64_t     eval_every_steps = 0;       // 0 = at the start and at the end

    loss_sum    loss;                       // never empty once read
    reference_model reference = reference_model::base; // this and the two below: losses that have a reference model
    std::string reference_adapter;          // file of adapter_file
    std::string reference_cache;            // folder of reference-cache.h; empty = none

    double      learning_rate = 0;          // 0 = that of the loss
    lr_schedule schedule      = lr_schedule::constant;
    int64_t     warmup_steps  = 0;
    double      adam_beta1    = 0.9;
    double      adam_beta2    = 0.999;
    double      adam_eps      = 1e-8;
    double      weight_decay  = 0;
    double      max_grad_norm = -1;         // < 0 = that of the loss; 0 = no clipping

    int64_t gradient_accumulation_steps = 2;
    int64_t epochs    = 1;
    int64_t max_steps = 0;                  // > 0 wins over epochs
    bool    shuffle   = true;
    uint64_t seed     = 42;

    lora_config lora;
    int64_t max_length = 2048;              // prompt + response

    std::string device    = "auto";
    int         threads   = 0;              // 0 = chosen while running, threads.h
    precision_mode precision = precision_mode::automatic;

    std::string checkpoint_path;            // default: adapter_out + ".checkpoint"
    int64_t     checkpoint_every_steps = 10; // 0 = only when stopped and at the end
    bool        resume = false;
    int64_t     memory_limit_mb = 0;        // 0 = none
    bool        token_logps = false;        // score only
};

enum class config_use { train, score };

train_config config_read(const std::string & path, config_use use);

// The keys that decide the numbers of a run; a checkpoint is resumed only when all of them are equal.
json config_identity(const train_config & config);

json lora_targets_describe(const lora_config & lora); // their names
const char * precision_name(precision_mode precision);
