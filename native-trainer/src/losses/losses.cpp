#include "losses.h"

#include <algorithm>

double sigmoid(double x) {
    return x >= 0 ? 1/(1 + exp(-x)) : exp(x)/(1 + exp(x));
}

double log_sigmoid(double x) {
    return x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x));
}

double nll_of_chosen_row(const pair_logps & l) {
    return l.has_prompt ? -(l.prompt_sum + l.chosen_sum)/(l.n_prompt + l.n_chosen) : NAN;
}

// log(1 - exp x) for x < 0 without cancellation
static double log1mexp(double x) {
    return x < -0.6931471805599453 ? log1p(-exp(x)) : log(-expm1(x));
}

odds odds_of(const pair_logps & l) {
    // a response that is certain (mean log-probability 0) would make the odds infinite
    const double lc = std::min(l.chosen_mean(), -1e-7), lr = std::min(l.rejected_mean(), -1e-7);
    return {lc, lr, (lc - lr) - (log1mexp(lc) - log1mexp(lr))};
}

reference_rewards rewards_against_reference(const pair_logps & l, double beta) {
    return {beta*(l.chosen_sum - l.ref_chosen_sum), beta*(l.rejected_sum - l.ref_rejected_sum)};
}

pair_loss loss_of_margin(const reference_rewards & r, double value, double d_margin, double beta) {
    pair_loss out;
    out.loss       = value;
    out.d_chosen   =  beta*d_margin;
    out.d_rejected = -beta*d_margin;
    out.reward_chosen   = r.chosen;
    out.reward_rejected = r.rejected;
    return out;
}
