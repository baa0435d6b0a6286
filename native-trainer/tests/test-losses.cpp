// The two losses and their derivatives on hand-picked scalars, against TRL (ORPO) and PyTorch (EXO) in F32.
#include "common.h"

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
    test_extremes();
    return test_result();
}
