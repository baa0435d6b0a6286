// Gradients against TRL: all entries for one pair, the norm of every tensor for one pair, the total norm for every pair.
#include "common.h"

#include <cmath>

static double total_norm(test_policy & t, size_t pair) {
    policy_loss(t.p, t.config, t.set.pairs[pair], true);
    return norm_of(gradients_of(t.p));
}

static void compare_pairs(const std::string & what, test_policy & t, const json & pairs, const char * part, double limit) {
    double worst = 0;
    for (size_t i = 0; i < pairs.size(); i++) {
        const double expected = (part ? pairs[i].at(part) : pairs[i]).at("grad_norm");
        const double error = relative_error(total_norm(t, i), expected);
        worst = error <= worst ? worst : error;
    }
    check_error(what + ", norm of each pair", worst, limit*test_tolerance());
}

static void compare_tensor_norms(const std::string & what, test_policy & t, const json & golden, double limit) {
    policy_loss(t.p, t.config, t.set.pairs[0], true);
    const auto gradients = gradients_of(t.p);
    const json & norms = golden.at("per_tensor");
    check(gradients.size() == norms.size(), what + ": the same tensors");
    double worst = 0;
    for (const auto & g : gradients) {
        const double error = relative_error(norm_of({g}), norms.at(g.first).get<double>());
        worst = error <= worst ? worst : error;
    }
    check_error(what + ", norm of each tensor", worst, limit*test_tolerance());
}

static void compare_entries(const std::string & what, test_policy & t, const std::string & file, double limit) {
    policy_loss(t.p, t.config, t.set.pairs[0], true);
    const auto golden = read_tensors(fixture(file));
    check_error(what + ", all entries", distance_of(gradients_of(t.p), golden)/norm_of(golden), limit*test_tolerance());
}

static void test_orpo(const std::string & set) {
    test_policy t;
    test_policy_open(t, golden_config(set, "orpo"));
    const json golden = read_json(fixture(golden_name("golden-orpo", set) + ".json"));
    compare_pairs("orpo " + set, t, golden.at("pairs"), nullptr, 1e-4);
    compare_tensor_norms("orpo " + set, t, golden.at("grad_pair0"), 1e-4);
    if (set.empty()) {
        compare_entries("orpo", t, "grad-orpo-pair0.gguf", 1e-4);
    }
    test_policy_close(t);
}

static void test_exo(const std::string & set) {
    const json golden = read_json(fixture(golden_name("golden-exo", set) + ".json"));
    for (const json & run : golden.at("runs")) {
        json config = golden_config(set, "exo");
        config["beta"] = run.at("beta");
        config["label_smoothing"] = run.at("label_smoothing");
        test_policy t;
        test_policy_open(t, config);
        const std::string what = "exo " + set + " beta " + run.at("beta").dump();
        compare_pairs(what, t, run.at("pairs"), nullptr, 1e-3);
        compare_tensor_norms(what, t, run.at("grad_pair0"), 1e-3);
        if (set.empty() && run.at("beta") == 0.1) {
            compare_entries(what, t, "grad-exo-b0.1-pair0.gguf", 1e-3);
        }
        test_policy_close(t);
    }
}

static void test_masked(const std::string & set, const std::string & loss, double limit) {
    test_policy t;
    test_policy_open(t, golden_config(set, loss, /*masked =*/ true));
    compare_pairs(loss + " masked " + set, t, read_json(fixture(golden_name("golden-masked", set) + ".json")).at("pairs"), loss.c_str(), limit);
    test_policy_close(t);
}

// The other losses and sums: the norm of each pair's gradient, masked ones too, and of every tensor of the first pair's.
static void test_losses() {
    for (const json & run : golden_runs("")) {
        const std::string tag = run.at("tag");
        for (const char * data : {"pairs", "masked"}) {
            test_policy t;
            test_policy_open(t, golden_config("", tag, data == std::string("masked")));
            const double limit = loss_needs_reference(t.config.loss) ? 1e-3 : 1e-4; // differences of long sums cancel
            compare_pairs(tag + " " + data, t, run.at(data), nullptr, limit);
            if (data == std::string("pairs")) {
                compare_tensor_norms(tag, t, {{"per_tensor", run.at("grad_pair0")}}, limit);
            }
            test_policy_close(t);
        }
    }
}

int main() {
    skip_without_device();
    for (const char * set : golden_sets()) {
        test_orpo(set);
    }
    for (const char * set : golden_exo_sets()) {
        test_exo(set);
    }
    for (const char * set : golden_masked_sets()) {
        test_masked(set, "orpo", 1e-4);
        test_masked(set, "exo", 1e-3);
    }
    test_losses();
    return test_result();
}
