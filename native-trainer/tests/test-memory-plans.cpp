// The plans of memory give the same numbers, the estimate is near what is used, a limit that cannot be met is an error.
#include "common.h"
#include "random-model.h"

#include <cmath>

static json config_for(const std::string & model, const std::string & out) {
    return {{"model", model}, {"pairs", tmp_file("pairs.jsonl")}, {"adapter_out", out}, {"device", test_device()}, {"threads", 1}, {"max_steps", 3}, {"shuffle", false}, {"learning_rate", 1e-3}};
}

static void write_inputs(ggml_type type) {
    random_model m;
    m.n_layer = 6; m.n_embd = 512; m.n_ff = 1536; m.n_head = 8; m.n_head_kv = 4; m.head_dim = 64;
    m.type = m.embd_type = type;
    random_model_write(m, tmp_file("model.gguf"));
    random_pairs_write(tmp_file("pairs.jsonl"), 4, 12, 20, 17, 512);
}

static void test_limit() {
    write_inputs(GGML_TYPE_Q8_0);
    for (int64_t limit_mb : {1, 30}) { // less than the weights; less than everything
        json config = config_for(tmp_file("model.gguf"), tmp_file("refused.gguf"));
        config["memory_limit_mb"] = limit_mb;
        const trainer_output out = run_trainer("train", config);
        check(out.exit == EXIT_RESOURCE && out.error_code() == "MEMORY_LIMIT", "a limit that cannot be met is an error: " + out.text.substr(0, 300));
    }
}

static void test_streamed_equals_resident(ggml_type type) {
    write_inputs(type);
    json config = config_for(tmp_file("model.gguf"), tmp_file("resident.gguf"));
    const trainer_output resident = run_trainer("train", config);
    check(resident.exit == EXIT_DONE && resident.events[0].at("transposed_weights") == "resident", "resident without a limit: " + resident.text.substr(0, 300));
    config["adapter_out"] = tmp_file("streamed.gguf");
    config["memory_limit_mb"] = resident.events[0].at("memory_estimate_mb").get<int64_t>() - 10;
    const trainer_output streamed = run_trainer("train", config);
    check(streamed.exit == EXIT_DONE && streamed.events[0].at("transposed_weights") == "streamed", "streamed below the limit: " + streamed.text.substr(0, 300));
    const auto a = read_tensors(tmp_file("resident.gguf")), b = read_tensors(tmp_file("streamed.gguf"));
    check_error(std::string(ggml_type_name(type)) + " streamed = resident", distance_of(a, b)/norm_of(a), 0);
    check(streamed.of("step").back().at("memory_mb").get<double>() < resident.of("step").back().at("memory_mb").get<double>(), "streaming uses less memory");
}

static void test_estimate() {
    const json config = config_for(tmp_file("model.gguf"), tmp_file("estimate.gguf"));
    const trainer_output out = run_trainer("train", config);
    const double estimate = out.events[0].at("memory_estimate_mb"), peak = out.last()->at("peak_memory_mb");
    check_error("estimate against peak", relative_error(estimate, peak), 0.25);
}

int main() {
    test_limit();
    if (uses_ggml_operators()) { // the CPU's own kernels read the weights in both directions and keep no copies
        test_streamed_equals_resident(GGML_TYPE_F32);
        test_streamed_equals_resident(GGML_TYPE_Q8_0);
    }
    test_estimate();
    return test_result();
}
