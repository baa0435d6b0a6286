// inspect: facts of a GGUF file and whether it can be trained, without loading its weights.
#include "loss-config.h"
#include "memory-plan.h"
#include "run.h"

#include <algorithm>

static const int64_t INSPECTED_MAX_LENGTH = 1024; // of the recipe for a workstation

static json describe_adapter(const gguf_file & g) {
    int64_t n_params = 0, r = 0;
    for (const gguf_tensor_entry & t : g.tensors) {
        n_params += t.ne[0]*t.ne[1]*t.ne[2]*t.ne[3];
        const std::string suffix = ".lora_b";
        if (t.name.size() > suffix.size() && t.name.compare(t.name.size() - suffix.size(), suffix.size(), suffix) == 0) {
            r = t.ne[0];
        }
    }
    return {
        {"event", "adapter"},
        {"path", g.path},
        {"name", gguf_file_text(g, "general.name", "")},
        {"architecture", gguf_file_text(g, "general.architecture", "")},
        {"r", r},
        {"alpha", gguf_file_number(g, "adapter.lora.alpha", 0)},
        {"parameters", n_params},
        {"tensors", g.tensors.size()},
        {"base_model_hash", gguf_file_text(g, "preflexor.base_model.hash", "")},
    };
}

// A whole file that cannot be trained is an answer, a damaged one an error. Says why and what else to choose in plain words.
static json not_trainable(const gguf_file & g, const failure & f) {
    return {
        {"path", g.path},
        {"name", gguf_file_text(g, "general.name", "")},
        {"architecture", gguf_file_text(g, "general.architecture", "")},
        {"trainable", false},
        {"code", f.code},
        {"reason", f.message},
        {"hint", f.hint},
    };
}

static bool is_answer(const failure & f) {
    return f.code.rfind("UNSUPPORTED", 0) == 0;
}

static json describe_model(const std::string & path) {
    gguf_file g;
    json facts;
    try {
        model m;
        model_open(m, g, path);
        facts = model_describe(m);
        facts["trainable"] = true;
        facts["reason"] = nullptr;
    } catch (const failure & f) {
        if (!is_answer(f)) {
            gguf_file_close(g);
            throw;
        }
        facts = not_trainable(g, f);
    }
    facts["has_chat_template"] = gguf_file_has(g, "tokenizer.chat_template");
    facts["tokenizer"] = gguf_file_text(g, "tokenizer.ggml.model", "");
    gguf_file_close(g);
    json event = {{"event", "model"}};
    event.update(facts);
    return event;
}

static json settings_describe(const train_config & config, int64_t max_tokens) {
    return {
        {"r", config.lora.r},
        {"targets", lora_targets_describe(config.lora)},
        {"max_length", config.max_length},
        {"max_tokens", max_tokens},
        {"precision", precision_name(config.precision)},
        {"loss", loss_label(config.loss)},
    };
}

static json plans_describe(const std::vector<plan_estimate> & estimates) {
    json plans = json::array();
    for (const plan_estimate & estimate : estimates) {
        json plan = {{"memory_estimate_mb", (int64_t) estimate.mb}};
        plan.update(estimate.plan);
        plans.push_back(plan);
    }
    return plans;
}

// For the longest pair that max_length and the model's window let through: one token of prompt and two responses.
static json describe_training_memory(const std::string & path, const std::string & device) {
    train_config config;
    config.device     = device;
    config.max_length = INSPECTED_MAX_LENGTH;
    config.loss       = loss_from_json(json::object()); // the one that a config without "loss" means
    gguf_file g;
    policy pol;
    json event;
    try {
        model base;
        model_open(base, g, path);
        const int64_t window = base.hparams.swa_window;
        const int64_t max_tokens = 2*(window > 0 ? std::min(window, config.max_length) : config.max_length) - 1;
        const double process_mb = policy_measure(pol, config, std::move(base), g, max_tokens);
        size_t taken = 0;
        const std::vector<plan_estimate> estimates = estimate_plans(pol, config, process_mb, taken);
        event = {
            {"event", "training_memory"},
            {"device", device_describe(pol.dev.dev)},
            {"settings", settings_describe(config, max_tokens)},
            {"memory_estimate_mb", (int64_t) estimates[taken].mb},
            {"smallest_mb", (int64_t) estimates.back().mb},
            {"plans", plans_describe(estimates)},
        };
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
    gguf_file_close(g);
    policy_free(pol);
    return event;
}

int command_inspect(const std::string & path, const std::string & device) {
    gguf_file g;
    bool is_adapter = false;
    try {
        gguf_file_open(g, path, "model");
        is_adapter = gguf_file_text(g, "general.type", "model") == "adapter";
        if (is_adapter) {
            emit(describe_adapter(g));
        }
    } catch (const failure & f) {
        gguf_file_close(g);
        if (!is_answer(f)) { // describe_model says what it is
            throw;
        }
    }
    gguf_file_close(g);
    if (!is_adapter) {
        const json facts = describe_model(path);
        emit(facts);
        if (!device.empty() && facts.at("trainable") == true) {
            emit(describe_training_memory(path, device)); // an event of its own: a driver may end the program in here
        }
    }
    return EXIT_DONE;
}
