// The CPU's kernels as a whole: loss and gradients of a small model with each instruction set against ggml's operators in F32.
// The shapes leave a tail everywhere: odd lengths and ranks, sizes that fill no panel.
#include "common.h"
#include "cpu/dispatch.h"
#include "random-model.h"

#include <cmath>
#include <cstdlib>

typedef std::map<std::string, std::vector<float>> tensors;

struct case_shape {
    const char * name;
    int64_t n_embd, n_ff, n_head, n_head_kv, head_dim;
    int     r, n_prompt, n_chosen, n_rejected;
    ggml_type type;
};

static const case_shape CASES[] = {
    {"head_dim 32",  96,  160, 3, 1, 32,  5,  12, 20, 17, GGML_TYPE_F32},
    {"head_dim 64",  192, 352, 3, 3, 64,  16, 70, 67, 131, GGML_TYPE_Q8_0},
    {"head_dim 80",  160, 96,  4, 2, 80,  7,  1,  66, 3,  GGML_TYPE_F16},
    {"head_dim 128", 256, 256, 2, 1, 128, 3,  65, 1,  40, GGML_TYPE_Q4_K},
    {"head_dim 256", 64, 128, 2, 1, 256, 4,  20, 9,  31, GGML_TYPE_F32},
    {"odd sizes",    90,  70,  5, 5, 18,  1,  33, 9,  8,  GGML_TYPE_BF16},
};

static void choose(const char * isa) {
#if defined(_WIN32)
    _putenv_s("PREFLEXOR_CPU_ISA", isa);
#else
    setenv("PREFLEXOR_CPU_ISA", isa, 1);
#endif
}

static tensors gradient(const case_shape & c, const std::string & loss, const char * precision, double dropout, double & value) {
    test_policy t;
    test_policy_open(t, {{"model", tmp_file("model.gguf")}, {"pairs", tmp_file("pairs.jsonl")}, {"device", "cpu"}, {"threads", 2}, {"precision", precision},
        {"loss", loss}, {"lora", {{"r", c.r}, {"dropout", dropout}, {"targets", {"q", "v", "o", "gate", "up", "down"}}}}});
    fill_b(t.p.lora, 0.05f);
    policy_dropout_on(t.p, 3, 0, 0);
    value = policy_loss(t.p, t.config, t.set.pairs[0], true).loss;
    policy_dropout_off(t.p);
    const tensors result = gradients_of(t.p);
    test_policy_close(t);
    return result;
}

static void test_case(const case_shape & c, const std::string & loss, double dropout) {
    random_model m;
    m.n_embd = c.n_embd, m.n_ff = c.n_ff, m.n_head = c.n_head, m.n_head_kv = c.n_head_kv, m.head_dim = c.head_dim;
    m.type = c.type;
    m.embd_type = GGML_TYPE_F32;
    m.n_vocab = 611;
    m.n_layer = 3;
    random_model_write(m, tmp_file("model.gguf"));
    random_pairs_write(tmp_file("pairs.jsonl"), 1, c.n_prompt, c.n_chosen, c.n_rejected, 611);
    double expected_loss = 0, value = 0;
    choose("ggml");
    const tensors expected = gradient(c, loss, "f32", dropout, expected_loss);
    for (const cpu_kernels * k : cpu_kernels_available()) {
        choose(k->name);
        const std::string name = std::string(c.name) + ", " + loss + (dropout > 0 ? ", dropout, " : ", ") + k->name;
        const tensors exact = gradient(c, loss, "f32", dropout, value);
        check_error(name + ", f32 loss", relative_error(value, expected_loss), 1e-5);
        check_error(name + ", f32 gradient", distance_of(exact, expected)/norm_of(expected), 1e-4);
        const tensors fast = gradient(c, loss, "auto", dropout, value);
        // EXO's is a function of a small difference between large sums of log-probabilities, with finer products in the forward pass
        check_error(name + ", auto loss", relative_error(value, expected_loss), loss == "exo" ? 5e-3 : 2e-3);
        check_error(name + ", auto gradient", distance_of(fast, expected)/norm_of(expected), 0.02);
        check_error(name + ", auto 1 - cosine", 1 - cosine_of(fast, expected), 5e-4);
        if (loss == "orpo") { // EXO's "auto" is as fine
            const double own = distance_of(fast, expected);
            const tensors fine = gradient(c, loss, "fine", dropout, value);
            check_error(name + ", fine loss", relative_error(value, expected_loss), 5e-4);
            check_error(name + ", fine gradient", distance_of(fine, expected)/norm_of(expected), 0.015);
            check(distance_of(fine, expected) <= own, name + ": fine is no coarser than auto");
        }
        check(gradient(c, loss, "auto", dropout, value) == fast, name + ": the same bits again");
    }
}

// The goldens' models (tied and untied, biases, q/k norms) with products in BF16 where the CPU has them: F32 is held to
// the goldens themselves elsewhere.
static void test_goldens(const std::string & set, const std::string & loss) {
    std::vector<double> expected;
    for (const cpu_kernels * k : cpu_kernels_available()) {
        choose(k->name);
        for (const char * precision : {"f32", "auto"}) {
            json config = golden_config(set, loss);
            config["precision"] = precision;
            test_policy t;
            test_policy_open(t, config);
            double worst = 0;
            for (size_t i = 0; i < t.set.pairs.size(); i++) {
                const double value = policy_loss(t.p, t.config, t.set.pairs[i], false).loss;
                if (expected.size() < t.set.pairs.size()) {
                    expected.push_back(value);
                }
                worst = std::max(worst, relative_error(value, expected[i], 1));
            }
            test_policy_close(t);
            const bool exact = std::string(precision) == "f32" || k->product == GGML_TYPE_F32;
            check_error("golden " + set + " " + loss + ", " + precision + ", " + k->name, worst, exact ? 1e-5 : 5e-3);
        }
    }
}

// What the backward pass needs is kept from the forward pass, or computed again when memory is short: the same bits.
static void test_kept_equals_computed() {
    random_model m;
    m.n_layer = 6, m.n_embd = 192, m.n_ff = 352, m.n_head = 3, m.n_head_kv = 3, m.head_dim = 64;
    m.type = GGML_TYPE_BF16;
    random_model_write(m, tmp_file("model.gguf"));
    random_pairs_write(tmp_file("pairs.jsonl"), 4, 100, 150, 131, 512);
    for (const cpu_kernels * k : cpu_kernels_available()) {
        if (k == &cpu_kernels_scalar) {
            continue; // slow, and the code is the same
        }
        choose(k->name); // the trainer inherits it
        json config = {{"model", tmp_file("model.gguf")}, {"pairs", tmp_file("pairs.jsonl")}, {"adapter_out", tmp_file("kept.gguf")}, {"device", "cpu"}, {"threads", 1}, {"max_steps", 3}, {"learning_rate", 1e-3}};
        const trainer_output kept = run_trainer("train", config);
        check(kept.exit == EXIT_DONE && kept.events[0].at("activations") == "kept", "kept without a limit: " + kept.text.substr(0, 300));
        config["adapter_out"] = tmp_file("computed.gguf");
        config["memory_limit_mb"] = kept.events[0].at("memory_estimate_mb").get<int64_t>() - 3;
        const trainer_output computed = run_trainer("train", config);
        check(computed.exit == EXIT_DONE && computed.events[0].at("activations") == "computed again", "computed again below the limit: " + computed.text.substr(0, 300));
        check(read_tensors(tmp_file("kept.gguf")) == read_tensors(tmp_file("computed.gguf")), std::string(k->name) + ": kept and computed again give the same bits");
    }
}

int main() {
    for (const case_shape & c : CASES) {
        test_case(c, "orpo", 0);
    }
    test_case(CASES[1], "exo", 0);
    test_case(CASES[0], "orpo", 0.3);
    for (const char * set : golden_sets()) {
        test_goldens(set, "orpo");
    }
    test_kept_equals_computed();
    return test_result();
}
