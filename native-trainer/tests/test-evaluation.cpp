// eval_pairs: the numbers are TRL's and those of `score`, training does not notice, an interrupted run evaluates at the same steps.
#include "common.h"
#include "loss-config.h"

#include <chrono>
#include <cmath>

static json run_config(const std::string & loss, const std::string & name) {
    json config = golden_config("", loss);
    config["adapter_out"] = tmp_file(name + ".gguf");
    config["max_steps"] = 6;
    config["learning_rate"] = 1e-3;
    config["lora"] = {{"dropout", 0.1}};
    config["checkpoint"] = {{"path", tmp_file(name + ".checkpoint")}, {"every_steps", 1}};
    return config;
}

static json with_evaluation(json config, int every) {
    config["eval_pairs"] = fixture("pairs-masked.jsonl");
    config["eval_every_steps"] = every;
    return config;
}

static std::vector<int64_t> steps_of(const std::vector<json> & evaluations) {
    std::vector<int64_t> steps;
    for (const json & e : evaluations) {
        steps.push_back(e.at("step").get<int64_t>());
    }
    return steps;
}

// The same but for the time that it took.
static json numbers_of(json evaluation) {
    evaluation.erase("eval_runtime");
    evaluation.erase("eval_samples_per_second");
    return evaluation;
}

static json score_of(const std::string & loss, const json & config, const std::string & adapter) {
    json scored = golden_config("", loss);
    scored["adapter_in"] = adapter;
    scored["pairs"] = config.at("eval_pairs");
    return *run_trainer("score", scored).last();
}

static void check_against_score(const std::string & what, const json & evaluation, const json & score) {
    check_error(what + ", loss", relative_error(evaluation.at("eval_loss"), score.at("loss")), 1e-6*test_tolerance());
    if (score.at("rewards/margins").is_null()) {
        check(!evaluation.contains("eval_rewards/margins"), what + ": no rewards");
        return;
    }
    check_error(what + ", margins", fabs(evaluation.at("eval_rewards/margins").get<double>() - score.at("rewards/margins").get<double>()), 1e-5*test_tolerance());
    check_error(what + ", accuracies", fabs(evaluation.at("eval_rewards/accuracies").get<double>() - score.at("rewards/accuracies").get<double>()), 1e-12);
}

static void test_loss(const std::string & loss) {
    const json plain = run_config(loss, loss + "-plain"), config = with_evaluation(run_config(loss, loss + "-evaluated"), 2);
    const trainer_output without = run_trainer("train", plain), with = run_trainer("train", config);
    const std::vector<json> evaluations = with.of("evaluation");
    check(with.exit == EXIT_DONE && steps_of(evaluations) == std::vector<int64_t>({0, 2, 4, 6}), loss + ": evaluated at the start, every 2 steps and at the end: " + with.text.substr(0, 600));
    check(read_tensors(plain.at("adapter_out")) == read_tensors(config.at("adapter_out")), loss + ": training does not notice, dropout included");
    check(with.of("hello").at(0).at("eval_pairs").at("used") == 12 && without.of("hello").at(0).at("eval_pairs").is_null(), loss + ": hello counts the pairs");
    if (evaluations.size() != 4) {
        return;
    }
    check_against_score(loss + " at the start = score of adapter_in", evaluations.front(), score_of(loss, config, config.at("adapter_in")));
    check_against_score(loss + " at the end = score of the result", evaluations.back(), score_of(loss, config, config.at("adapter_out")));
    check(evaluations.front().contains("eval_log_odds_ratio") == (loss == "orpo"), loss + ": the odds are ORPO's");
    check(evaluations.front().contains("eval_nll_loss") == loss_reports_nll(loss_from_json(golden_loss(loss))), loss + ": the NLL is told where it is a part");

    const json ends = with_evaluation(run_config(loss, loss + "-ends"), 0);
    const std::vector<json> two = run_trainer("train", ends).of("evaluation");
    check(steps_of(two) == std::vector<int64_t>({0, 6}) && numbers_of(two.back()) == numbers_of(evaluations.back()), loss + ": without eval_every_steps only at the start and the end");
}

static void test_golden() {
    double loss = 0, chosen = 0;
    const json golden = read_json(fixture("golden-masked.json")).at("pairs");
    for (const json & pair : golden) {
        loss   += pair.at("orpo").at("loss").get<double>()/(double) golden.size();
        chosen += pair.at("chosen_logp_mean").get<double>()/(double) golden.size();
    }
    json config = with_evaluation(run_config("orpo", "golden"), 0);
    config["max_steps"] = 1;
    const json evaluation = run_trainer("train", config).of("evaluation").at(0);
    check_error("eval_loss at the start = golden", relative_error(evaluation.at("eval_loss"), loss), 1e-5*test_tolerance());
    check_error("eval_logps/chosen at the start = golden", relative_error(evaluation.at("eval_logps/chosen"), chosen), 1e-5*test_tolerance());
}

// Stopped in an evaluation or after any step, a run that goes on has made the same evaluations, each at least once.
static void test_resume(const std::string & loss) {
#ifndef _WIN32
    const json whole = with_evaluation(run_config(loss, loss + "-whole"), 2);
    std::map<int64_t, json> expected, found;
    const auto start = std::chrono::steady_clock::now();
    for (const json & e : run_trainer("train", whole).of("evaluation")) {
        expected[e.at("step")] = numbers_of(e);
    }
    const double whole_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); // a GPU's start alone takes one
    json config = with_evaluation(run_config(loss, loss + "-resumed"), 2);
    config["resume"] = true;
    int n_starts = 0, exit = -1;
    for (; n_starts < 40 && exit != EXIT_DONE; n_starts++) {
        // a little more each time: reaches from the start into the last evaluation
        const std::string seconds = std::to_string(whole_seconds*(0.1 + 0.08*n_starts));
        const trainer_output out = run_trainer("train", config, "timeout --preserve-status -s INT " + seconds + " ");
        exit = out.exit;
        for (const json & e : out.of("evaluation")) {
            found[e.at("step")] = numbers_of(e);
        }
        check(out.exit == EXIT_DONE || out.exit == EXIT_STOPPED || out.exit == 128 + 2, loss + ": exit " + std::to_string(out.exit) + " " + out.text.substr(0, 300));
    }
    printf("%s: finished in %d starts\n", loss.c_str(), n_starts);
    check(found == expected, loss + ": the same evaluations");
    check(read_tensors(whole.at("adapter_out")) == read_tensors(config.at("adapter_out")), loss + ": and the same adapter");
#endif
}

static void test_cached_reference() {
    json config = with_evaluation(run_config("exo", "cached"), 2);
    config["reference_cache"] = tmp_file("cache");
    const trainer_output first = run_trainer("train", config), second = run_trainer("train", config);
    check(second.of("reference").back().at("cached") == second.of("reference").back().at("pairs"), "the references of evaluation pairs are cached: " + second.text.substr(0, 500));
    check(numbers_of(first.of("evaluation").back()) == numbers_of(second.of("evaluation").back()), "with the same numbers");
}

int main() {
    skip_without_device();
    test_golden();
    for (const char * loss : {"orpo", "exo", "ipo", "sft", "dpo-sft"}) {
        test_loss(loss);
    }
    for (const char * loss : {"orpo", "exo", "dpo-sft"}) {
        test_resume(loss);
    }
    test_cached_reference();
    return test_result();
}
