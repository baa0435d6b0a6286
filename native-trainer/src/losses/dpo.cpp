// DPO: Rafailov et al., "Direct Preference Optimization", arXiv 2305.18290, eq. 7 (TRL: DPOTrainer, loss_type "sigmoid").
// Sums of log-probabilities over the response.
//
//   d    = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
//   loss = -log sigmoid(d)
//   d loss / d d = -sigmoid(-d)
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    const reference_rewards r = rewards_against_reference(l, s.beta);
    return loss_of_margin(r, -log_sigmoid(r.margin()), -sigmoid(-r.margin()), s.beta);
}

static double at_start(const loss_settings &) {
    return log(2.0);
}

const loss_spec LOSS_DPO = {
    "dpo",
    /*needs_reference =*/ true,
    /*compares =*/ true,
    /*reports_means =*/ false,
    /*reports_nll =*/ false,
    /*reports_odds =*/ false,
    /*learning_rate =*/ 1e-6,
    /*max_grad_norm =*/ 1.0,
    {beta_setting(0.1)},
    loss_rows_of_responses,
    compute,
    at_start,
    "ln 2",
};
