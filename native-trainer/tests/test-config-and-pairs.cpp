// What the config promises: schedules, order, accumulation, cutting, defaults, a fresh adapter, packing, inspect and devices.
#include "common.h"
#include "loss-config.h"
#include "optimizer.h"
#include "platform.h"

#include <cmath>
#include <set>

static void test_schedules() {
    train_config c;
    c.learning_rate = 1;
    c.warmup_steps = 2;
    // transformers' get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup, 6 steps
    const double linear[6] = {0, 0.5, 1, 0.75, 0.5, 0.25};
    const double cosine[6] = {0, 0.5, 1, 0.8535533905932737, 0.5, 0.14644660940672627};
    for (int step = 0; step < 6; step++) {
        c.schedule = lr_schedule::linear;
        check(fabs(learning_rate_at(c, step, 6) - linear[step]) < 1e-12, "linear schedule");
        c.schedule = lr_schedule::cosine;
        check(fabs(learning_rate_at(c, step, 6) - cosine[step]) < 1e-12, "cosine schedule");
        c.schedule = lr_schedule::constant;
        check(learning_rate_at(c, step, 6) == std::min(1.0, step/2.0), "constant schedule with warm-up");
    }
}

static void test_order() {
    train_config c;
    const std::vector<int64_t> first = epoch_order(c, 50, 0), second = epoch_order(c, 50, 1);
    check(std::set<int64_t>(first.begin(), first.end()).size() == 50, "an epoch has every pair once");
    check(first != second, "epochs differ in order");
    check(first == epoch_order(c, 50, 0), "the order depends on seed and epoch only");
    c.seed = 43;
    check(first != epoch_order(c, 50, 0), "another seed, another order");
}

// Three pairs with accumulation 2: the second step of the epoch has one pair, its gradient counts whole.
static void test_short_last_step() {
    write_text(tmp_file("three.jsonl"), [] {
        const std::string all = read_text(fixture("pairs.jsonl"));
        size_t end = 0;
        for (int i = 0; i < 3; i++) {
            end = all.find('\n', end) + 1;
        }
        return all.substr(0, end);
    }());
    json config = golden_config("", "orpo");
    config["pairs"] = tmp_file("three.jsonl");
    config["adapter_out"] = tmp_file("three.gguf");
    config["shuffle"] = false;
    config["learning_rate"] = 1e-12;
    const std::vector<json> steps = run_trainer("train", config).of("step");
    const json golden = read_json(fixture("golden-orpo.json")).at("pairs");
    check(steps.size() == 2, "an epoch of 3 pairs has 2 steps");
    check_error("short step, gradient norm", relative_error(steps.at(1).at("grad_norm").get<double>(), golden[2].at("grad_norm").get<double>()), 1e-4*test_tolerance());
    check_error("short step, loss", relative_error(steps.at(1).at("loss").get<double>(), golden[2].at("loss").get<double>()), 1e-5*test_tolerance());
}

static void test_cutting() {
    write_text(tmp_file("long.jsonl"),
        "{\"id\":\"fits\",\"prompt\":[1,5,6],\"chosen\":[7,8],\"rejected\":[9]}\r\n\n"
        "{\"id\":\"cut\",\"prompt\":[1,5,6],\"chosen\":[7,8,9,10],\"rejected\":[9]}\n"
        "{\"id\":\"dropped\",\"prompt\":[1,5,6,7,8,9],\"chosen\":[7],\"rejected\":[9]}\n"
        "{\"id\":\"masked away\",\"prompt\":[1,5,6],\"chosen\":[7,8,9],\"chosen_mask\":[0,0,1],\"rejected\":[9]}");
    json config = golden_config("", "orpo");
    config["pairs"] = tmp_file("long.jsonl");
    config["max_length"] = 5;
    const trainer_output out = run_trainer("score", config);
    const std::vector<json> pairs = out.of("pair");
    check(pairs.size() == 2 && pairs[0].at("id") == "fits" && pairs[1].at("id") == "cut", "pairs that are left: " + out.text.substr(0, 300));
    check(pairs.size() == 2 && pairs[1].at("chosen_tokens") == 2, "the response's tail is cut");
    check(out.events.at(0).at("event") == "warning" && out.events.at(1).at("event") == "warning", "cutting and dropping are warned about");
    check(out.of("hello").at(0).at("pairs") == json({{"read", 4}, {"used", 2}, {"cut", 1}, {"dropped", 2}, {"over_window", 0}, {"max_tokens", 6}}), "cut and dropped pairs are counted");
}

// A fresh adapter does nothing yet (B = 0): EXO's margin is exactly 0, its first loss is log 2-like and known.
static void test_fresh_adapter() {
    json config = golden_config("tied", "exo");
    config.erase("adapter_in");
    config["adapter_out"] = tmp_file("fresh.gguf");
    config["max_steps"] = 12;
    config["learning_rate"] = 1e-2;
    config["lora"] = {{"r", 4}, {"targets", {"q", "v_proj", "ffn_down"}}};
    const trainer_output out = run_trainer("train", config);
    const std::vector<json> steps = out.of("step");
    check(out.exit == EXIT_DONE && steps.size() == 12, "training from a fresh adapter: " + out.text.substr(0, 300));
    const double eps = 0.005, expected = 0.5*(log(0.5) - log1p(-eps)) + 0.5*(log(0.5) - log(eps));
    check(steps.at(0).at("rewards/margins") == 0.0, "the first margin is 0");
    check_error("first EXO loss of a fresh adapter", relative_error(steps.at(0).at("loss").get<double>(), expected), 1e-12);
    check(steps.at(11).at("rewards/margins").get<double>() > 0 && steps.at(11).at("loss").get<double>() < steps.at(0).at("loss").get<double>(), "loss falls and margin grows");
    const auto tensors = read_tensors(tmp_file("fresh.gguf"));
    check(tensors.size() == 12 && tensors.count("blk.0.attn_q.weight.lora_a") && tensors.count("blk.1.ffn_down.weight.lora_b"), "the adapter holds the chosen targets");
    const trainer_output inspected = run_trainer("inspect", tmp_file("fresh.gguf"));
    check(inspected.last() && inspected.last()->at("r") == 4 && inspected.last()->at("alpha") == 4.0, "inspect shows r, and alpha = r");
    json scored = golden_config("tied", "exo");
    scored["adapter_in"] = tmp_file("fresh.gguf");
    check(run_trainer("score", scored).last()->at("rewards/margins").get<double>() > 0, "the written adapter scores a positive margin");
}

// What a UI can check at the first step: said in hello, and true, for every loss with a reference.
static void test_known_start() {
    for (const std::string & loss : golden_losses()) {
        json config = golden_config("tied", loss);
        config.erase("adapter_in");
        config["adapter_out"] = tmp_file("start.gguf");
        config["max_steps"] = 1;
        config["gradient_accumulation_steps"] = 12;
        config["precision"] = "auto"; // policy and reference are rounded alike
        const trainer_output out = run_trainer("train", config);
        const bool needs_reference = loss_needs_reference(loss_from_json(golden_loss(loss)));
        if (out.exit != EXIT_DONE || out.of("step").empty()) {
            check(false, loss + ": " + out.text.substr(0, 300));
            continue;
        }
        const json start = out.of("hello").at(0).at("known_start"), step = out.of("step").at(0);
        check(start.is_null() != needs_reference, loss + ": known for losses with a reference: " + start.dump());
        if (needs_reference) {
            check(start.at("rewards/margins") == 0.0 && step.at("rewards/margins") == 0.0, loss + ": the first margin is exactly 0: " + step.dump());
            check(start.at("loss").is_null() == (loss == "dpo-sft"), loss + ": an SFT part depends on the pair");
        }
        if (needs_reference && start.at("loss").is_number()) {
            check_error(loss + ", first loss of a fresh adapter", relative_error(step.at("loss"), start.at("loss")), 1e-12);
        }
        config["adapter_in"] = fixture("adapter-init-tied.gguf");
        check(run_trainer("train", config).of("hello").at(0).at("known_start").is_null(), loss + ": nothing is known with another adapter");
        if (needs_reference) {
            config["reference"] = "adapter_in";
            const trainer_output own = run_trainer("train", config);
            check(own.of("hello").at(0).at("known_start") == start && own.of("step").at(0).at("rewards/margins") == 0.0, loss + ": the same against adapter_in: " + own.text.substr(0, 300));
        }
    }
}

// reference "adapter_in": the frozen start of the run, so the first margin is 0 although the adapter is not.
static void test_reference_adapter() {
    json config = golden_config("", "exo");
    config["adapter_out"] = tmp_file("reference.gguf");
    config["reference"] = "adapter_in";
    config["max_steps"] = 3;
    config["gradient_accumulation_steps"] = 12;
    config["learning_rate"] = 1e-2;
    const std::vector<json> steps = run_trainer("train", config).of("step");
    check(steps.size() == 3 && steps[0].at("rewards/margins") == 0.0, "the first margin against adapter_in is 0");
    check(steps.size() == 3 && steps[2].at("rewards/margins").get<double>() > 0, "and grows");
}

// The packed pair equals the two sequences on their own.
static void test_packing() {
    test_policy t;
    test_policy_open(t, golden_config("qwen3", "orpo"));
    for (const token_pair & pair : t.set.pairs) {
        const pair_logps both = policy_forward(t.p, pair_pack(pair, true), true, false);
        token_pair swapped = pair;
        std::swap(swapped.chosen, swapped.rejected);
        std::swap(swapped.chosen_mask, swapped.rejected_mask);
        const pair_logps other = policy_forward(t.p, pair_pack(swapped, true), true, false);
        check(fabs(both.chosen_sum - other.rejected_sum) <= 1e-5*fabs(both.chosen_sum)*test_tolerance(), "a response's log-probability does not depend on its place");
        check(fabs(both.rejected_sum - other.chosen_sum) <= 1e-5*fabs(both.rejected_sum)*test_tolerance(), "a response's log-probability does not depend on its place");
    }
    test_policy_close(t);
}

static void test_dropout() {
    json config = golden_config("", "orpo");
    config["adapter_out"] = tmp_file("dropout.gguf");
    config["lora"] = {{"dropout", 0.3}};
    config["max_steps"] = 3;
    const trainer_output a = run_trainer("train", config), b = run_trainer("train", config);
    config["lora"] = {{"dropout", 0}};
    const trainer_output without = run_trainer("train", config);
    check(a.of("step").at(2).at("loss") == b.of("step").at(2).at("loss"), "dropout is the same in every run of a seed");
    check(a.of("step").at(0).at("loss") != without.of("step").at(0).at("loss"), "dropout changes the loss");
}

// The number of threads is chosen by time, so it must not change the result.
static void test_threads() {
    std::vector<std::map<std::string, std::vector<float>>> adapters;
    for (int threads : {1, 2, 3, 1024}) {
        json config = golden_config("qwen3", "orpo");
        config["adapter_out"] = tmp_file("threads.gguf");
        config["threads"] = threads;
        config["precision"] = "auto";
        config["max_steps"] = 3;
        check(run_trainer("train", config).exit == EXIT_DONE, "training with threads");
        adapters.push_back(read_tensors(tmp_file("threads.gguf")));
    }
    check(adapters[0] == adapters[1] && adapters[0] == adapters[2] && adapters[0] == adapters[3], "1, 2, 3 and far too many threads give the same bits");
    json config = golden_config("", "orpo");
    config.erase("threads");
    config["adapter_out"] = tmp_file("chosen.gguf");
    config["max_steps"] = 3;
    const trainer_output out = run_trainer("train", config);
    check(out.exit == EXIT_DONE && out.of("hello").at(0).at("threads").is_null(), "without the key the number is chosen while running");
    config["threads"] = 1;
    config["adapter_out"] = tmp_file("one.gguf");
    run_trainer("train", config);
    check(read_tensors(tmp_file("chosen.gguf")) == read_tensors(tmp_file("one.gguf")), "and the result is the same");
}

static void test_inspect_and_devices() {
    const trainer_output model = run_trainer("inspect", fixture("model-qwen3-f32.gguf"));
    check(model.exit == EXIT_DONE && model.last()->at("trainable") == true && model.last()->at("head_dim") == 32, "inspect: " + model.text);
    const trainer_output devices = run_trainer("devices", std::string());
    check(devices.exit == EXIT_DONE && devices.last()->at("devices").size() >= 1, "devices: " + devices.text);
}

// ggml ends the program; what it logged before names the reason and the next step.
static void test_aborts() {
    const std::string last = "ggml-cuda.cu:109: CUDA error";
    const auto code = [&](const std::string & logged) { return abort_failure(last, logged).code; };
    check(code("CUDA error: the provided PTX was compiled with an unsupported toolchain.") == "DRIVER_TOO_OLD", "code of a newer CUDA than the driver's");
    check(code("CUDA error: no kernel image is available for execution on the device") == "DRIVER_TOO_OLD", "no code for the card");
    check(code("CUDA error: out of memory;  current device: 0, in function alloc at ggml-cuda.cu:590") == "OUT_OF_MEMORY", "memory of a product");
    check(code("CUDA error: an illegal memory access was encountered;  cudaMemcpyAsync(a.alloc.get())") == "GGML_ABORT", "anything else, whatever the statement's words");
    check(abort_failure("ggml-alloc.c:90: not enough space in the buffer", "").code == "OUT_OF_MEMORY", "memory of a graph");
    const failure f = abort_failure(last, "CUDA error: the provided PTX was compiled with an unsupported toolchain.");
    check(f.exit == EXIT_RESOURCE && f.message.find("unsupported toolchain") != std::string::npos && f.hint.find("driver") != std::string::npos, "exit 3, the reason and a next step: " + f.message);
}

// The libraries under ggml round the factors of F32 products unless told otherwise.
static void test_f32_is_f32() {
    for (const bool f32 : {false, true}) {
        device d;
        device_init(d, "cpu", f32);
        device_free(d);
        check(platform_env("NVIDIA_TF32_OVERRIDE") == (f32 ? "0" : "") && platform_env("GGML_VK_DISABLE_F16") == (f32 ? "1" : ""), f32 ? "precision f32 switches TF32 and F16 off" : "auto leaves them on");
    }
}

int main() {
    test_f32_is_f32(); // before any policy has set them
    test_schedules();
    test_order();
    test_short_last_step();
    test_cutting();
    test_fresh_adapter();
    test_known_start();
    test_reference_adapter();
    test_packing();
    test_dropout();
    test_threads();
    test_inspect_and_devices();
    test_aborts();
    return test_result();
}
