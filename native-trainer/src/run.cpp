#include "run.h"

#include "memory-plan.h"
#include "platform.h"
#include "primitives.h"
#include "random.h"

#include <algorithm>
#include <numeric>

static void warn_of_pairs(const char * code, int64_t n, const pair_set & set, const std::string & what) {
    if (n > 0) {
        const std::string message = std::to_string(n) + " of " + std::to_string(set.n_read) + what;
        emit({{"event", "warning"}, {"code", code}, {"message", message}, {"n", n}, {"of", set.n_read}});
    }
}

static void warn_about_pairs(const pair_set & set, const std::string & name, int64_t max_length, int64_t window) {
    const std::string limit = "max_length " + std::to_string(max_length);
    warn_of_pairs("RESPONSES_CUT", set.n_cut, set, " " + name + " have a response that was cut at " + limit);
    warn_of_pairs("PAIRS_DROPPED", set.n_dropped, set, " " + name + " dropped: " + limit + " leaves nothing of a response");
    warn_of_pairs("PAIRS_OVER_WINDOW", set.n_over_window, set, " " + name + " dropped: longer than the " + std::to_string(window) +
        " tokens that the model's layers with a sliding window see");
}

static void warn_about_context(const run & r) {
    const int64_t n_ctx = r.policy_.base.hparams.n_ctx, n = std::max(r.set.max_tokens, r.eval_set.max_tokens);
    if (n_ctx > 0 && n > n_ctx && r.config.max_length > n_ctx) {
        emit_warning("CONTEXT_LENGTH", "max_length is larger than the context of " + std::to_string(n_ctx) + " tokens that the model was made for");
    }
}

// Layers with a sliding window are computed as if they saw everything: exact as long as nothing is further away.
static void window_check(const model & m, const pair_set & set) {
    const int64_t window = m.hparams.swa_window;
    for (const token_pair & pair : set.pairs) {
        const int64_t n = (int64_t) (pair.prompt.size() + std::max(pair.chosen.size(), pair.rejected.size()));
        if (window > 0 && n > window) {
            fail_input("SLIDING_WINDOW", "a pair has " + std::to_string(n) + " tokens; the model has layers that see " + std::to_string(window) + ", and longer pairs cannot be trained yet",
                "Set max_length to " + std::to_string(window) + " or leave out the long pairs.");
        }
    }
}

// The policy knows for how many tokens there is memory; with these pairs that is a max_length.
static failure with_max_length(failure f, const run & r) {
    const int64_t max_length = r.policy_.tokens_that_fit > 0 ? max_length_for({&r.set, &r.eval_set}, r.policy_.tokens_that_fit) : 0;
    if (max_length > 0) {
        f.hint += " max_length " + std::to_string(max_length) + " would fit.";
    }
    return f;
}

void run_open(run & r, const std::string & config_path, config_use use) {
    r.config = config_read(config_path, use);
    const bool training = use == config_use::train;
    if (training) {
        checkpoint_lock_take(r.lock, r.config.checkpoint_path);
        output_path_check(r.config.adapter_out);
        output_path_check(r.config.checkpoint_path);
    }
    gguf_file g;
    try {
        model base;
        model_open(base, g, r.config.model);
        // a training goes on without the pairs that are too long; every pair is to be scored
        const int64_t window = training ? base.hparams.swa_window : 0;
        r.set = pairs_read(r.config.pairs, base.hparams.n_vocab, r.config.max_length, window);
        if (!training) {
            window_check(base, r.set);
        }
        if (training && !r.config.eval_pairs.empty()) {
            r.eval_set = pairs_read(r.config.eval_pairs, base.hparams.n_vocab, r.config.max_length, window);
        }
        policy_init(r.policy_, r.config, std::move(base), g, std::max(r.set.max_tokens, r.eval_set.max_tokens), training);
    } catch (const failure & f) {
        gguf_file_close(g);
        throw with_max_length(f, r);
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
    gguf_file_close(g);
    if (r.policy_.has_adapter) {
        r.config.lora = r.policy_.lora.config;
    }
    if (!r.config.adapter_in.empty()) {
        r.adapter_in_hash = lora_hash(r.policy_.lora, tensor_values(r.policy_.lora.params));
    }
    const int64_t n = (int64_t) r.set.pairs.size(), accumulation = r.config.gradient_accumulation_steps;
    r.steps_per_epoch = (n + accumulation - 1)/accumulation;
    r.n_steps = r.config.max_steps > 0 ? r.config.max_steps : r.config.epochs*r.steps_per_epoch;
    warn_about_pairs(r.set, "pairs", r.config.max_length, r.policy_.base.hparams.swa_window);
    warn_about_pairs(r.eval_set, "evaluation pairs", r.config.max_length, r.policy_.base.hparams.swa_window);
    warn_about_context(r);
}

void run_close(run & r) {
    policy_free(r.policy_);
}

run_identity run_identity_of(const run & r) {
    run_identity identity;
    identity.config          = config_identity(r.config);
    identity.model_hash      = r.policy_.base.hash;
    identity.pairs_hash      = r.set.hash;
    identity.eval_pairs_hash = r.eval_set.hash;
    identity.adapter_in_hash = r.adapter_in_hash;
    identity.device          = r.policy_.dev.name;
    return identity;
}

double run_memory_mb(const run & r) {
    const double process_mb = platform_memory_mb();
    return r.policy_.dev.is_cpu ? process_mb : process_mb + policy_device_memory_mb(r.policy_);
}

static json pairs_describe(const pair_set & set) {
    return {{"read", set.n_read}, {"used", set.pairs.size()}, {"cut", set.n_cut}, {"dropped", set.n_dropped}, {"over_window", set.n_over_window}, {"max_tokens", set.max_tokens}};
}

json run_hello(const run & r) {
    const policy & pol = r.policy_;
    json adapter = nullptr;
    if (pol.has_adapter) {
        adapter = {{"r", pol.lora.config.r}, {"alpha", pol.lora.config.alpha}, {"parameters", pol.lora.n_params}};
    }
    json model_facts = model_describe(pol.base);
    model_facts["hash"] = pol.base.hash;
    json hello = {
        {"event", "hello"},
        {"version", TRAINER_VERSION},
        {"ggml", {{"version", ggml_version()}, {"commit", ggml_commit()}}},
        {"device", device_describe(pol.dev.dev)},
        {"primitives", primitives_for(pol.dev).name},
        {"threads", r.config.threads > 0 ? json(r.config.threads) : json(nullptr)},
        {"precision", precision_name(r.config.precision)},
        {"model", model_facts},
        {"adapter", adapter},
        {"loss", loss_label(r.config.loss)},
        {"pairs", pairs_describe(r.set)},
        {"eval_pairs", r.eval_set.pairs.empty() ? json(nullptr) : pairs_describe(r.eval_set)},
        {"memory_estimate_mb", (int64_t) pol.estimate_mb},
    };
    hello.update(plan_describe(pol));
    return hello;
}

std::vector<int64_t> epoch_order(const train_config & config, int64_t n_pairs, int64_t epoch) {
    std::vector<int64_t> order((size_t) n_pairs);
    std::iota(order.begin(), order.end(), 0);
    // a stream of its own for each epoch; the adapter's first weights use the small stream numbers
    const uint64_t stream = (UINT64_C(1) << 32) + (uint64_t) epoch;
    for (int64_t i = n_pairs - 1; config.shuffle && i > 0; i--) {
        const int64_t j = (int64_t) (random_unit(config.seed, stream, (uint64_t) i)*(double) (i + 1));
        std::swap(order[(size_t) i], order[(size_t) j]);
    }
    return order;
}
