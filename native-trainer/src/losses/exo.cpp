// EXO: Ji et al., "Towards Efficient Exact Optimization of Language Model Alignment", arXiv 2402.00856, eq. 16 with K = 2
// (TRL: DPOTrainer, loss_type "exo_pair"). Sums of log-probabilities over the response, no length normalisation.
//
//   d    = beta * ((chosen - ref_chosen) - (rejected - ref_rejected)),  q = sigmoid(d)
//   loss = q (log q - log(1 - eps)) + (1 - q) (log(1 - q) - log eps),   eps = label_smoothing
//   d loss / d d = q (1 - q) (d - log((1 - eps)/eps))
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    const reference_rewards r = rewards_against_reference(l, s.beta);
    const double d = r.margin(), eps = s.label_smoothing;
    const double q = sigmoid(d), not_q = sigmoid(-d);
    const double value = q*(log_sigmoid(d) - log1p(-eps)) + not_q*(log_sigmoid(-d) - log(eps));
    const double d_d = q*not_q*(d - (log1p(-eps) - log(eps)));
    return loss_of_margin(r, value, d_d, s.beta);
}

// d = 0, q = 1/2
static double at_start(const loss_settings & s) {
    return -log(2.0) - 0.5*(log1p(-s.label_smoothing) + log(s.label_smoothing));
}

const loss_spec LOSS_EXO = {
    "exo",
    /*needs_reference =*/ true,
    /*compares =*/ true,
    /*reports_means =*/ false,
    /*reports_nll =*/ false,
    /*reports_odds =*/ false,
    /*learning_rate =*/ 1e-6,
    /*max_grad_norm =*/ 0.3,
    {beta_setting(0.1), {"label_smoothing", &loss_settings::label_smoothing, 5e-3, 1e-9, 0.5}},
    loss_rows_of_responses,
    compute,
    at_start,
    "-ln 2 - ln(eps (1 - eps))/2",
};
