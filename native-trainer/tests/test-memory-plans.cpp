// The plans of memory give the same numbers, the estimate is near what is used, a limit that cannot be met is an error that
// names one that can.
#include "common.h"
#include "random-model.h"

#include <cmath>

static json config_for(const std::string & model, const std::string & out) {
    return {{"model", model}, {"pairs", tmp_file("pairs.jsonl")}, {"adapter_out", out}, {"device", test_device()}, {"threads", 1}, {"max_steps", 2}, {"gradient_accumulation_steps", 1}, {"shuffle", false}, {"learning_rate", 1e-3}};
}

static random_model wide_model(ggml_type type) {
    random_model m;
    m.n_layer = 6; m.n_embd = 512; m.n_ff = 1536; m.n_head = 8; m.n_head_kv = 4; m.head_dim = 64;
    m.type = m.embd_type = type;
    return m;
}

static void write_inputs(const random_model & m, int n_prompt, int n_chosen, int n_rejected) {
    random_model_write(m, tmp_file("model.gguf"));
    random_pairs_write(tmp_file("pairs.jsonl"), 4, n_prompt, n_chosen, n_rejected, m.n_vocab);
}

// The number after the last `words` in a text, 0 when they are not there.
static int64_t number_after(const std::string & text, const std::string & words) {
    const size_t at = text.rfind(words);
    return at == std::string::npos ? 0 : atoll(text.c_str() + at + words.size());
}

static void test_limit() {
    write_inputs(wide_model(GGML_TYPE_Q8_0), 12, 20, 17);
    for (int64_t limit_mb : {1, 30}) { // less than the weights; less than everything
        json config = config_for(tmp_file("model.gguf"), tmp_file("refused.gguf"));
        config["memory_limit_mb"] = limit_mb;
        const trainer_output out = run_trainer("train", config);
        check(out.exit == EXIT_RESOURCE && out.error_code() == "MEMORY_LIMIT", "a limit that cannot be met is an error: " + out.text.substr(0, 300));
    }
}

// What the error suggests is taken at its word.
static void test_suggestions() {
    write_inputs(wide_model(GGML_TYPE_Q8_0), 30, 150, 140);
    json config = config_for(tmp_file("model.gguf"), tmp_file("suggested.gguf"));
    config["max_steps"] = 1;
    config["memory_limit_mb"] = 21; // the weights, and no more
    config["max_length"] = 31; // the least that a pair can have
    const int64_t least_mb = number_after(run_trainer("train", config).text, "memory_limit_mb to ");
    config.erase("max_length");
    config["memory_limit_mb"] = least_mb + 4;
    const trainer_output refused = run_trainer("train", config);
    const std::string hint = refused.last() ? refused.last()->value("hint", "") : "";
    const int64_t limit_mb = number_after(hint, "memory_limit_mb to "), max_length = number_after(hint, "max_length ");
    check(refused.error_code() == "MEMORY_LIMIT" && limit_mb > least_mb && max_length > 30, "the error names a limit and a max_length: " + refused.text.substr(0, 600));
    json shorter = config;
    shorter["max_length"] = max_length;
    const trainer_output cut = run_trainer("train", shorter);
    check(cut.exit == EXIT_DONE, "the max_length that it names fits: " + cut.text.substr(0, 600));
    config["memory_limit_mb"] = limit_mb;
    const trainer_output raised = run_trainer("train", config);
    check(raised.exit == EXIT_DONE, "the limit that it names suffices: " + raised.text.substr(0, 600));
    printf("suggested memory_limit_mb %d or max_length %d\n", (int) limit_mb, (int) max_length);
}

struct plan_facts {
    const char * transposed;
    const char * attention;
};

// A pair whose attention mask alone is a terabyte.
static void test_out_of_memory() {
    random_model_write(random_model(), tmp_file("model.gguf"));
    random_pairs_write(tmp_file("pairs.jsonl"), 1, 10, 300000, 300000, 512);
    json config = config_for(tmp_file("model.gguf"), tmp_file("refused.gguf"));
    config["max_length"] = 400000;
    const trainer_output out = run_trainer("train", config);
    const int64_t max_length = out.last() ? number_after(out.last()->value("hint", ""), "max_length ") : 0;
    check(out.exit == EXIT_RESOURCE && out.error_code() == "OUT_OF_MEMORY" && max_length > 500 && max_length < 300000, "what no memory is enough for is an error that names a max_length: " + out.text.substr(0, 600));
}

// Each limit a little below what the plan before it needs.
static void test_plans_agree(ggml_type type) {
    random_model m = wide_model(type);
    m.n_layer = 2;
    write_inputs(m, 60, 190, 187);
    const plan_facts plans[] = {{"resident", "whole"}, {"streamed", "whole"}, {"streamed", "by head group"}};
    std::map<std::string, std::vector<float>> first;
    json config = config_for(tmp_file("model.gguf"), tmp_file("plan.gguf"));
    double memory_mb = INFINITY;
    for (const plan_facts & plan : plans) {
        const std::string name = std::string(ggml_type_name(type)) + " " + plan.transposed + ", attention " + plan.attention;
        const trainer_output out = run_trainer("train", config);
        check(out.exit == EXIT_DONE && out.events[0].at("transposed_weights") == plan.transposed && out.events[0].at("attention") == plan.attention, name + ": " + out.text.substr(0, 1000));
        if (out.exit != EXIT_DONE) {
            return;
        }
        const auto adapter = read_tensors(tmp_file("plan.gguf"));
        first = first.empty() ? adapter : first;
        check_error(name + " = the first plan", distance_of(first, adapter)/norm_of(first), test_device() == "cpu" ? 0 : 1e-6);
        const double used_mb = out.of("step").back().at("memory_mb");
        check(used_mb < memory_mb, name + " uses less memory");
        memory_mb = used_mb;
        config["memory_limit_mb"] = out.events[0].at("memory_estimate_mb").get<int64_t>() - 3;
    }
    const trainer_output out = run_trainer("train", config);
    check(out.error_code() == "MEMORY_LIMIT", "less than the most frugal plan is refused: " + out.text.substr(0, 300));
}

// The same sums of log-probabilities by head group, grouped-query or not, in score.
static void test_head_groups(int64_t n_head, int64_t n_head_kv) {
    random_model m;
    m.n_layer = 2; m.n_embd = 128; m.n_head = n_head; m.n_head_kv = n_head_kv; m.head_dim = 16;
    write_inputs(m, 100, 300, 300);
    json config = {{"model", tmp_file("model.gguf")}, {"pairs", tmp_file("pairs.jsonl")}, {"device", test_device()}, {"threads", 1}};
    const trainer_output whole = run_trainer("score", config);
    config["memory_limit_mb"] = whole.events[0].at("memory_estimate_mb").get<int64_t>() - 3;
    const trainer_output grouped = run_trainer("score", config);
    const std::string name = std::to_string(n_head) + " heads, " + std::to_string(n_head_kv) + " kv heads";
    check(grouped.exit == EXIT_DONE && grouped.events[0].at("attention") == "by head group", name + ": " + grouped.text.substr(0, 300));
    if (grouped.exit == EXIT_DONE) {
        check_error(name + ", loss by head group", relative_error(grouped.last()->at("loss"), whole.last()->at("loss")), 1e-6*test_tolerance());
    }
}

static void test_estimate(const std::string & name, const random_model & m, int n_prompt, int n_chosen, int n_rejected) {
    write_inputs(m, n_prompt, n_chosen, n_rejected);
    json config = config_for(tmp_file("model.gguf"), tmp_file("estimate.gguf"));
    const trainer_output out = run_trainer("train", config);
    const double estimate = out.events[0].at("memory_estimate_mb"), peak = out.last()->at("peak_memory_mb");
    printf("%s: estimate %.0f MB, peak %.0f MB\n", name.c_str(), estimate, peak);
    check_error("estimate against peak, " + name, relative_error(estimate, peak), 0.15); // each thread's scratch is not counted: a few MB
}

static void test_estimates() {
    random_model m = wide_model(GGML_TYPE_Q8_0);
    test_estimate("short pairs", m, 12, 20, 17);
    test_estimate("long pairs", m, 30, 180, 170);
    m.n_vocab = 32000;
    test_estimate("large vocabulary", m, 12, 60, 57);
    m = wide_model(GGML_TYPE_F32);
    m.n_layer = 12;
    test_estimate("many layers, F32", m, 30, 100, 90);
}

// The longest pair that max_length lets through: what `inspect` says of the model is what `hello` says of the run, apart from the
// size of the program itself, which is not quite the same each time.
static void test_inspected() {
    random_model m = wide_model(GGML_TYPE_Q8_0);
    m.n_layer = 3; m.n_embd = 256; m.n_ff = 512; m.n_head = 4; m.n_head_kv = 2;
    write_inputs(m, 1, 1023, 1023);
    const trainer_output inspected = run_trainer("inspect --device " + test_device(), tmp_file("model.gguf"));
    const json said = inspected.last() ? *inspected.last() : json::object();
    check(inspected.exit == EXIT_DONE && inspected.events[0].at("event") == "model" && said.value("event", "") == "training_memory", "inspect names the memory: " + inspected.text.substr(0, 1000));
    if (said.value("event", "") != "training_memory") {
        return;
    }
    check(said.at("settings").at("r") == 16 && said.at("settings").at("max_length") == 1024 && said.at("settings").at("targets").size() == TARGET_COUNT, "and its settings");
    check(said.at("plans").size() == (uses_ggml_operators() ? 4 : 2), "and every plan: " + said.dump());
    json config = config_for(tmp_file("model.gguf"), tmp_file("inspected.gguf"));
    config["max_steps"] = 1;
    config["max_length"] = 1024;
    const auto same = [&](const char * name, const json & plan, double mb) {
        const trainer_output out = run_trainer("train", config);
        const json hello = out.events.empty() ? json::object() : out.events[0];
        check(out.exit == EXIT_DONE, std::string(name) + ": " + out.text.substr(0, 600));
        if (out.exit != EXIT_DONE) {
            return;
        }
        for (const char * key : {"transposed_weights", "activations", "attention"}) {
            check(hello.value(key, "") == plan.at(key), std::string(name) + ": " + key + " of " + hello.dump());
        }
        check(hello.at("pairs").at("max_tokens") == said.at("settings").at("max_tokens"), "the longest pair");
        check_error(std::string("inspect against hello, ") + name, fabs(hello.at("memory_estimate_mb").get<double>() - mb)/(0.01*mb + 2), 1);
    };
    same("first plan", said.at("plans").front(), said.at("memory_estimate_mb"));
    config["memory_limit_mb"] = said.at("smallest_mb").get<int64_t>() + 3;
    same("smallest plan", said.at("plans").back(), said.at("smallest_mb"));
}

int main() {
    skip_without_device();
    test_limit();
    test_suggestions();
    if (uses_ggml_operators()) { // the CPU's own kernels keep no transposed copies and no scores
        test_plans_agree(GGML_TYPE_F32);
        test_plans_agree(GGML_TYPE_Q8_0);
        test_out_of_memory();
        test_head_groups(8, 2);
        test_head_groups(4, 4);
    }
    test_estimates();
    test_inspected();
    return test_result();
}
