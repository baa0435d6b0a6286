#include "evaluation.h"

#include "metrics.h"

bool evaluation_due(const run & r, const train_state & s) {
    if (r.eval_set.pairs.empty() || s.evaluated_step == s.step) {
        return false;
    }
    const int64_t every = r.config.eval_every_steps;
    return s.step == 0 || s.step == r.n_steps || (every > 0 && s.step%every == 0);
}

static pair_logps evaluation_forward(run & r, const train_state & s, size_t index) {
    const packed_pair packed = pair_pack(r.eval_set.pairs[index], loss_needs_prompt(r.config.loss));
    pair_logps l = policy_forward(r.policy_, packed, /*with_lora =*/ true, /*direction =*/ false);
    if (loss_needs_reference(r.config.loss)) {
        l.set_reference(s.eval_ref_chosen[index], s.eval_ref_rejected[index]);
    }
    return l;
}

static void emit_evaluation(const run & r, const train_state & s, const pair_metrics & m, double seconds) {
    const size_t n = r.eval_set.pairs.size();
    json event = {
        {"event", "evaluation"},
        {"step", s.step},
        {"steps", r.n_steps},
        {"epoch", (double) s.step/(double) r.steps_per_epoch},
        {"pairs", n},
    };
    metrics_report(event, m, r.config.loss, "eval_");
    event["eval_runtime"] = seconds;
    event["eval_samples_per_second"] = (double) n/seconds;
    emit(event);
}

bool evaluate(run & r, train_state & s) {
    const int64_t start_us = ggml_time_us();
    pair_metrics m;
    for (size_t i = 0; i < r.eval_set.pairs.size(); i++) {
        if (protocol_stop_requested()) {
            return false;
        }
        const pair_logps l = evaluation_forward(r, s, i);
        metrics_add(m, r.config.loss, l, loss_compute(r.config.loss, l), 1/(double) r.eval_set.pairs.size());
    }
    s.evaluated_step = s.step;
    emit_evaluation(r, s, m, (double) (ggml_time_us() - start_us)/1e6);
    return true;
}
