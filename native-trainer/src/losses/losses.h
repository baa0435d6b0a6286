// The losses, one file each, and the functions that they share. All formulas are those of TRL 1.16.0 (test/fixtures/reference).
#pragma once

#include "loss.h"

extern const loss_spec LOSS_ORPO, LOSS_EXO, LOSS_DPO, LOSS_ROBUST, LOSS_IPO, LOSS_SIMPO, LOSS_SFT;

double sigmoid(double x);
double log_sigmoid(double x);

// Mean negative log-probability of prompt and chosen response.
double nll_of_chosen_row(const pair_logps & l);

// The odds of ORPO, reported for every pair: lc, lr = mean log-probabilities per response token,
// log_odds = (lc - lr) - (log(1 - exp lc) - log(1 - exp lr)).
struct odds {
    double lc, lr, log_odds;
};
odds odds_of(const pair_logps & l);

// beta * ((chosen - ref_chosen) - (rejected - ref_rejected)) of sums, with the two rewards that it is made of.
struct reference_rewards {
    double chosen, rejected;
    double margin() const { return chosen - rejected; }
};
reference_rewards rewards_against_reference(const pair_logps & l, double beta);

// A loss that depends on the margin of those rewards alone.
pair_loss loss_of_margin(const reference_rewards & r, double value, double d_margin, double beta);

// beta's range is the same everywhere
inline loss_setting beta_setting(double value) { return {"beta", &loss_settings::beta, value, 1e-9, 1e6}; }
