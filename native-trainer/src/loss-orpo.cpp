// ORPO: Hong, Lee, Thorne, "ORPO: Monolithic Preference Optimization without Reference Model", arXiv 2403.07691, eq. 6 and 7,
// with the conventions of TRL's ORPOTrainer: lc, lr are MEAN log-probabilities per response token, and the NLL covers prompt
// and chosen response.
//
//   nll      = -(sum over prompt targets + sum over chosen) / (n_prompt + n_chosen)
//   log_odds = (lc - lr) - (log(1 - exp lc) - log(1 - exp lr))
//   loss     = nll - beta * log sigmoid(log_odds)
#include "loss.h"

#include <algorithm>
#include <cmath>

double sigmoid(double x) {
    return x >= 0 ? 1/(1 + exp(-x)) : exp(x)/(1 + exp(x));
}

double log_sigmoid(double x) {
    return x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x));
}

// log(1 - exp x) for x < 0 without cancellation
static double log1mexp(double x) {
    return x < -0.6931471805599453 ? log1p(-exp(x)) : log(-expm1(x));
}

// A response that is certain (mean log-probability 0) would make the odds infinite.
static double mean_logp(double sum, double n) {
    return std::min(sum/n, -1e-7);
}

void orpo_parts(const pair_logps & l, pair_loss & out) {
    const double lc = mean_logp(l.chosen_sum, l.n_chosen), lr = mean_logp(l.rejected_sum, l.n_rejected);
    out.log_odds    = (lc - lr) - (log1mexp(lc) - log1mexp(lr));
    out.log_sigmoid = log_sigmoid(out.log_odds);
    out.nll         = l.has_prompt ? -(l.prompt_sum + l.chosen_sum)/(l.n_prompt + l.n_chosen) : NAN;
}

pair_loss orpo_loss(const pair_logps & l, double beta) {
    pair_loss out;
    orpo_parts(l, out);
    const double lc = mean_logp(l.chosen_sum, l.n_chosen), lr = mean_logp(l.rejected_sum, l.n_rejected);
    const double d_log_odds = -beta*sigmoid(-out.log_odds);         // d loss / d log_odds
    const double d_nll = -1/(l.n_prompt + l.n_chosen);
    // d log_odds / d lc = 1 + exp(lc)/(1 - exp(lc)) = 1/(1 - exp lc)
    out.loss       = out.nll - beta*out.log_sigmoid;
    out.d_prompt   = d_nll;
    out.d_chosen   = d_nll + d_log_odds/-expm1(lc)/l.n_chosen;
    out.d_rejected = -d_log_odds/-expm1(lr)/l.n_rejected;
    out.reward_chosen   = beta*lc;
    out.reward_rejected = beta*lr;
    return out;
}
