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
    for (lora_pair & pair : t.p.lora.pairs) { // B = 0 would leave A without a gradient
        std::vector<float> b(ggml_nelements(pair.b));
        for (size_t i = 0; i < b.size(); i++) {
            b[i] = 0.05f*sinf((float) (i + pair.index));
        }
        ggml_backend_tensor_set(pair.b, b.data(), 0, b.size()*sizeof(float));
    }
    policy_dropout_on(t.p, 3, 0, 0);
    value = policy_loss(t.p, t.config, t.set.pairs[0], true).loss;
    policy_dropout_off(t.p);
    const tensors result = gradients_of(t.p);
    test_policy_close(t);
    return result;
}

static double cosine(const tensors & a, const tensors & b) {
    double product = 0;
    for (const auto & entry : a) {
        for (size_t i = 0; i < entry.second.size(); i++) {
            product += (double) entry.second[i]*b.at(entry.first)[i];
        }
    }
    return product/(norm_of(a)*norm_of(b));
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
        // EXO's is a function of a small difference between large sums of log-probabilities
        check_error(name + ", auto loss", relative_error(value, expected_loss), loss == "exo" ? 0.03 : 2e-3);
        check_error(name + ", auto gradient", distance_of(fast, expected)/norm_of(expected), 0.02);
        check_error(name + ", auto 1 - cosine", 1 - cosine(fast, expected), 5e-4);
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

int main() {
    for (const case_shape & c : CASES) {
        test_case(c, "orpo", 0);
    }
    test_case(CASES[1], "exo", 0);
    test_case(CASES[0], "orpo", 0.3);
    for (const char * set : {"", "tied", "qwen2", "qwen3"}) {
        test_goldens(set, "orpo");
    }
    return test_result();
}
