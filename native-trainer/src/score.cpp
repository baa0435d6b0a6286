// score: log-probabilities and loss of every pair, nothing is changed.
#include "reference.h"

#include <cmath>

static json number_or_null(bool known, double value) {
    return known ? json(value) : json(nullptr);
}

static pair_logps score_pair(run & r, const reference & ref_model, const packed_pair & packed) {
    pair_logps l = policy_forward(r.policy_, packed, /*with_lora =*/ true, /*direction =*/ false);
    if (loss_needs_reference(r.config.loss)) {
        const pair_logps ref = reference_forward(ref_model, r, packed);
        l.set_reference(ref.chosen_sum, ref.rejected_sum);
        l.ref_chosen   = ref.chosen;
        l.ref_rejected = ref.rejected;
    }
    return l;
}

static json pair_event(const token_pair & pair, const pair_logps & l, const pair_loss & loss, bool token_logps) {
    json event = {
        {"event", "pair"},
        {"id", pair.id},
        {"chosen_logp_sum", l.chosen_sum},
        {"chosen_logp_mean", l.chosen_sum/l.n_chosen},
        {"rejected_logp_sum", l.rejected_sum},
        {"rejected_logp_mean", l.rejected_sum/l.n_rejected},
        {"ref_chosen_logp_sum", number_or_null(l.has_reference, l.ref_chosen_sum)},
        {"ref_rejected_logp_sum", number_or_null(l.has_reference, l.ref_rejected_sum)},
        {"nll", loss.nll},
        {"log_odds", loss.log_odds},
        {"loss", loss.loss},
        {"reward_margin", loss.reward_chosen - loss.reward_rejected},
        {"chosen_tokens", (int64_t) l.n_chosen},
        {"rejected_tokens", (int64_t) l.n_rejected},
    };
    if (token_logps) {
        event["chosen_logps"]   = l.chosen;
        event["rejected_logps"] = l.rejected;
        if (l.has_reference) {
            event["ref_chosen_logps"]   = l.ref_chosen;
            event["ref_rejected_logps"] = l.ref_rejected;
        }
    }
    return event;
}

// A damaged model can pass every check of its file and still overflow: that is no result.
static void finite_check(const token_pair & pair, const pair_logps & l, const pair_loss & loss) {
    if (!std::isfinite(loss.loss) || !std::isfinite(l.chosen_sum) || !std::isfinite(l.rejected_sum)) {
        fail_input("NOT_FINITE", "pair " + pair.id.dump().substr(0, 80) + " has no finite log-probability", "The model or the adapter is damaged; choose another.");
    }
}

int command_score(const std::string & config_path) {
    run r;
    run_open(r, config_path, config_use::score);
    reference ref_model;
    reference_init(ref_model, r);
    emit(run_hello(r));
    const int64_t start_us = ggml_time_us();
    double summed_loss = 0, summed_margin = 0;
    int64_t n_done = 0, tokens = 0, n_positive = 0;
    for (const token_pair & pair : r.set.pairs) {
        const packed_pair packed = pair_pack(pair, /*with_prompt =*/ true);
        const pair_logps l = score_pair(r, ref_model, packed);
        const pair_loss loss = loss_compute(r.config.loss, l);
        finite_check(pair, l, loss);
        emit(pair_event(pair, l, loss, r.config.token_logps));
        summed_loss   += loss.loss;
        summed_margin += loss.reward_chosen - loss.reward_rejected;
        n_positive    += loss.reward_chosen > loss.reward_rejected;
        tokens        += packed.n_tokens;
        n_done++;
        if (protocol_stop_requested()) {
            break;
        }
    }
    const bool stopped = n_done < (int64_t) r.set.pairs.size();
    if (!stopped) {
        emit({
            {"event", "done"},
            {"pairs", n_done},
            {"loss", summed_loss/(double) n_done},
            {"rewards/margins", summed_margin/(double) n_done},
            {"rewards/accuracies", number_or_null(loss_compares(r.config.loss), (double) n_positive/(double) n_done)},
            {"tokens", tokens},
            {"seconds", (double) (ggml_time_us() - start_us)/1e6},
            {"memory_mb", run_memory_mb(r)},
        });
    }
    run_close(r);
    return stopped ? EXIT_STOPPED : EXIT_DONE;
}
