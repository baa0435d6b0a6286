// EXO: Ji et al., "Towards Efficient Exact Optimization of Language Model Alignment", arXiv 2402.00856, eq. 16 with K = 2
// (TRL: loss_type "exo_pair"). Sums of log-probabilities over the response, no length normalisation.
//
//   d    = beta * ((chosen - ref_chosen) - (rejected - ref_rejected)),  q = sigmoid(d)
//   loss = q (log q - log(1 - eps)) + (1 - q) (log(1 - q) - log eps),   eps = label_smoothing
//   d loss / d d = q (1 - q) (d - log((1 - eps)/eps))
#include "loss.h"

#include <cmath>

pair_loss exo_loss(const pair_logps & l, double beta, double label_smoothing) {
    pair_loss out;
    orpo_parts(l, out);
    out.reward_chosen   = beta*(l.chosen_sum   - l.ref_chosen_sum);
    out.reward_rejected = beta*(l.rejected_sum - l.ref_rejected_sum);
    const double d = out.reward_chosen - out.reward_rejected;
    const double q = sigmoid(d), not_q = sigmoid(-d);
    out.loss = q*(log_sigmoid(d) - log1p(-label_smoothing)) + not_q*(log_sigmoid(-d) - log(label_smoothing));
    const double d_d = q*not_q*(d - (log1p(-label_smoothing) - log(label_smoothing)));
    out.d_chosen   =  beta*d_d;
    out.d_rejected = -beta*d_d;
    return out;
}

pair_loss pair_loss_compute(const train_config & config, const pair_logps & l) {
    return config.loss == loss_type::orpo ? orpo_loss(l, config.beta) : exo_loss(l, config.beta, config.label_smoothing);
}
