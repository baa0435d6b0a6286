// ORPO: Hong, Lee, Thorne, "ORPO: Monolithic Preference Optimization without Reference Model", arXiv 2403.07691, eq. 6 and 7,
// with the conventions of TRL's ORPOTrainer: lc, lr are MEAN log-probabilities per response token, and the NLL covers prompt
// and chosen response.
//
//   nll      = -(sum over prompt targets + sum over chosen) / (n_prompt + n_chosen)
//   log_odds = (lc - lr) - (log(1 - exp lc) - log(1 - exp lr))
//   loss     = nll - beta * log sigmoid(log_odds)
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    pair_loss out;
    const odds o = odds_of(l);
    const double d_log_odds = -s.beta*sigmoid(-o.log_odds);         // d loss / d log_odds
    const double d_nll = -1/(l.n_prompt + l.n_chosen);
    // d log_odds / d lc = 1 + exp(lc)/(1 - exp(lc)) = 1/(1 - exp lc)
    out.nll        = nll_of_chosen_row(l);
    out.loss       = out.nll - s.beta*log_sigmoid(o.log_odds);
    out.d_prompt   = d_nll;
    out.d_chosen   = d_nll + d_log_odds/-expm1(o.lc)/l.n_chosen;
    out.d_rejected = -d_log_odds/-expm1(o.lr)/l.n_rejected;
    out.reward_chosen   = s.beta*o.lc;
    out.reward_rejected = s.beta*o.lr;
    return out;
}

static bool needs_prompt(const loss_settings &) {
    return true;
}

const loss_spec LOSS_ORPO = {
    "orpo",
    /*needs_reference =*/ false,
    /*compares =*/ true,
    /*reports_means =*/ true,
    /*reports_nll =*/ true,
    /*reports_odds =*/ true,
    /*learning_rate =*/ 5e-5,
    /*max_grad_norm =*/ 1.0,
    // configs have always been free to say label_smoothing beside ORPO, which does not use it
    {beta_setting(0.1), {"label_smoothing", &loss_settings::label_smoothing, 5e-3, 1e-9, 0.5}},
    needs_prompt,
    compute,
    loss_value_nowhere,
    /*start_formula =*/ nullptr,
};
