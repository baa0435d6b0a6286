// Preference losses of one pair, computed on the host in double. Each is a function of summed or averaged log-probabilities of
// prompt, chosen and rejected rows, so it returns one coefficient d loss / d logp for each kind of row and nothing else of the
// trainer knows which loss it is: what a loss needs and how it is reported is said by its spec, one file a loss in losses/.
#pragma once

#include <cmath>
#include <string>
#include <vector>

// Sums over the tokens that carry loss (mask 1) and their counts.
struct pair_logps {
    double prompt_sum   = 0, chosen_sum = 0, rejected_sum = 0;
    double n_prompt     = 0, n_chosen   = 0, n_rejected   = 0; // prompt targets: all prompt tokens but the first
    double ref_chosen_sum = 0, ref_rejected_sum = 0;           // of the reference model
    bool   has_prompt    = false;                              // the prompt's rows were computed
    bool   has_reference = false;
    std::vector<float> chosen, rejected, ref_chosen, ref_rejected; // of the single tokens, in order

    double chosen_mean()   const { return chosen_sum/n_chosen; }
    double rejected_mean() const { return rejected_sum/n_rejected; }
    void   set_reference(double chosen_logp, double rejected_logp) {
        ref_chosen_sum   = chosen_logp;
        ref_rejected_sum = rejected_logp;
        has_reference    = true;
    }
};

struct pair_loss {
    double loss = 0;
    double d_prompt = 0, d_chosen = 0, d_rejected = 0;         // d loss / d logp of one such token
    double reward_chosen = NAN, reward_rejected = NAN;         // TRL's rewards/chosen, rewards/rejected
    double nll = NAN, log_odds = NAN, log_sigmoid = NAN;       // for the records; log_sigmoid of log_odds
};

// ---- one loss

struct loss_settings {
    double beta            = 0;
    double label_smoothing = 0;
    double gamma           = 0;
    double completion_only_loss = 0;                           // a flag
};

// One key of the config: the default and the range of a number, or a flag.
struct loss_setting {
    const char * key;
    double       loss_settings::* field;
    double       value, low, high;
    bool         is_flag = false;
};

struct loss_spec {
    const char * name;
    bool         needs_reference;  // compares with the reference model; its forward passes use finer products
    bool         compares;         // gives chosen and rejected a reward
    bool         reports_means;    // logps/chosen and logps/rejected per token, as TRL's trainer of this loss logs them; else sums
    bool         reports_nll;      // nll_loss is a part of it
    bool         reports_odds;     // log_odds_ratio and log_odds_chosen are parts of it
    double       learning_rate, max_grad_norm; // when the config says none
    std::vector<loss_setting> settings;
    bool      (*needs_prompt)(const loss_settings & s);        // the log-probabilities of the prompt's own tokens
    pair_loss (*compute)(const pair_logps & l, const loss_settings & s);
    double    (*at_start)(const loss_settings & s);            // value while the policy equals its reference; NAN when it depends on the pair
    const char * start_formula;                                // the same for people; null: none
};

// Every loss there is; the first is what a config without "loss" means. A new one is a file in losses/ and a line in losses/table.cpp.
const std::vector<const loss_spec *> & loss_specs();
const loss_spec * loss_find(const std::string & name);         // null: there is none
loss_settings     loss_defaults(const loss_spec & spec);
double            loss_value_nowhere(const loss_settings & s); // for at_start
bool              loss_rows_of_responses(const loss_settings & s); // for needs_prompt: no

// ---- what a run minimises: one loss or a weighted sum of some

struct loss_part {
    const loss_spec * spec;
    double            weight;
    loss_settings     settings;
};

using loss_sum = std::vector<loss_part>;

pair_loss loss_compute(const loss_sum & sum, const pair_logps & l);
bool      loss_needs_reference(const loss_sum & sum);
bool      loss_needs_prompt(const loss_sum & sum);
double    loss_at_start(const loss_sum & sum);
// What is logged: parts that any of its losses has; rewards and the form of log-probabilities are those of the first that compares.
bool      loss_compares(const loss_sum & sum);
bool      loss_reports_means(const loss_sum & sum);
bool      loss_reports_nll(const loss_sum & sum);
bool      loss_reports_odds(const loss_sum & sum);
std::string loss_label(const loss_sum & sum);                  // "exo", "dpo + 0.2 sft"
