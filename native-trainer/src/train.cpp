// train: preference pairs in, adapter out.
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
    double       start_seconds = 0;  // of the runs before this one
    int64_t      start_us = 0;
    int          bad_steps = 0;
};

// Means over the pairs of one optimizer step.
struct step_metrics {
    double loss = 0, nll = 0, log_odds = 0, log_sigmoid = 0;
    double reward_chosen = 0, reward_rejected = 0, accuracy = 0;
    double logp_chosen = 0, logp_rejected = 0;
    int64_t tokens = 0;
};

static double seconds_so_far(const training & t) {
    return t.start_seconds + (double) (ggml_time_us() - t.start_us)/1e6;
}

// ---- checkpoints

static void save_checkpoint(training & t, const char * reason) {
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
    t.start_seconds = t.state.seconds;
}

// ---- reference log-probabilities (EXO): once per pair and run, kept in the checkpoint

static bool is_visited(const training & t, size_t pair) {
    if (t.r.n_steps >= t.r.steps_per_epoch) {
        return true;
    }
    const std::vector<int64_t> order = epoch_order(t.r.config, (int64_t) t.r.set.pairs.size(), 0);
    const int64_t n = t.r.n_steps*t.r.config.gradient_accumulation_steps;
    return std::find(order.begin(), order.begin() + n, (int64_t) pair) != order.begin() + n;
}

// Returns false when asked to stop.
static bool compute_references(training & t) {
    const size_t n = t.r.set.pairs.size();
    train_state & s = t.state;
    if (t.r.config.loss != loss_type::exo) {
        return true;
    }
    s.ref_chosen.resize(n, NAN);
    s.ref_rejected.resize(n, NAN);
    // Missing values are computed before the first step, when the adapter still has the weights that it came with.
    reference ref_model;
    reference_init(ref_model, t.r);
    for (size_t i = 0; i < n; i++) {
        if (!std::isnan(s.ref_chosen[i]) || s.step > 0 || !is_visited(t, i)) {
            continue;
        }
        if (protocol_stop_requested()) {
            return false;
        }
        const pair_logps ref = reference_forward(ref_model, t.r, pair_pack(t.r.set.pairs[i], /*with_prompt =*/ false));
        s.ref_chosen[i]   = ref.chosen_sum;
        s.ref_rejected[i] = ref.rejected_sum;
        emit({{"event", "reference"}, {"done", i + 1}, {"pairs", n}});
    }
    return true;
}

// ---- one step

static void add_pair_metrics(step_metrics & m, const train_config & c, const pair_logps & l, const pair_loss & loss, double weight) {
    // TRL logs mean log-probabilities per token for ORPO and sums for EXO
    const double per_chosen   = c.loss == loss_type::orpo ? l.n_chosen   : 1;
    const double per_rejected = c.loss == loss_type::orpo ? l.n_rejected : 1;
    m.loss            += weight*loss.loss;
    m.nll             += weight*loss.nll;
    m.log_odds        += weight*loss.log_odds;
    m.log_sigmoid     += weight*loss.log_sigmoid;
    m.reward_chosen   += weight*loss.reward_chosen;
    m.reward_rejected += weight*loss.reward_rejected;
    m.accuracy        += weight*(loss.reward_chosen > loss.reward_rejected);
    m.logp_chosen     += weight*l.chosen_sum/per_chosen;
    m.logp_rejected   += weight*l.rejected_sum/per_rejected;
}

static void train_pair(training & t, int64_t index, double weight, step_metrics & m) {
    const bool orpo = t.r.config.loss == loss_type::orpo;
    const packed_pair packed = pair_pack(t.r.set.pairs[(size_t) index], /*with_prompt =*/ orpo);
    policy_dropout_on(t.r.policy_, t.r.config.seed, t.state.step, index);
    pair_logps l = policy_forward(t.r.policy_, packed, /*with_lora =*/ true, /*direction =*/ true);
    l.has_prompt = orpo;
    if (!orpo) {
        l.ref_chosen_sum   = t.state.ref_chosen[(size_t) index];
        l.ref_rejected_sum = t.state.ref_rejected[(size_t) index];
        l.has_reference    = true;
    }
    const pair_loss loss = pair_loss_compute(t.r.config, l);
    add_pair_metrics(m, t.r.config, l, loss, weight);
    m.tokens += packed.n_tokens;
    if (std::isfinite(loss.loss)) {
        policy_backward(t.r.policy_, packed, loss, weight);
    }
    policy_dropout_off(t.r.policy_);
}

static void emit_step(const training & t, const step_metrics & m, double grad_norm, double rate, double seconds) {
    json event = {
        {"event", "step"},
        {"step", t.state.step},
        {"steps", t.r.n_steps},
        {"epoch", (double) t.state.step/(double) t.r.steps_per_epoch},
        {"loss", m.loss},
    };
    if (t.r.config.loss == loss_type::orpo) {
        event["nll_loss"] = m.nll;
        event["log_odds_ratio"] = m.log_sigmoid; // TRL's name for the mean of log sigmoid(log_odds)
        event["log_odds_chosen"] = m.log_odds;
    }
    event["rewards/chosen"]     = m.reward_chosen;
    event["rewards/rejected"]   = m.reward_rejected;
    event["rewards/margins"]    = m.reward_chosen - m.reward_rejected;
    event["rewards/accuracies"] = m.accuracy;
    event["logps/chosen"]       = m.logp_chosen;
    event["logps/rejected"]     = m.logp_rejected;
    event["grad_norm"]          = grad_norm;
    event["learning_rate"]      = rate;
    event["tokens"]             = m.tokens;
    event["tokens_per_second"]  = (double) m.tokens/seconds;
    event["seconds"]            = seconds;
    event["memory_mb"]          = run_memory_mb(t.r);
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
    step_metrics m;
    for (int64_t i = first; i < last; i++) {
        train_pair(t, order[(size_t) i], 1/(double) (last - first), m);
    }
    policy & p = t.r.policy_;
    const double grad_norm = optimizer_grad_norm(t.opt, p.dev, p.lora);
    const double rate = learning_rate_at(c, t.state.step, t.r.n_steps);
    if (std::isfinite(grad_norm) && std::isfinite(m.loss)) {
        t.bad_steps = 0;
        optimizer_step(t.opt, p.dev, p.lora, c, rate, ++t.state.adam_t, grad_norm);
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
        {"pairs", {{"read", r.set.n_read}, {"used", r.set.pairs.size()}, {"cut", r.set.n_cut}, {"dropped", r.set.n_dropped}}},
        {"config", config_identity(r.config)},
        {"model_hash", r.policy_.base.hash},
        {"pairs_hash", r.set.hash},
    });
}

static int train_loop(training & t) {
    const int64_t every = t.r.config.checkpoint_every_steps;
    bool stop = !compute_references(t);
    while (!stop && t.state.step < t.r.n_steps) {
        train_step(t);
        stop = protocol_stop_requested() && t.state.step < t.r.n_steps;
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

int command_train(const std::string & config_path) {
    training t;
    run_open(t.r, config_path, config_use::train);
    t.identity = run_identity_of(t.r);
    t.start_us = ggml_time_us();
    resume_from_checkpoint(t);
    optimizer_init(t.opt, t.r.policy_.dev, t.r.policy_.lora);
    json hello = run_hello(t.r);
    hello["steps"] = t.r.n_steps;
    hello["resumed_step"] = t.state.step;
    emit(hello);
    const int rc = train_loop(t);
    optimizer_free(t.opt);
    run_close(t.r);
    return rc;
}
