// Weighted sums of losses.
#include "losses.h"

#include <algorithm>
#include <cstdio>

template <typename F>
static bool any_part(const loss_sum & sum, F test) {
    return std::any_of(sum.begin(), sum.end(), test);
}

pair_loss loss_compute(const loss_sum & sum, const pair_logps & l) {
    pair_loss out;
    for (const loss_part & part : sum) {
        const pair_loss one = part.spec->compute(l, part.settings);
        out.loss       += part.weight*one.loss;
        out.d_prompt   += part.weight*one.d_prompt;
        out.d_chosen   += part.weight*one.d_chosen;
        out.d_rejected += part.weight*one.d_rejected;
        out.nll = std::isnan(out.nll) ? one.nll : out.nll;
        if (std::isnan(out.reward_chosen) && part.spec->compares) {
            out.reward_chosen   = one.reward_chosen;
            out.reward_rejected = one.reward_rejected;
        }
    }
    // told of every pair, whatever the loss
    out.nll         = std::isnan(out.nll) ? nll_of_chosen_row(l) : out.nll;
    out.log_odds    = odds_of(l).log_odds;
    out.log_sigmoid = log_sigmoid(out.log_odds);
    return out;
}

bool loss_needs_reference(const loss_sum & sum) {
    return any_part(sum, [](const loss_part & part) { return part.spec->needs_reference; });
}

bool loss_needs_prompt(const loss_sum & sum) {
    return any_part(sum, [](const loss_part & part) { return part.spec->needs_prompt(part.settings); });
}

double loss_at_start(const loss_sum & sum) {
    double value = 0;
    for (const loss_part & part : sum) {
        value += part.weight*part.spec->at_start(part.settings);
    }
    return value;
}

bool loss_compares(const loss_sum & sum) {
    return any_part(sum, [](const loss_part & part) { return part.spec->compares; });
}

bool loss_reports_means(const loss_sum & sum) {
    for (const loss_part & part : sum) {
        if (part.spec->compares) {
            return part.spec->reports_means;
        }
    }
    return true;
}

bool loss_reports_nll(const loss_sum & sum) {
    return any_part(sum, [](const loss_part & part) { return part.spec->reports_nll; });
}

bool loss_reports_odds(const loss_sum & sum) {
    return any_part(sum, [](const loss_part & part) { return part.spec->reports_odds; });
}

std::string loss_label(const loss_sum & sum) {
    std::string label;
    for (const loss_part & part : sum) {
        char weight[32];
        snprintf(weight, sizeof(weight), "%g ", part.weight);
        label += (label.empty() ? "" : " + ") + std::string(part.weight == 1 ? "" : weight) + part.spec->name;
    }
    return label;
}
