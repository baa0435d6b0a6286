// native-trainer score gives TRL's numbers: every pair of every golden set and loss, with and without masks.
#include "common.h"

#include <cmath>

static const double LIMIT = 1e-5;

static std::vector<json> score(const json & config) {
    const trainer_output out = run_trainer("score", config);
    check(out.exit == EXIT_DONE && out.last() && out.last()->at("event") == "done", "score ends with done: " + out.text.substr(0, 400));
    return out.of("pair");
}

// Differences of log-probabilities are compared relative to the log-probabilities that they are made of.
static double pair_error(const json & event, const json & golden, const std::vector<std::string> & keys, double beta) {
    const double sum = fabs(golden.at("chosen_logp_sum").get<double>()), mean = fabs(golden.at("chosen_logp_mean").get<double>());
    const bool exo = event.at("ref_chosen_logp_sum").is_number();
    double worst = 0;
    for (const std::string & key : keys) {
        const double scale = key == "log_odds" ? mean : exo && (key == "reward_margin" || key == "loss") ? beta*sum : 0;
        const double error = relative_error(event.at(key).get<double>(), golden.at(key).get<double>(), scale);
        worst = error <= worst ? worst : error;
    }
    return worst;
}

static void compare(const std::string & what, const std::vector<json> & events, const json & pairs, const char * part, const std::vector<std::string> & keys, double beta) {
    check(events.size() == pairs.size() && !events.empty(), what + ": one event for each pair");
    double worst = 0;
    for (size_t i = 0; i < std::min(events.size(), pairs.size()); i++) {
        json golden = pairs[i];
        if (part) {
            golden.update(pairs[i].at(part)); // masked goldens keep ORPO's and EXO's values apart
        }
        const double error = pair_error(events[i], golden, keys, beta);
        worst = error <= worst ? worst : error;
    }
    check_error(what, worst, LIMIT*test_tolerance());
}

static const std::vector<std::string> ORPO_KEYS = {"chosen_logp_sum", "chosen_logp_mean", "rejected_logp_sum", "rejected_logp_mean", "nll", "log_odds", "loss"};
static const std::vector<std::string> EXO_KEYS  = {"chosen_logp_sum", "chosen_logp_mean", "rejected_logp_sum", "rejected_logp_mean", "ref_chosen_logp_sum", "ref_rejected_logp_sum", "reward_margin", "loss"};

// The other losses: all pairs of two models, with and without masks, against TRL's losses and rewards.
static void compare_losses(const std::string & set) {
    for (const json & run : golden_runs(set)) {
        const std::string tag = run.at("tag");
        for (const char * data : {"pairs", "masked"}) {
            const json & golden = run.at(data);
            const std::vector<json> events = score(golden_config(set, tag, data == std::string("masked")));
            check(events.size() == golden.size() && !events.empty(), tag + ": one event for each pair");
            const double beta = run.at("settings").value("beta", 0.0);
            double worst = 0;
            for (size_t i = 0; i < std::min(events.size(), golden.size()); i++) {
                // a loss is made of differences of log-probabilities, sums or means as TRL logs them
                const double scale = beta*fabs(golden[i].value("logps/chosen", 0.0));
                double error = relative_error(events[i].at("loss"), golden[i].at("loss"), scale);
                if (golden[i].contains("rewards/margins")) {
                    error = std::max(error, relative_error(events[i].at("reward_margin"), golden[i].at("rewards/margins"), scale));
                } else {
                    check(events[i].at("reward_margin").is_null(), tag + " has no rewards");
                }
                worst = error <= worst ? worst : error;
            }
            check_error(tag + " " + data + " " + set, worst, LIMIT*test_tolerance());
        }
    }
}

int main() {
    skip_without_device();
    for (const char * set : golden_sets()) {
        compare(std::string("orpo ") + set, score(golden_config(set, "orpo")), read_json(fixture(golden_name("golden-orpo", set) + ".json")).at("pairs"), nullptr, ORPO_KEYS, 0.1);
    }
    for (const char * set : golden_exo_sets()) {
        const json golden = read_json(fixture(golden_name("golden-exo", set) + ".json"));
        for (const json & run : golden.at("runs")) {
            json config = golden_config(set, "exo");
            config["beta"] = run.at("beta");
            config["label_smoothing"] = run.at("label_smoothing");
            compare(std::string("exo ") + set + " beta " + run.at("beta").dump(), score(config), run.at("pairs"), nullptr, EXO_KEYS, run.at("beta"));
        }
    }
    for (const char * set : golden_masked_sets()) {
        const json masked = read_json(fixture(golden_name("golden-masked", set) + ".json")).at("pairs");
        compare(std::string("orpo masked ") + set, score(golden_config(set, "orpo", true)), masked, "orpo", ORPO_KEYS, 0.1);
        compare(std::string("exo masked ") + set,  score(golden_config(set, "exo",  true)), masked, "exo",  EXO_KEYS,  0.1);
    }
    for (const char * set : golden_losses_sets()) {
        compare_losses(set);
    }
    return test_result();
}
