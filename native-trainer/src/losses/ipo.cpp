// IPO: Azar et al., "A General Theoretical Paradigm to Understand Learning from Human Preferences", arXiv 2310.12036, eq. 17
// (TRL: DPOTrainer, loss_type "ipo"). Each log-ratio is averaged over its own response's tokens that carry loss, as IPO's authors
// did in their experiments; the rewards that are logged are beta times the sums, as for the other losses of DPOTrainer.
//
//   h    = (chosen - ref_chosen)/n_chosen - (rejected - ref_rejected)/n_rejected
//   loss = (h - 1/(2 beta))^2
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    const reference_rewards r = rewards_against_reference(l, s.beta);
    const double h = (l.chosen_sum - l.ref_chosen_sum)/l.n_chosen - (l.rejected_sum - l.ref_rejected_sum)/l.n_rejected;
    const double distance = h - 1/(2*s.beta);
    pair_loss out;
    out.loss       = distance*distance;
    out.d_chosen   =  2*distance/l.n_chosen;
    out.d_rejected = -2*distance/l.n_rejected;
    out.reward_chosen   = r.chosen;
    out.reward_rejected = r.rejected;
    return out;
}

static double at_start(const loss_settings & s) {
    return 1/(4*s.beta*s.beta);
}

const loss_spec LOSS_IPO = {
    "ipo",
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
    "(1/(2 beta))^2",
};
