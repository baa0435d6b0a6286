// Training on quantised base tensors with precision "auto": loading is exact, and the products, rounded to BF16 or to what
// ggml's kernels take, stay near an F32 run on the dequantised weights; the command dequantise writes these.
#include "common.h"
#include "random-model.h"

#include <cmath>

struct quantised_case {
    ggml_type type;
    double    limit; // relative distance of the gradient, from the rounding of activations in ggml's products
};

static random_model shape(ggml_type type, bool dequantised) {
    random_model m;
    m.n_layer = 2; m.n_embd = 256; m.n_ff = 512; m.n_head = 8; m.n_head_kv = 4; m.head_dim = 32;
    m.type = type;
    m.embd_type = type;
    m.dequantised = dequantised;
    return m;
}

static std::map<std::string, std::vector<float>> gradient(const std::string & model_path, const std::string & precision, double & loss) {
    test_policy t;
    test_policy_open(t, {{"model", model_path}, {"pairs", tmp_file("pairs.jsonl")}, {"device", test_device()}, {"threads", 1}, {"precision", precision}, {"lora", {{"r", 4}}}});
    for (lora_pair & pair : t.p.lora.pairs) { // B = 0 would leave A without a gradient
        std::vector<float> b(ggml_nelements(pair.b));
        for (size_t i = 0; i < b.size(); i++) {
            b[i] = 0.05f*sinf((float) (i + pair.index));
        }
        ggml_backend_tensor_set(pair.b, b.data(), 0, b.size()*sizeof(float));
    }
    loss = policy_loss(t.p, t.config, t.set.pairs[0], true).loss;
    const auto result = gradients_of(t.p);
    test_policy_close(t);
    return result;
}

static void test_type(const quantised_case & c) {
    const std::string name = ggml_type_name(c.type);
    random_model_write(shape(c.type, false), tmp_file("quantised.gguf"));
    random_model_write(shape(c.type, true),  tmp_file("dequantised.gguf"));
    double loss_auto = 0, loss_f32 = 0, loss_exact = 0;
    const auto from_auto  = gradient(tmp_file("quantised.gguf"),   "auto", loss_auto);
    const auto from_f32   = gradient(tmp_file("quantised.gguf"),   "f32",  loss_f32);
    const auto from_exact = gradient(tmp_file("dequantised.gguf"), "f32",  loss_exact);
    check(loss_f32 == loss_exact && distance_of(from_f32, from_exact) == 0, name + ": precision f32 equals the dequantised file exactly");
    const trainer_output written = run_trainer("dequantise \"" + tmp_file("quantised.gguf") + "\"", tmp_file("written.gguf"));
    check(written.exit == EXIT_DONE && read_tensors(tmp_file("written.gguf")) == read_tensors(tmp_file("dequantised.gguf")), name + ": the command dequantise writes the same numbers " + written.text);
    check(run_trainer("inspect", tmp_file("written.gguf")).last()->at("trainable") == true, name + ": and a whole model");
    check_error(name + " loss", relative_error(loss_auto, loss_exact), 1e-2);
    check_error(name + " gradient", distance_of(from_auto, from_exact)/norm_of(from_exact), c.limit);
}

int main() {
    skip_without_device();
    random_pairs_write(tmp_file("pairs.jsonl"), 1, 12, 20, 17, 512);
    const quantised_case cases[] = {
        {GGML_TYPE_F32, uses_ggml_operators() ? 1e-6 : 0.04}, {GGML_TYPE_F16, 0.02}, {GGML_TYPE_BF16, 0.04},
        {GGML_TYPE_Q8_0, 0.08}, {GGML_TYPE_Q4_0, 0.08}, {GGML_TYPE_Q4_1, 0.08}, {GGML_TYPE_Q5_0, 0.08}, {GGML_TYPE_Q5_1, 0.08},
        {GGML_TYPE_Q2_K, 0.08}, {GGML_TYPE_Q3_K, 0.08}, {GGML_TYPE_Q4_K, 0.08}, {GGML_TYPE_Q5_K, 0.08}, {GGML_TYPE_Q6_K, 0.08},
        {GGML_TYPE_IQ4_NL, 0.08}, {GGML_TYPE_IQ4_XS, 0.08}, {GGML_TYPE_IQ3_S, 0.08}, {GGML_TYPE_IQ3_XXS, 0.08},
        {GGML_TYPE_IQ2_S, 0.08}, {GGML_TYPE_IQ2_XS, 0.08}, {GGML_TYPE_IQ2_XXS, 0.08}, {GGML_TYPE_IQ1_M, 0.08}, {GGML_TYPE_IQ1_S, 0.08},
        {GGML_TYPE_TQ1_0, 0.08}, {GGML_TYPE_TQ2_0, 0.08}, {GGML_TYPE_MXFP4, 0.08}, {GGML_TYPE_NVFP4, 0.08}, {GGML_TYPE_Q1_0, 0.08}, {GGML_TYPE_Q2_0, 0.08},
    };
    for (const quantised_case & c : cases) {
        try {
            test_type(c);
        } catch (const failure & f) { // a GPU need not have every type; it says so
            check(test_device() != "cpu" && f.code == "OP_UNSUPPORTED", std::string(ggml_type_name(c.type)) + ": " + f.message);
            printf("none    %s: %s\n", ggml_type_name(c.type), f.message.c_str());
        }
    }
    return test_result();
}
