// What is logged of some pairs: means, under TRL's names.
#pragma once

#include "loss.h"
#include "protocol.h"

struct pair_metrics {
    double loss = 0, nll = 0, log_odds = 0, log_sigmoid = 0;
    double reward_chosen = 0, reward_rejected = 0, accuracy = 0;
    double logp_chosen = 0, logp_rejected = 0;
    int64_t tokens = 0;
};

void metrics_add(pair_metrics & m, const loss_sum & loss, const pair_logps & l, const pair_loss & value, double weight);

// Adds "loss", "rewards/margins" ... to an event, each with the prefix before it.
void metrics_report(json & event, const pair_metrics & m, const loss_sum & loss, const std::string & prefix = "");
