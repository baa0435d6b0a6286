// SFT: the mean negative log-probability of the chosen row, the rejected response is only watched (TRL: SFTTrainer, and DPOTrainer's
// loss_type "sft", which is that with completion_only_loss). Prompt and chosen response by default, like the NLL of ORPO; with
// completion_only_loss the chosen response alone.
//
//   loss = -(sum over prompt targets + sum over chosen) / (n_prompt + n_chosen)
#include "losses.h"

static pair_loss compute(const pair_logps & l, const loss_settings & s) {
    const bool chosen_only = s.completion_only_loss != 0;
    pair_loss out;
    out.nll      = chosen_only ? -l.chosen_mean() : nll_of_chosen_row(l);
    out.loss     = out.nll;
    out.d_chosen = -1/(chosen_only ? l.n_chosen : l.n_prompt + l.n_chosen);
    out.d_prompt = chosen_only ? 0 : out.d_chosen;
    return out;
}

static bool needs_prompt(const loss_settings & s) {
    return s.completion_only_loss == 0;
}

const loss_spec LOSS_SFT = {
    "sft",
    /*needs_reference =*/ false,
    /*compares =*/ false,
    /*reports_means =*/ true,
    /*reports_nll =*/ true,
    /*reports_odds =*/ false,
    /*learning_rate =*/ 2e-5,
    /*max_grad_norm =*/ 1.0,
    {{"completion_only_loss", &loss_settings::completion_only_loss, 0, 0, 1, /*is_flag =*/ true}},
    needs_prompt,
    compute,
    loss_value_nowhere,
    /*start_formula =*/ nullptr,
};
