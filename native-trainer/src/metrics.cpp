#include "metrics.h"

void metrics_add(pair_metrics & m, const loss_sum & loss, const pair_logps & l, const pair_loss & value, double weight) {
    const bool means = loss_reports_means(loss);
    m.loss            += weight*value.loss;
    m.nll             += weight*value.nll;
    m.log_odds        += weight*value.log_odds;
    m.log_sigmoid     += weight*value.log_sigmoid;
    m.reward_chosen   += weight*value.reward_chosen;
    m.reward_rejected += weight*value.reward_rejected;
    m.accuracy        += weight*(value.reward_chosen > value.reward_rejected);
    m.logp_chosen     += weight*l.chosen_sum/(means ? l.n_chosen : 1);
    m.logp_rejected   += weight*l.rejected_sum/(means ? l.n_rejected : 1);
}

void metrics_report(json & event, const pair_metrics & m, const loss_sum & loss, const std::string & prefix) {
    event[prefix + "loss"] = m.loss;
    if (loss_reports_nll(loss)) {
        event[prefix + "nll_loss"]        = m.nll;
    }
    if (loss_reports_odds(loss)) {
        event[prefix + "log_odds_ratio"]  = m.log_sigmoid; // TRL's name for the mean of log sigmoid(log_odds)
        event[prefix + "log_odds_chosen"] = m.log_odds;
    }
    if (loss_compares(loss)) {
        event[prefix + "rewards/chosen"]     = m.reward_chosen;
        event[prefix + "rewards/rejected"]   = m.reward_rejected;
        event[prefix + "rewards/margins"]    = m.reward_chosen - m.reward_rejected;
        event[prefix + "rewards/accuracies"] = m.accuracy;
    }
    event[prefix + "logps/chosen"]       = m.logp_chosen;
    event[prefix + "logps/rejected"]     = m.logp_rejected;
}
