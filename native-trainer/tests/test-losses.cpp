// Every loss and its coefficients on hand-picked scalars, against TRL: ORPO (and EXO, from PyTorch) in F32, the others in double.
#include "common.h"
#include "loss-config.h"

#include <cmath>

static pair_loss loss_of(const char * name, const pair_logps & l, double beta, double label_smoothing = 5e-3) {
    loss_settings settings = loss_defaults(*loss_find(name));
    settings.beta = beta;
    settings.label_smoothing = label_smoothing;
    return loss_compute({{loss_find(name), 1, settings}}, l);
}

// F32 results far from zero: a relative error of a few rounding steps, with what the F32 reference can resolve as scale
static void test_orpo(const json & golden) {
    const double beta = golden.at("beta");
    double worst_loss = 0, worst_derivative = 0, worst_odds = 0;
    for (const json & row : golden.at("rows")) {
        pair_logps l;
        l.chosen_sum   = row.at("chosen_logp_mean");
        l.rejected_sum = row.at("rejected_logp_mean");
        l.n_chosen = l.n_rejected = 1;
        l.has_prompt = true; // an NLL of -chosen_sum that is taken off again below
        const pair_loss loss = loss_of("orpo", l, beta);
        const double odds_part = loss.loss - loss.nll, d_chosen = loss.d_chosen + 1, d_rejected = loss.d_rejected;
        const double scale = std::max(fabs(l.chosen_sum), fabs(l.rejected_sum));
        worst_odds = std::max(worst_odds, relative_error(loss.log_odds, row.at("log_odds"), scale));
        worst_loss = std::max(worst_loss, relative_error(odds_part, row.at("or_loss"), beta*scale));
        // log(1 - exp x) near x = 0 loses digits in the F32 reference: its own derivative is only as good as that
        worst_derivative = std::max(worst_derivative, relative_error(d_chosen,   row.at("d_or_loss_d_chosen"),   1e-3));
        worst_derivative = std::max(worst_derivative, relative_error(d_rejected, row.at("d_or_loss_d_rejected"), 1e-3));
    }
    check_error("orpo log_odds", worst_odds, 1e-5);
    check_error("orpo odds loss", worst_loss, 1e-5);
    check_error("orpo derivatives", worst_derivative, 1e-3);
}

static void test_exo(const json & golden) {
    // the F32 reference adds up terms near 1 to a derivative that can be 1e-6: the scale is what it can resolve
    double worst_loss = 0, worst_derivative = 0;
    for (const json & row : golden.at("rows")) {
        pair_logps l;
        l.chosen_sum = row.at("delta");
        l.n_chosen = l.n_rejected = l.n_prompt = 1;
        l.rejected_sum = 0;
        const double beta = row.at("beta"), label_smoothing = row.at("label_smoothing");
        const pair_loss loss = loss_of("exo", l, beta, label_smoothing);
        worst_loss       = std::max(worst_loss,       relative_error(loss.loss,     row.at("loss"), 1e-2));
        worst_derivative = std::max(worst_derivative, relative_error(loss.d_chosen, row.at("d_loss_d_delta"), 1e-3));
        check(loss.d_rejected == -loss.d_chosen, "exo derivatives of chosen and rejected are opposite");
    }
    check_error("exo loss", worst_loss, 1e-5);
    check_error("exo derivative", worst_derivative, 1e-3);
}

// TRL's own code on sums of log-probabilities up to where a naive formula overflows.
static void test_against_trl(const json & golden) {
    for (const json & run : golden.at("runs")) {
        const loss_sum loss = loss_from_json(run.at("config"));
        double worst_loss = 0, worst_coefficient = 0;
        for (const json & row : run.at("rows")) {
            pair_logps l;
            l.n_chosen = golden.at("n_chosen");
            l.n_rejected = golden.at("n_rejected");
            l.chosen_sum   = row[0];
            l.rejected_sum = row[1];
            l.set_reference(row[2], row[3]);
            const pair_loss value = loss_compute(loss, l);
            // TRL adds up a response's tokens again, which rounds a difference of sums near 1e5 at 1e-11
            worst_loss        = std::max(worst_loss,        relative_error(value.loss,       row[4], 1e-2));
            worst_coefficient = std::max(worst_coefficient, relative_error(value.d_chosen,   row[5], 1e-3));
            worst_coefficient = std::max(worst_coefficient, relative_error(value.d_rejected, row[6], 1e-3));
            check(std::isfinite(value.loss) && std::isfinite(value.d_chosen) && std::isfinite(value.d_rejected), loss_label(loss) + " is finite at extremes");
        }
        check_error(loss_label(loss) + " loss", worst_loss, 1e-8);
        check_error(loss_label(loss) + " coefficients", worst_coefficient, 1e-8);
    }
}

// While the policy equals its reference, a loss that compares with it has a value that can be written down.
static void test_at_start() {
    pair_logps l;
    l.n_prompt = 5; l.n_chosen = 3; l.n_rejected = 7;
    l.prompt_sum = -9; l.chosen_sum = -12.5; l.rejected_sum = -70.25;
    l.has_prompt = true;
    l.set_reference(l.chosen_sum, l.rejected_sum);
    for (const loss_spec * spec : loss_specs()) {
        for (double beta : {0.01, 0.1, 3.0}) {
            loss_settings settings = loss_defaults(*spec);
            settings.beta = beta;
            const pair_loss value = loss_compute({{spec, 1, settings}}, l);
            check(std::isfinite(spec->at_start(settings)) == spec->needs_reference, std::string(spec->name) + ": losses with a reference have a value at the start");
            if (spec->needs_reference) {
                check_error(std::string(spec->name) + " at the start, beta " + std::to_string(beta), relative_error(value.loss, spec->at_start(settings)), 1e-13);
                check(value.reward_chosen - value.reward_rejected == 0, std::string(spec->name) + ": and a margin of 0");
            }
        }
    }
    check_error("dpo at the start is ln 2", fabs(loss_find("dpo")->at_start(loss_defaults(*loss_find("dpo"))) - 0.69314718055994531), 1e-15);
    check_error("ipo at the start is (1/(2 beta))^2", fabs(loss_find("ipo")->at_start(loss_defaults(*loss_find("ipo"))) - 25), 1e-12);
}

// A sum is what its parts are, each with its own settings and weight.
static void test_sums() {
    const loss_sum sum = loss_from_json(json::parse(R"({"loss": [{"name": "sft", "weight": 0.25}, {"name": "exo", "weight": 3, "beta": 0.02, "label_smoothing": 0.01}]})"));
    pair_logps l;
    l.n_prompt = 4; l.n_chosen = 5; l.n_rejected = 6;
    l.prompt_sum = -8; l.chosen_sum = -20; l.rejected_sum = -30;
    l.has_prompt = true;
    l.set_reference(-22, -29);
    const pair_loss whole = loss_compute(sum, l), sft = loss_compute({{sum[0].spec, 1, sum[0].settings}}, l), exo = loss_compute({{sum[1].spec, 1, sum[1].settings}}, l);
    check(sum[1].settings.beta == 0.02 && sum[1].settings.label_smoothing == 0.01, "the parts have their own settings");
    check_error("a sum's loss", fabs(whole.loss - (0.25*sft.loss + 3*exo.loss)), 1e-15);
    check_error("a sum's coefficients", fabs(whole.d_chosen - (0.25*sft.d_chosen + 3*exo.d_chosen)) + fabs(whole.d_rejected - 3*exo.d_rejected) + fabs(whole.d_prompt - 0.25*sft.d_prompt), 1e-15);
    check(whole.reward_chosen == exo.reward_chosen && whole.reward_rejected == exo.reward_rejected, "its rewards are those of the first loss that compares");
    check(loss_needs_reference(sum) && loss_needs_prompt(sum) && !loss_reports_means(sum) && loss_reports_nll(sum) && !loss_reports_odds(sum), "it needs and reports what its parts do");
    check(loss_label(sum) == "0.25 sft + 3 exo", "its label: " + loss_label(sum));
    check(std::isnan(loss_at_start(sum)) && std::isfinite(loss_at_start({sum[1]})), "its value at the start is known when those of all parts are");
}

// Values at which a naive formula gives infinity or NaN.
static void test_extremes() {
    for (double chosen : {-1e-12, -1e-6, -1.0, -1e3, -1e6}) {
        for (double rejected : {-1e-12, -1.0, -1e6}) {
            pair_logps l;
            l.chosen_sum = chosen; l.rejected_sum = rejected;
            l.n_chosen = l.n_rejected = 1;
            l.has_prompt = true;
            const pair_loss orpo = loss_of("orpo", l, 0.1), exo = loss_of("exo", l, 10, 1e-3);
            check(std::isfinite(orpo.loss) && std::isfinite(orpo.d_chosen) && std::isfinite(orpo.d_rejected), "orpo is finite at extremes");
            check(std::isfinite(exo.loss) && std::isfinite(exo.d_chosen), "exo is finite at extremes");
        }
    }
}

int main() {
    const json golden = read_json(fixture("golden-scalars.json"));
    test_orpo(golden.at("orpo"));
    test_exo(golden.at("exo"));
    test_against_trl(read_json(fixture("golden-loss-scalars.json")));
    test_at_start();
    test_sums();
    test_extremes();
    return test_result();
}
