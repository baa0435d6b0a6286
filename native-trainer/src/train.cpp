// train: preference pairs in, adapter out.
#include "evaluation.h"
#include "memory-plan.h"
#include "metrics.h"
#include "optimizer.h"
#include "platform.h"
#include "reference.h"

#include <algorithm>
#include <cmath>

static const int MAX_BAD_STEPS = 10; // steps in a row without a finite gradient before the run gives up

struct training {
    run          r;
    run_identity identity;
    train_state  state;
    optimizer    opt;
    reference    ref;
    double       start_seconds = 0;  // of the runs before this one
    int64_t      start_us = 0;
    int          bad_steps = 0;
};

static double seconds_so_far(const training & t) {
    return t.start_seconds + (double) (ggml_time_us() - t.start_us)/1e6;
}

// ---- checkpoints

static bool all_finite(const ggml_tensor * values) {
    const std::vector<float> numbers = tensor_values(values);
    return ggml_validate_row_data(GGML_TYPE_F32, numbers.data(), numbers.size()*sizeof(float));
}

static void save_checkpoint(training & t, const char * reason) {
    const lora_adapter & lora = t.r.policy_.lora;
    if (!all_finite(lora.params) || !all_finite(lora.moment1) || !all_finite(lora.moment2)) { // the one before stays
        fail_input("DIVERGED", "the adapter has weights that are not finite after step " + std::to_string(t.state.step), "Use a smaller learning_rate.");
    }
    t.state.seconds = seconds_so_far(t);
    checkpoint_save(t.r.config.checkpoint_path, t.r.policy_.lora, t.state, t.identity);
    emit({{"event", "checkpoint"}, {"path", t.r.config.checkpoint_path}, {"step", t.state.step}, {"reason", reason}});
}

static void resume_from_checkpoint(training & t) {
    const std::string & path = t.r.config.checkpoint_path;
    if (!t.r.config.resume || !checkpoint_exists(path)) {
        return; // the first start of a run that may be resumed
    }
    t.state = checkpoint_load(path, t.r.policy_.lora, t.identity);
    const int64_t n_steps = t.r.n_steps;
    if (t.state.step > n_steps) {
        fail_input("CHECKPOINT_INVALID", path + " is at step " + std::to_string(t.state.step) + " of " + std::to_string(n_steps), "Start the run again without resume.");
    }
    t.start_seconds = t.state.seconds;
}

// ---- reference log-probabilities: once per pair and run, kept in the checkpoint

static std::vector<bool> visited_pairs(const run & r) {
    const size_t n = r.set.pairs.size();
    std::vector<bool> visited(n, r.n_steps >= r.steps_per_epoch);
    const std::vector<int64_t> order = epoch_order(r.config, (int64_t) n, 0);
    for (int64_t i = 0; i < std::min((int64_t) n, r.n_steps*r.config.gradient_accumulation_steps); i++) {
        visited[(size_t) order[(size_t) i]] = true;
    }
    return visited;
}

struct missing_reference {
    const token_pair * pair;
    double * chosen, * rejected;
};

static void find_missing(const pair_set & set, const std::vector<bool> & wanted, std::vector<double> & chosen, std::vector<double> & rejected, std::vector<missing_reference> & missing) {
    chosen.resize(set.pairs.size(), NAN);
    rejected.resize(set.pairs.size(), NAN);
    for (size_t i = 0; i < set.pairs.size(); i++) {
        if (wanted[i] && !(std::isfinite(chosen[i]) && std::isfinite(rejected[i]))) {
            missing.push_back({&set.pairs[i], &chosen[i], &rejected[i]});
        }
    }
}

// Before the first step, when the adapter still has the weights that it came with. Returns false when asked to stop.
static bool compute_references(training & t) {
    train_state & s = t.state;
    if (!loss_needs_reference(t.r.config.loss)) {
        return true;
    }
    std::vector<missing_reference> missing;
    find_missing(t.r.set, visited_pairs(t.r), s.ref_chosen, s.ref_rejected, missing);
    find_missing(t.r.eval_set, std::vector<bool>(t.r.eval_set.pairs.size(), true), s.eval_ref_chosen, s.eval_ref_rejected, missing);
    if (s.step > 0 && !missing.empty()) {
        fail_input("CHECKPOINT_INVALID", t.r.config.checkpoint_path + " lacks reference log-probabilities", "Start the run again without resume.");
    }
    for (size_t i = 0; i < missing.size(); i++) {
        if (protocol_stop_requested()) {
            return false;
        }
        const int64_t n_cached = t.ref.n_cached;
        const reference_sums sums = reference_lookup(t.ref, t.r, pair_pack(*missing[i].pair, /*with_prompt =*/ false));
        *missing[i].chosen   = sums.chosen;
        *missing[i].rejected = sums.rejected;
        if (t.ref.n_cached == n_cached || i + 1 == missing.size()) { // what the cache knows takes no time
            emit({{"event", "reference"}, {"done", i + 1}, {"pairs", missing.size()}, {"cached", t.ref.n_cached}});
        }
    }
    return true;
}

// ---- one step

static void train_pair(training & t, int64_t index, double weight, pair_metrics & m) {
    const loss_sum & objective = t.r.config.loss;
    const packed_pair packed = pair_pack(t.r.set.pairs[(size_t) index], loss_needs_prompt(objective));
    policy_dropout_on(t.r.policy_, t.r.config.seed, t.state.step, index);
    pair_logps l = policy_forward(t.r.policy_, packed, /*with_lora =*/ true, /*direction =*/ true);
    if (loss_needs_reference(objective)) {
        l.set_reference(t.state.ref_chosen[(size_t) index], t.state.ref_rejected[(size_t) index]);
    }
    const pair_loss loss = loss_compute(objective, l);
    metrics_add(m, objective, l, loss, weight);
    m.tokens += packed.n_tokens;
    if (std::isfinite(loss.loss)) {
        policy_backward(t.r.policy_, packed, loss, weight);
    }
    policy_dropout_off(t.r.policy_);
}

static void emit_step(const training & t, const pair_metrics & m, double grad_norm, double rate, double seconds) {
    json event = {
        {"event", "step"},
        {"step", t.state.step},
        {"steps", t.r.n_steps},
        {"epoch", (double) t.state.step/(double) t.r.steps_per_epoch},
    };
    metrics_report(event, m, t.r.config.loss);
    event["grad_norm"]         = grad_norm;
    event["learning_rate"]     = rate;
    event["tokens"]            = m.tokens;
    event["tokens_per_second"] = (double) m.tokens/seconds;
    event["seconds"]           = seconds;
    event["memory_mb"]         = run_memory_mb(t.r);
    emit(event);
}

static void skip_step(training & t) {
    lora_zero_grads(t.r.policy_.lora);
    emit_warning("GRADIENT_NOT_FINITE", "step " + std::to_string(t.state.step + 1) + " gave no finite gradient, its update was skipped");
    if (++t.bad_steps >= MAX_BAD_STEPS) {
        fail_input("DIVERGED", std::to_string(MAX_BAD_STEPS) + " steps in a row gave no finite gradient", "Use a smaller learning_rate.");
    }
}

static void train_step(training & t) {
    const train_config & c = t.r.config;
    const int64_t start_us = ggml_time_us();
    const int64_t n_pairs = (int64_t) t.r.set.pairs.size();
    const std::vector<int64_t> order = epoch_order(c, n_pairs, t.state.step/t.r.steps_per_epoch);
    const int64_t first = t.state.step%t.r.steps_per_epoch*c.gradient_accumulation_steps;
    const int64_t last  = std::min(n_pairs, first + c.gradient_accumulation_steps); // the last step of an epoch may be shorter
    pair_metrics m;
    for (int64_t i = first; i < last; i++) {
        train_pair(t, order[(size_t) i], 1/(double) (last - first), m);
    }
    policy & pol = t.r.policy_;
    const double grad_norm = optimizer_grad_norm(t.opt, pol.dev, pol.lora);
    const double rate = learning_rate_at(c, t.state.step, t.r.n_steps);
    if (std::isfinite(grad_norm) && std::isfinite(m.loss)) {
        t.bad_steps = 0;
        optimizer_step(t.opt, pol.dev, pol.lora, c, rate, ++t.state.adam_t, grad_norm);
        t.state.first_loss = t.state.step == 0 ? m.loss : t.state.first_loss;
        t.state.last_loss  = m.loss;
    } else {
        skip_step(t);
    }
    t.state.step++;
    t.state.tokens += m.tokens;
    emit_step(t, m, grad_norm, rate, (double) (ggml_time_us() - start_us)/1e6);
}

// ---- the run

static void emit_done(const training & t) {
    const run & r = t.r;
    emit({
        {"event", "done"},
        {"adapter", r.config.adapter_out},
        {"checkpoint", r.config.checkpoint_path},
        {"steps", t.state.step},
        {"first_loss", t.state.first_loss},
        {"last_loss", t.state.last_loss},
        {"tokens", t.state.tokens},
        {"seconds", seconds_so_far(t)},
        {"peak_memory_mb", platform_peak_memory_mb() + (r.policy_.dev.is_cpu ? 0 : policy_device_memory_mb(r.policy_))},
        {"memory_estimate_mb", (int64_t) r.policy_.estimate_mb},
        {"pairs", {{"read", r.set.n_read}, {"used", r.set.pairs.size()}, {"cut", r.set.n_cut}, {"dropped", r.set.n_dropped}, {"over_window", r.set.n_over_window}}},
        {"config", config_identity(r.config)},
        {"model_hash", r.policy_.base.hash},
        {"pairs_hash", r.set.hash},
        {"adapter_in_hash", r.adapter_in_hash.empty() ? json(nullptr) : json(r.adapter_in_hash)},
    });
}

// Returns false when asked to stop.
static bool evaluate_when_due(training & t) {
    return !evaluation_due(t.r, t.state) || evaluate(t.r, t.state);
}

static int train_loop(training & t) {
    const int64_t every = t.r.config.checkpoint_every_steps;
    bool stop = !compute_references(t) || !evaluate_when_due(t);
    while (!stop && t.state.step < t.r.n_steps) {
        train_step(t);
        stop = (protocol_stop_requested() && t.state.step < t.r.n_steps) || !evaluate_when_due(t);
        if (!stop && every > 0 && t.state.step%every == 0 && t.state.step < t.r.n_steps) {
            save_checkpoint(t, "interval");
        }
    }
    if (!stop && t.state.adam_t == 0) {
        fail_input("DIVERGED", "no step gave a finite gradient, nothing was learned", "Check the model with score, or use a smaller learning_rate.");
    }
    save_checkpoint(t, stop ? "stopped" : "finished");
    if (stop) {
        return EXIT_STOPPED;
    }
    lora_save(t.r.policy_.lora, t.r.policy_.base, t.r.config.adapter_out);
    emit_done(t);
    return EXIT_DONE;
}

// What a UI can check: a policy that starts as its reference has a margin of 0, and when its loss compares with nothing else, a
// known loss. Null when the run does not start so.
static json known_start(const training & t) {
    const train_config & c = t.r.config;
    const bool is_reference = loss_needs_reference(c.loss) && (c.reference == reference_model::base ? c.adapter_in.empty() : t.ref.hash == t.r.adapter_in_hash);
    if (!is_reference || t.state.step > 0 || t.r.policy_.lora.config.dropout > 0) {
        return nullptr;
    }
    return {{"loss", loss_at_start(c.loss)}, {"rewards/margins", 0.0}};
}

int command_train(const std::string & config_path) {
    training t;
    run_open(t.r, config_path, config_use::train);
    reference_init(t.ref, t.r);
    reference_open_cache(t.ref, t.r);
    t.identity = run_identity_of(t.r);
    t.identity.reference_adapter_hash = t.r.config.reference_adapter.empty() ? "" : t.ref.hash;
    t.start_us = ggml_time_us();
    resume_from_checkpoint(t);
    optimizer_init(t.opt, t.r.policy_.dev, t.r.policy_.lora);
    json hello = run_hello(t.r);
    hello["steps"] = t.r.n_steps;
    hello["resumed_step"] = t.state.step;
    hello["known_start"] = known_start(t);
    hello["reference_cache"] = reference_describe_cache(t.ref);
    emit(hello);
    const int rc = train_loop(t);
    optimizer_free(t.opt);
    run_close(t.r);
    return rc;
}
