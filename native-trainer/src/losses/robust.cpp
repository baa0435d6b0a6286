// Robust DPO: Chowdhury, Kini, Natarajan, "Provably Robust DPO", arXiv 2403.00409, eq. 12 (TRL: DPOTrainer, loss_type "robust"):
// DPO's loss made unbiased when a share eps of the pairs has its responses the wrong way round.
//
//   d    = beta * ((chosen - ref_chosen) - (rejected - ref_rejected)),  eps = label_smoothing
//   loss = (-(1 - eps) log sigmoid(d) + eps log sigmoid(-d)) / (1 - 2 eps)
//   d loss / d d = (-(1 - eps) sigmoid(-d) - eps sigmoid(d)) / (1 - 2 eps)
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    const reference_rewards r = rewards_against_reference(l, s.beta);
    const double d = r.margin(), eps = s.label_smoothing, unbias = 1/(1 - 2*eps);
    const double value = (-(1 - eps)*log_sigmoid(d) + eps*log_sigmoid(-d))*unbias;
    const double d_d   = (-(1 - eps)*sigmoid(-d) - eps*sigmoid(d))*unbias;
    return loss_of_margin(r, value, d_d, s.beta);
}

// (-(1 - eps) + eps) log(1/2) / (1 - 2 eps): DPO's, whatever eps
static double at_start(const loss_settings &) {
    return log(2.0);
}

const loss_spec LOSS_ROBUST = {
    "robust",
    /*needs_reference =*/ true,
    /*compares =*/ true,
    /*reports_means =*/ false,
    /*reports_nll =*/ false,
    /*reports_odds =*/ false,
    /*learning_rate =*/ 1e-6,
    /*max_grad_norm =*/ 1.0,
    {beta_setting(0.1), {"label_smoothing", &loss_settings::label_smoothing, 0.1, 0, 0.499}}, // at 1/2 nothing can be learned
    loss_rows_of_responses,
    compute,
    at_start,
    "ln 2",
};
