// selftest: the installed program on the installed libraries gives the numbers that it gave when it was tested: losses of TRL
// on a tiny model, gradients against finite differences, and what is known of the first step without any golden. Takes a few seconds.
#include "gradient-check.h"
#include "loss-config.h"
#include "platform.h"
#include "run.h"

#include <cmath>

static const char * const FILES[] = {"model.gguf", "adapter.gguf", "pairs.jsonl", "expected.json"};

static bool holds_files(const std::string & dir) {
    for (const char * name : FILES) {
        if (platform_file_size(platform_join(dir, name)) < 0) {
            return false;
        }
    }
    return true;
}

static std::string find_dir(const std::string & given) {
    const std::string exe = platform_executable_dir();
    // packaged: resources/selftest beside the executable's folder; built: native-trainer/build
    const std::vector<std::string> candidates = given.empty()
        ? std::vector<std::string>{platform_join(exe, "selftest"), platform_join(exe, "../selftest"), platform_join(exe, "../resources/selftest"), platform_join(exe, "../../resources/selftest")}
        : std::vector<std::string>{given};
    for (const std::string & dir : candidates) {
        if (holds_files(dir)) {
            return dir;
        }
    }
    fail_input("SELFTEST_NOT_FOUND", "the files of the self-test are not in " + candidates.back(), "Give the folder: native-trainer selftest resources/selftest");
}

static json read_json(const std::string & path) {
    FILE * file = platform_open_file(path, "rb");
    std::string text((size_t) std::max<int64_t>(0, platform_file_size(path)), '\0');
    text.resize(file ? fread(&text[0], 1, text.size(), file) : 0);
    if (file) {
        fclose(file);
    }
    const json parsed = json::parse(text, nullptr, /*allow_exceptions =*/ false);
    if (!parsed.is_array()) {
        fail_input("SELFTEST_DAMAGED", path + " cannot be read", "Install the program again.");
    }
    return parsed;
}

struct selftest {
    train_config config;
    policy       policy_;
    pair_set     set;
    bool         passed = true;

    void report(const char * check, const std::string & what, double error, double limit, const json & more = json::object()) {
        const bool ok = error <= limit; // false for NaN
        passed = passed && ok;
        json event = {{"event", "check"}, {"check", check}, {"what", what}, {"error", error}, {"limit", limit}, {"ok", ok}};
        event.update(more);
        emit(event);
    }
};

static void selftest_open(selftest & t, const std::string & dir, const std::string & device) {
    t.config.model         = platform_join(dir, "model.gguf");
    t.config.adapter_in    = platform_join(dir, "adapter.gguf");
    t.config.device        = device;
    t.config.threads       = 1;
    t.config.precision = precision_mode::f32;
    gguf_file g;
    model base;
    model_open(base, g, t.config.model);
    t.set = pairs_read(platform_join(dir, "pairs.jsonl"), base.hparams.n_vocab, t.config.max_length);
    policy_init(t.policy_, t.config, std::move(base), g, t.set.max_tokens, /*training =*/ true);
    gguf_file_close(g);
}

// `golden` = {the config's loss and its settings, losses: one for each pair}
static void check_loss(selftest & t, const json & golden) {
    json settings = golden;
    settings.erase("losses");
    t.config.loss = loss_from_json(settings);
    double worst = 0;
    for (size_t i = 0; i < t.set.pairs.size(); i++) {
        const double expected = golden.at("losses").at(i).get<double>();
        const double error = fabs(policy_loss(t.policy_, t.config, t.set.pairs[i], false).loss - expected)/std::max(1.0, fabs(expected));
        worst = error <= worst ? worst : error;
    }
    const std::string name = loss_label(t.config.loss);
    t.report("losses", name, worst, 1e-5);
    const gradient_error gradient = gradient_check(t.policy_, t.config, t.set.pairs[0]);
    t.report("gradients", name + ", " + std::to_string(gradient.n_tensors) + " tensors, worst " + gradient.name, gradient.relative, 1e-3);
}

// With B = 0 an adapter changes nothing, so the policy is its reference: the loss of every pair is known exactly and no response
// has been preferred yet. What a user sees at the first step of a run.
static void check_start(selftest & t) {
    const std::vector<float> own = tensor_values(t.policy_.lora.params);
    for (lora_pair & pair : t.policy_.lora.pairs) {
        const std::vector<float> zeros((size_t) ggml_nelements(pair.b), 0.0f);
        ggml_backend_tensor_set(pair.b, zeros.data(), 0, zeros.size()*sizeof(float));
    }
    for (const loss_spec * spec : loss_specs()) {
        if (!spec->needs_reference) {
            continue;
        }
        t.config.loss = {{spec, 1, loss_defaults(*spec)}};
        const double expected = loss_at_start(t.config.loss);
        double worst = 0, value = 0;
        for (const token_pair & pair : t.set.pairs) {
            const pair_loss loss = policy_loss(t.policy_, t.config, pair, false);
            const double error = fabs(loss.loss - expected)/std::max(1.0, expected) + fabs(loss.reward_chosen - loss.reward_rejected);
            value = loss.loss;
            worst = error <= worst ? worst : error; // NaN stays
        }
        char text[160];
        snprintf(text, sizeof(text), "%s, a fresh adapter: the loss of every pair is %s = %.6f (here %.6f) and its reward margin 0", spec->name, spec->start_formula, expected, value);
        t.report("start", text, worst, 1e-12, {{"loss", spec->name}, {"value", value}});
    }
    ggml_backend_tensor_set(t.policy_.lora.params, own.data(), 0, own.size()*sizeof(float));
}

int command_selftest(const std::string & given, const std::string & device) {
    const int64_t start_us = ggml_time_us();
    const std::string dir = find_dir(given);
    selftest t;
    selftest_open(t, dir, device);
    for (const json & golden : read_json(platform_join(dir, "expected.json"))) {
        check_loss(t, golden);
    }
    check_start(t);
    policy_free(t.policy_);
    if (!t.passed) {
        fail_resource("SELFTEST_FAILED", "the trainer does not give the expected numbers on this machine", "Install the program again; if it stays so, report the output of this command.");
    }
    emit({{"event", "done"}, {"dir", dir}, {"device", device}, {"seconds", (double) (ggml_time_us() - start_us)/1e6}});
    return EXIT_DONE;
}
