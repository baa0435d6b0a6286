// Preference losses of one pair, computed on the host in double. Each loss is linear in the token log-probabilities of a
// sequence once its coefficients are known, so a loss returns one coefficient d loss / d logp for each kind of token.
#pragma once

#include "config.h"

#include <vector>

// Sums over the tokens that carry loss (mask 1) and their counts.
struct pair_logps {
    double prompt_sum   = 0, chosen_sum = 0, rejected_sum = 0;
    double n_prompt     = 0, n_chosen   = 0, n_rejected   = 0; // prompt targets: all prompt tokens but the first
    double ref_chosen_sum = 0, ref_rejected_sum = 0;           // reference model, EXO
    bool   has_prompt   = false;
    bool   has_reference = false;
    std::vector<float> chosen, rejected, ref_chosen, ref_rejected; // of the single tokens, in order
};

struct pair_loss {
    double loss = 0;
    double d_prompt = 0, d_chosen = 0, d_rejected = 0;         // d loss / d logp of one such token
    double reward_chosen = 0, reward_rejected = 0;             // TRL's rewards/chosen, rewards/rejected
    double nll = 0, log_odds = 0, log_sigmoid = 0;             // ORPO parts, for the records
};

double log_sigmoid(double x);
double sigmoid(double x);

// The parts of ORPO that do not depend on the loss in use: reported for every pair.
void      orpo_parts(const pair_logps & l, pair_loss & out);
pair_loss orpo_loss (const pair_logps & l, double beta);
pair_loss exo_loss  (const pair_logps & l, double beta, double label_smoothing);

pair_loss pair_loss_compute(const train_config & config, const pair_logps & l);
