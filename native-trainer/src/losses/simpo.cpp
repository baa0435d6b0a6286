// SimPO: Meng, Xia, Chen, "SimPO: Simple Preference Optimization with a Reference-Free Reward", arXiv 2405.14734, eq. 6
// (TRL: experimental CPOTrainer, loss_type "simpo" with cpo_alpha 0). MEAN log-probabilities per response token; gamma is the
// margin that the rewards shall reach, TRL's simpo_gamma, not its ratio to beta.
//
//   d    = beta * (chosen/n_chosen - rejected/n_rejected) - gamma
//   loss = -log sigmoid(d)
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    pair_loss out;
    out.reward_chosen   = s.beta*l.chosen_mean();
    out.reward_rejected = s.beta*l.rejected_mean();
    const double d = out.reward_chosen - out.reward_rejected - s.gamma;
    out.loss       = -log_sigmoid(d);
    out.d_chosen   = -sigmoid(-d)*s.beta/l.n_chosen;
    out.d_rejected =  sigmoid(-d)*s.beta/l.n_rejected;
    return out;
}

const loss_spec LOSS_SIMPO = {
    "simpo",
    /*needs_reference =*/ false,
    /*compares =*/ true,
    /*reports_means =*/ true,
    /*reports_nll =*/ false,
    /*reports_odds =*/ false,
    /*learning_rate =*/ 1e-6,
    /*max_grad_norm =*/ 1.0,
    {beta_setting(0.1), {"gamma", &loss_settings::gamma, 0.5, 0, 1e6}},
    loss_rows_of_responses,
    compute,
    loss_value_nowhere,
    /*start_formula =*/ nullptr,
};
