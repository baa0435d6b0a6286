// Bad input gives one error event with a code and exit 2 (or 3 for resources): no crash, no hang, no result.
#include "common.h"

#include "platform.h"
#include "random-model.h"
#include "random.h"

#include <cstring>

static void expect_error(const std::string & what, const trainer_output & out, const std::string & code, int exit_code = EXIT_INPUT) {
    const bool ok = out.exit == exit_code && out.error_code() == code && out.of("error").size() == 1 && !out.last()->at("message").get<std::string>().empty();
    check(ok, what + ": expected " + code + ", got exit " + std::to_string(out.exit) + " " + out.text.substr(0, 400));
}

// Deeper than the stack could bear when values are copied or printed.
static std::string brackets() {
    return std::string(300000, '[') + std::string(300000, ']');
}

static json base_config() {
    json config = golden_config("", "orpo");
    config["adapter_out"] = tmp_file("out.gguf");
    config["max_steps"] = 1;
    config["device"] = "cpu";
    return config;
}

static void test_config() {
    const auto with = [](const char * key, const json & value) {
        json config = base_config();
        config[key] = value;
        return run_trainer("train", config);
    };
    expect_error("unknown key", with("lerning_rate", 1), "CONFIG");
    expect_error("wrong type", with("learning_rate", "fast"), "CONFIG");
    expect_error("negative rate", with("learning_rate", -1), "CONFIG");
    expect_error("fraction", with("max_steps", 1.5), "CONFIG");
    expect_error("unknown loss", with("loss", "ppo"), "CONFIG");
    expect_error("label_smoothing 0", with("label_smoothing", 0), "CONFIG");
    expect_error("unknown lora key", with("lora", {{"rank", 4}}), "CONFIG");
    expect_error("unknown target", with("lora", {{"targets", {"embed"}}}), "CONFIG");
    expect_error("lora is no object", with("lora", 3), "CONFIG");
    expect_error("no checkpoint object", with("checkpoint", "x"), "CONFIG");
    json config = base_config();
    config.erase("model");
    expect_error("no model", run_trainer("train", config), "CONFIG");
    config = base_config();
    config.erase("adapter_in");
    config["reference"] = "adapter_in";
    expect_error("reference without adapter", run_trainer("train", config), "CONFIG");
    expect_error("no config file", run_trainer("train", tmp_file("none.json")), "CONFIG_NOT_FOUND");
    write_text(tmp_file("bad.json"), "{\"model\": ");
    expect_error("no JSON", run_trainer("train", tmp_file("bad.json")), "CONFIG");
    write_text(tmp_file("list.json"), "[1]");
    expect_error("a list", run_trainer("train", tmp_file("list.json")), "CONFIG");
    expect_error("no command", run_trainer("", std::string()), "USAGE");
    expect_error("unknown command", run_trainer("teach", fixture("pairs.jsonl")), "USAGE");
    expect_error("unknown device", with("device", "quantum0"), "DEVICE_NOT_FOUND", EXIT_RESOURCE);
    expect_error("no such folder", with("adapter_out", tmp_file("none/out.gguf")), "WRITE_FAILED");
    expect_error("a folder as adapter", with("adapter_out", tmp_file("")), "WRITE_FAILED");
    write_text(tmp_file("deep.json"), "{\"model\": " + brackets() + "}");
    expect_error("deep nesting", run_trainer("train", tmp_file("deep.json")), "CONFIG");
}

// What is wrong with a loss is named, with what to do about it.
static void test_losses() {
    const auto refused = [](const std::string & keys, const std::string & named) {
        json config = base_config();
        config.erase("beta");
        config.erase("label_smoothing");
        config.update(json::parse(keys));
        for (const char * command : {"train", "score"}) {
            const trainer_output out = run_trainer(command, config);
            expect_error(keys, out, "CONFIG");
            check(out.text.find(named) != std::string::npos && !out.last()->value("hint", "").empty(), keys + ": names " + named + ": " + out.text);
        }
    };
    refused(R"({"loss": "ppo"})", R"(\"dpo\")");
    refused(R"({"loss": 3})", "loss must be one of");
    refused(R"({"loss": []})", "a list of 1 to 16");
    refused(R"({"loss": ["dpo"]})", "loss[0] must be a JSON object");
    refused(R"({"loss": [{"weight": 1}]})", "loss[0].name is missing");
    refused(R"({"loss": [{"name": "dpo"}, {"name": "ppo"}]})", "loss[1].name must be one of");
    refused(R"({"loss": [{"name": "dpo", "weight": 0}]})", "loss[0].weight");
    refused(R"({"loss": [{"name": "dpo", "weight": -1}]})", "loss[0].weight");
    refused(R"({"loss": [{"name": "dpo", "weight": "much"}]})", "loss[0].weight");
    refused(R"({"loss": [{"name": "dpo", "wieght": 1}]})", R"(unknown key \"loss[0].wieght\")");
    refused(R"({"loss": [{"name": "dpo"}], "beta": 0.2})", "beta stands beside a list of losses");
    refused(R"({"loss": "dpo", "gamma": 0.5})", R"(gamma is no setting of the loss \"dpo\")");
    refused(R"({"loss": "exo", "gamma": 0.5})", R"(gamma is no setting of the loss \"exo\")");
    refused(R"({"loss": "dpo", "label_smoothing": 0.1})", "label_smoothing is no setting");
    refused(R"({"loss": "sft", "beta": 0.1})", "beta is no setting");
    refused(R"({"loss": "sft", "completion_only_loss": 1})", "completion_only_loss must be true or false");
    refused(R"({"loss": "robust", "label_smoothing": 0.5})", "label_smoothing must be a number from 0 to 0.499");
    refused(R"({"loss": "robust", "label_smoothing": -0.1})", "label_smoothing must be");
    refused(R"({"loss": "exo", "label_smoothing": 0})", "label_smoothing must be");
    refused(R"({"loss": "ipo", "beta": 0})", "beta must be");
    refused(R"({"loss": "simpo", "gamma": -1})", "gamma must be");
    for (const char * loss : {R"("simpo")", R"("orpo")", R"("sft")", R"([{"name": "simpo"}, {"name": "sft", "weight": 0.2}])"}) {
        refused(std::string(R"({"reference": "adapter_in", "loss": )") + loss + "}", "has no reference model");
        refused(R"({"reference_adapter": ")" + fixture("adapter-init.gguf") + R"(", "loss": )" + loss + "}", "has no reference model");
    }
    write_text(tmp_file("infinite.json"), R"({"loss": [{"name": "dpo", "weight": 1e999}]})");
    expect_error("an infinite weight", run_trainer("train", tmp_file("infinite.json")), "CONFIG");
    json smoothed = base_config(); // ORPO's configs could always say it
    check(run_trainer("train", smoothed).exit == EXIT_DONE, "ORPO beside label_smoothing");
}

// A run that would write over what it reads leaves it alone.
static void test_outputs() {
    const std::string model = read_text(fixture("model-f32.gguf"));
    write_text(tmp_file("own.gguf"), model);
    json config = base_config();
    config["model"] = tmp_file("own.gguf");
    const auto refused = [&](const std::string & what, const char * key, const json & value) {
        json other = config;
        other[key] = value;
        expect_error(what, run_trainer("train", other), "CONFIG");
        check(read_text(tmp_file("own.gguf")) == model, what + ": the model is as it was");
    };
    refused("the model as adapter_out", "adapter_out", tmp_file("own.gguf"));
    refused("the model by another name", "adapter_out", tmp_file("./own.gguf"));
    refused("the model before a zero byte", "adapter_out", tmp_file("own.gguf") + std::string("\0x", 2));
    refused("the model as checkpoint", "checkpoint", {{"path", tmp_file("own.gguf")}});
    write_text(tmp_file("held-out.jsonl"), read_text(fixture("pairs.jsonl")));
    config["eval_pairs"] = tmp_file("held-out.jsonl");
    refused("the evaluation pairs as adapter_out", "adapter_out", tmp_file("held-out.jsonl"));
    check(read_text(tmp_file("held-out.jsonl")) == read_text(fixture("pairs.jsonl")), "the evaluation pairs are as they were");
    refused("one file for adapter and checkpoint", "checkpoint", {{"path", config["adapter_out"]}});
}

static void test_pairs() {
    const auto with = [](const std::string & text) {
        write_text(tmp_file("pairs.jsonl"), text);
        json config = base_config();
        config["pairs"] = tmp_file("pairs.jsonl");
        return run_trainer("score", config);
    };
    expect_error("id too large",     with("{\"prompt\":[1],\"chosen\":[512],\"rejected\":[2]}"), "ID_OUT_OF_VOCABULARY");
    expect_error("negative id",      with("{\"prompt\":[-1],\"chosen\":[5],\"rejected\":[2]}"), "ID_OUT_OF_VOCABULARY");
    expect_error("fractional id",    with("{\"prompt\":[1.5],\"chosen\":[5],\"rejected\":[2]}"), "ID_OUT_OF_VOCABULARY");
    expect_error("huge id",          with("{\"prompt\":[1],\"chosen\":[99999999999999999999],\"rejected\":[2]}"), "ID_OUT_OF_VOCABULARY");
    expect_error("empty response",   with("{\"prompt\":[1],\"chosen\":[],\"rejected\":[2]}"), "EMPTY_RESPONSE");
    expect_error("empty prompt",     with("{\"prompt\":[],\"chosen\":[3],\"rejected\":[2]}"), "EMPTY_PROMPT");
    expect_error("no rejected",      with("{\"prompt\":[1],\"chosen\":[3]}"), "PAIRS_INVALID");
    expect_error("text",             with("{\"prompt\":\"a\",\"chosen\":[3],\"rejected\":[2]}"), "PAIRS_INVALID");
    expect_error("short mask",       with("{\"prompt\":[1],\"chosen\":[3,4],\"chosen_mask\":[1],\"rejected\":[2]}"), "PAIRS_INVALID");
    expect_error("mask of 2",        with("{\"prompt\":[1],\"chosen\":[3],\"chosen_mask\":[2],\"rejected\":[2]}"), "PAIRS_INVALID");
    expect_error("mask of zeros",    with("{\"prompt\":[1],\"chosen\":[3],\"chosen_mask\":[0],\"rejected\":[2]}"), "EMPTY_RESPONSE");
    expect_error("truncated line",   with("{\"prompt\":[1],\"chosen\":[3],\"rej"), "PAIRS_INVALID");
    expect_error("empty file",       with("\n\n"), "NO_PAIRS");
    expect_error("binary",           with(std::string("\x00\xff\xfe\n", 4)), "PAIRS_INVALID");
    expect_error("deep nesting",     with(std::string(200000, '[')), "PAIRS_INVALID");
    expect_error("deep id",          with("{\"id\":" + brackets() + ",\"prompt\":[1],\"chosen\":[3],\"rejected\":[2]}"), "PAIRS_INVALID");
    expect_error("deep token id",    with("{\"prompt\":[" + brackets() + "],\"chosen\":[3],\"rejected\":[2]}"), "PAIRS_INVALID");
    expect_error("endless line",     with(std::string(33 << 20, ' ')), "PAIRS_INVALID");
    check(with("{\"id\":\"[[[\\\"{\",\"prompt\":[1],\"chosen\":[3],\"rejected\":[2]}").exit == EXIT_DONE, "brackets in a text are no depth");
    json config = base_config();
    config["pairs"] = tmp_file("none.jsonl");
    expect_error("missing pairs", run_trainer("train", config), "FILE_NOT_FOUND");
    config["pairs"] = fixture("pairs.jsonl");
    config["max_length"] = 4;
    expect_error("nothing left", run_trainer("train", config), "NO_PAIRS");
}

static trainer_output score_with(const char * key, const std::string & path) {
    json config = base_config();
    config.erase("adapter_out");
    if (strcmp(key, "model") == 0) {
        config.erase("adapter_in");
    }
    config[key] = path;
    return run_trainer("score", config);
}

static void test_models() {
    const std::string model = read_text(fixture("model-f32.gguf"));
    const auto with = [&](const std::string & bytes) {
        write_text(tmp_file("bad.gguf"), bytes);
        return score_with("model", tmp_file("bad.gguf"));
    };
    const auto replaced = [&](const std::string & from, const std::string & to) {
        std::string bytes = model;
        for (size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; at += to.size()) {
            bytes.replace(at, from.size(), to);
        }
        return bytes;
    };
    expect_error("missing model", score_with("model", tmp_file("none.gguf")), "FILE_NOT_FOUND");
    expect_error("a folder", score_with("model", tmp_file("")), "FILE_NOT_FOUND");
    expect_error("empty", with(""), "GGUF_DAMAGED");
    expect_error("text", with("hello, this is no model"), "NOT_GGUF");
    expect_error("half a model", with(model.substr(0, model.size()/2)), "GGUF_DAMAGED");
    expect_error("last byte missing", with(model.substr(0, model.size() - 1)), "GGUF_DAMAGED");
    expect_error("other version", with(std::string("GGUF\x09\x00\x00\x00", 8) + model.substr(8)), "GGUF_VERSION");
    expect_error("huge counts", with(model.substr(0, 8) + std::string(16, '\xff') + model.substr(24)), "GGUF_DAMAGED");
    expect_error("other architecture", with(replaced("llama", "mamba")), "UNSUPPORTED_ARCHITECTURE");
    expect_error("unknown tensor", with(replaced("blk.0.ffn_up.weight", "blk.0.ffn_xx.weight")), "GGUF_INCOMPLETE");
    expect_error("an adapter as model", score_with("model", fixture("adapter-init.gguf")), "NOT_A_MODEL");
    // every tensor of the file at the place of the first: many times the file in memory
    std::string shared = model;
    for (const char * name : {"blk.0.attn_q.weight", "blk.1.attn_q.weight"}) {
        const size_t at = shared.find(name) + strlen(name) + 4 + 2*8 + 4;
        memset(&shared[at], 0, 8);
    }
    expect_error("tensors that share bytes", with(shared), "GGUF_DAMAGED");
    std::string nan = model;
    memset(&nan[nan.size() - 256], 0xff, 4);
    expect_error("NaN weights", with(nan), "NAN_WEIGHTS");

    gguf_file g;
    gguf_file_open(g, fixture("model-f32.gguf"), "test");
    const gguf_tensor_entry & norm = *gguf_file_find(g, "output_norm.weight");
    std::string overflowing = model;
    const std::vector<float> huge(norm.nbytes/sizeof(float), 3e38f);
    overflowing.replace(norm.offset, norm.nbytes, (const char *) huge.data(), norm.nbytes);
    gguf_file_close(g);
    expect_error("a model that overflows", with(overflowing), "NOT_FINITE");
    json config = base_config();
    config["model"] = tmp_file("bad.gguf");
    expect_error("training a model that overflows", run_trainer("train", config), "DIVERGED");

    std::string integers = model; // after a name: number of dimensions (4 bytes), two dimensions (8 bytes each), type
    const int32_t type = GGML_TYPE_I32;
    memcpy(&integers[integers.find("blk.0.ffn_up.weight") + strlen("blk.0.ffn_up.weight") + 20], &type, sizeof(type));
    expect_error("tensor type", with(integers), "UNSUPPORTED_TENSOR_TYPE");
    const trainer_output inspected = run_trainer("inspect", tmp_file("bad.gguf"));
    const std::string reason = inspected.last()->value("reason", "");
    check(inspected.exit == EXIT_DONE && inspected.last()->at("trainable") == false && reason.find("blk.0.ffn_up.weight") != std::string::npos && reason.find("i32") != std::string::npos,
        "inspect says why it is not trainable: " + inspected.text);
}

static void test_sliding_window() {
    const std::string key = "gemma3.attention.sliding_window";
    std::string bytes = read_text(fixture("model-gemma3-f32.gguf"));
    const uint32_t window = 64;
    memcpy(&bytes[bytes.find(key) + key.size() + 4], &window, sizeof(window)); // behind the number of its type
    write_text(tmp_file("narrow.gguf"), bytes);
    json config = golden_config("gemma3", "orpo");
    config["model"] = tmp_file("narrow.gguf");
    expect_error("a pair longer than the sliding window", run_trainer("score", config), "SLIDING_WINDOW");
    config["max_length"] = window;
    check(run_trainer("score", config).exit == EXIT_DONE, "pairs up to the sliding window");

    // training goes on without the pairs that are too long, and says how many
    config["max_length"] = 4096;
    const std::string short_pair = R"({"id":"short","prompt":[1,2,3],"chosen":[4,5,6],"rejected":[7,8]})";
    std::string long_pair = R"({"id":"long","prompt":[1)";
    for (int i = 0; i < 70; i++) {
        long_pair += ",2";
    }
    long_pair += R"(],"chosen":[4],"rejected":[7]})";
    write_text(tmp_file("narrow.jsonl"), short_pair + "\n" + long_pair + "\n");
    config["pairs"] = tmp_file("narrow.jsonl");
    config["max_steps"] = 1;
    config["adapter_out"] = tmp_file("narrow-adapter.gguf");
    const trainer_output trained = run_trainer("train", config);
    check(trained.exit == EXIT_DONE && trained.text.find("1 of 2 pairs dropped: longer than the 64 tokens") != std::string::npos,
        "a pair longer than the sliding window is dropped: " + trained.text);
    write_text(tmp_file("narrow.jsonl"), long_pair + "\n");
    expect_error("only pairs longer than the sliding window", run_trainer("train", config), "SLIDING_WINDOW");
}

static void test_adapters() {
    expect_error("missing adapter", score_with("adapter_in", tmp_file("none.gguf")), "FILE_NOT_FOUND");
    expect_error("a model as adapter", score_with("adapter_in", fixture("model-f32.gguf")), "NOT_AN_ADAPTER");
    expect_error("adapter of another architecture", score_with("adapter_in", fixture("adapter-init-qwen2.gguf")), "ADAPTER_MISMATCH");
    const std::string adapter = read_text(fixture("adapter-init.gguf"));
    write_text(tmp_file("cut.gguf"), adapter.substr(0, adapter.size() - 100));
    expect_error("truncated adapter", score_with("adapter_in", tmp_file("cut.gguf")), "GGUF_DAMAGED");
    random_model m;
    random_model_write(m, tmp_file("small.gguf"));
    json config = base_config();
    config["model"] = tmp_file("small.gguf");
    config["lora"] = {{"r", 4}};
    expect_error("another rank than the adapter", run_trainer("train", config), "ADAPTER_MISMATCH");
    m.n_ff = 192;
    random_model_write(m, tmp_file("wider.gguf"));
    config.erase("lora");
    config["model"] = tmp_file("wider.gguf");
    expect_error("adapter of another shape", run_trainer("train", config), "ADAPTER_MISMATCH");
}

// A GGUF file with another value of a 64-bit key.
static std::string with_int(std::string bytes, const std::string & key, int64_t value) {
    memcpy(&bytes[bytes.find(key) + key.size() + 4], &value, sizeof(value));
    return bytes;
}

static void test_checkpoints() {
    json config = base_config();
    config["resume"] = true;
    config["checkpoint"] = {{"path", tmp_file("run.checkpoint")}};
    write_text(tmp_file("run.checkpoint"), "garbage");
    expect_error("garbage checkpoint", run_trainer("train", config), "NOT_GGUF");
    write_text(tmp_file("run.checkpoint"), read_text(fixture("adapter-init.gguf")));
    expect_error("an adapter as checkpoint", run_trainer("train", config), "CHECKPOINT_INVALID");
    config["resume"] = false;
    check(run_trainer("train", config).exit == EXIT_DONE, "a good checkpoint");
    const std::string checkpoint = read_text(tmp_file("run.checkpoint"));
    write_text(tmp_file("run.checkpoint"), checkpoint.substr(0, checkpoint.size()*2/3));
    config["resume"] = true;
    expect_error("truncated checkpoint", run_trainer("train", config), "GGUF_DAMAGED");

    const auto resumed = [&](const std::string & bytes) {
        write_text(tmp_file("run.checkpoint"), bytes);
        return run_trainer("train", config);
    };
    expect_error("a step beyond the end", resumed(with_int(checkpoint, "checkpoint.step", 2)), "CHECKPOINT_INVALID");
    expect_error("more updates than steps", resumed(with_int(checkpoint, "checkpoint.adam_t", 2)), "GGUF_DAMAGED");
    config["loss"] = "exo";
    config["max_steps"] = 2;
    config["resume"] = false;
    check(run_trainer("train", config).exit == EXIT_DONE, "a good checkpoint of EXO");
    config["resume"] = true;
    std::string without = with_int(read_text(tmp_file("run.checkpoint")), "checkpoint.adam_t", 1);
    without.replace(without.find("ref_chosen_logps"), 3, "xxx");
    expect_error("a checkpoint without references", resumed(with_int(without, "checkpoint.step", 1)), "CHECKPOINT_INVALID");
}

// A second moment that was damaged to negative numbers makes the last update NaN: no adapter may come of it.
static void test_divergence() {
    json config = base_config();
    config["adapter_out"] = tmp_file("diverged.gguf");
    config["checkpoint"] = {{"path", tmp_file("diverged.checkpoint")}};
    config["max_steps"] = 2;
    check(run_trainer("train", config).exit == EXIT_DONE, "a checkpoint to damage");
    platform_remove(tmp_file("diverged.gguf"));
    std::string bytes = with_int(with_int(read_text(tmp_file("diverged.checkpoint")), "checkpoint.adam_t", 1), "checkpoint.step", 1);
    gguf_file g;
    gguf_file_open(g, tmp_file("diverged.checkpoint"), "test");
    const gguf_tensor_entry & moment = *gguf_file_find(g, "v:blk.0.attn_q.weight.lora_a");
    const std::vector<float> negative(moment.nbytes/sizeof(float), -1.0f);
    bytes.replace(moment.offset, moment.nbytes, (const char *) negative.data(), moment.nbytes);
    gguf_file_close(g);
    write_text(tmp_file("diverged.checkpoint"), bytes);
    config["resume"] = true;
    expect_error("an update that is not finite", run_trainer("train", config), "DIVERGED");
    check(platform_file_size(tmp_file("diverged.gguf")) < 0, "no adapter is written");
}

// Random damage to the metadata of each kind of file: whatever it does, the answer is an event and a documented exit code.
static void test_damaged_bytes() {
    const std::string original = read_text(fixture("model-f32.gguf"));
    for (uint64_t i = 0; i < 150; i++) {
        std::string bytes = original;
        const size_t n = 1 + random_bits(5, i, 0) % 6;
        for (size_t j = 0; j < n; j++) {
            // the metadata is the first 12 kB; every third file is damaged anywhere
            const size_t range = i % 3 ? 13000 : bytes.size();
            bytes[random_bits(5, i, 2*j + 1) % range] = (char) random_bits(5, i, 2*j + 2);
        }
        write_text(tmp_file("fuzzed.gguf"), bytes);
        const trainer_output out = score_with("model", tmp_file("fuzzed.gguf"));
        const bool documented = out.exit == EXIT_DONE || ((out.exit == EXIT_INPUT || out.exit == EXIT_RESOURCE) && !out.error_code().empty());
        check(documented, "damaged file " + std::to_string(i) + ": exit " + std::to_string(out.exit) + " " + out.text.substr(0, 300));
    }
}

static void test_libraries() {
#ifndef _WIN32
    const trainer_output out = run_trainer("devices", std::string(), "PREFLEXOR_GGML_DIR='" + tmp_file("") + "' ");
    expect_error("a folder without ggml", out, "GGML_LIBRARY", EXIT_RESOURCE);
#endif
}

// A limit on the size of files makes writes fail half-way, like a disk that is full.
static void test_failing_writes() {
#ifndef _WIN32
    json config = base_config();
    config["adapter_out"] = tmp_file("full.gguf");
    config["checkpoint"] = {{"path", tmp_file("full.checkpoint")}, {"every_steps", 1}};
    config["max_steps"] = 3;
    // the checkpoint has 200 kB, the limit is 50 blocks of 1 kB or 512 bytes
    const trainer_output out = run_trainer("train", config, "trap '' XFSZ; ulimit -f 50; ");
    expect_error("disk full", out, "WRITE_FAILED");
    check(!checkpoint_exists(tmp_file("full.checkpoint")) && !checkpoint_exists(tmp_file("full.checkpoint.tmp")), "no half-written file is left");
#endif
}

int main() {
    test_config();
    test_losses();
    test_outputs();
    test_pairs();
    test_models();
    test_sliding_window();
    test_adapters();
    test_checkpoints();
    test_divergence();
    test_damaged_bytes();
    test_libraries();
    test_failing_writes();
    return test_result();
}
