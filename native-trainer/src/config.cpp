#include "config.h"

#include "config-reader.h"
#include "loss-config.h"
#include "platform.h"

const char * const LORA_TARGET_NAMES[TARGET_COUNT]   = {"q", "k", "v", "o", "gate", "up", "down"};
const char * const LORA_TARGET_TENSORS[TARGET_COUNT] = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};

const char * const CONFIG_HINT = "The keys and their defaults are listed in native-trainer/README.md.";

const json & object_check(const json & j, const std::string & what) {
    if (!j.is_object()) {
        fail_input("CONFIG", what + " must be a JSON object", CONFIG_HINT);
    }
    return j;
}

// Accepts "q", "attn_q" (GGUF) and "q_proj" (PEFT).
static lora_target target_from_name(const std::string & name) {
    for (int t = 0; t < TARGET_COUNT; t++) {
        if (name == LORA_TARGET_NAMES[t] || name == LORA_TARGET_TENSORS[t] || name == std::string(LORA_TARGET_NAMES[t]) + "_proj") {
            return (lora_target) t;
        }
    }
    fail_input("CONFIG", "config: lora.targets has an unknown name \"" + name + "\"", "Use q, k, v, o, gate, up, down.");
}

static void read_lora(const json & object, lora_config & lora) {
    object_reader reader{object_check(object, "config: lora"), "lora."};
    int64_t r = lora.r;
    double alpha = lora.alpha, dropout = 0;
    lora.has_r     = reader.integer("r", r, 1, 1024);
    lora.r         = (int) r;
    lora.has_alpha = reader.number("alpha", alpha, 1e-6, 1e6);
    lora.alpha     = (float) (lora.has_alpha ? alpha : lora.has_r ? lora.r : lora.alpha);
    reader.number("dropout", dropout, 0, 0.9);
    lora.dropout   = (float) dropout;
    if (const json * targets = reader.find("targets")) {
        if (!targets->is_array() || targets->empty()) {
            reader.fail("targets", "a list of names");
        }
        lora.has_targets = true;
        std::fill(lora.targets, lora.targets + TARGET_COUNT, false);
        for (const json & name : *targets) {
            if (!name.is_string()) {
                reader.fail("targets", "a list of names");
            }
            lora.targets[target_from_name(name.get<std::string>())] = true;
        }
    }
    reader.finish();
}

static void read_checkpoint(const json & object, train_config & c) {
    object_reader reader{object_check(object, "config: checkpoint"), "checkpoint."};
    reader.text("path", c.checkpoint_path);
    reader.integer("every_steps", c.checkpoint_every_steps, 0, 1000000000);
    reader.finish();
}

static json parse_file(const std::string & path) {
    const int64_t max_bytes = 16 << 20;
    const int64_t size = platform_file_size(path);
    if (size < 0) {
        fail_input("CONFIG_NOT_FOUND", "config file not found: " + path, "Give the path of a JSON file.");
    }
    FILE * file = size <= max_bytes ? platform_open_file(path, "rb") : nullptr;
    if (!file) {
        fail_input("CONFIG", "config file cannot be read: " + path, CONFIG_HINT);
    }
    std::string text((size_t) size, '\0');
    text.resize(fread(&text[0], 1, text.size(), file));
    fclose(file);
    const json parsed = json_parse(text);
    if (parsed.is_discarded()) {
        fail_input("CONFIG", "config file is not valid JSON: " + path, CONFIG_HINT);
    }
    return parsed;
}

// The files that a run writes are neither its inputs nor each other. An adapter may be replaced by what it becomes.
static void outputs_check(const train_config & c) {
    const auto differ = [](const char * key, const std::string & output, const char * other_key, const std::string & other) {
        if (!other.empty() && platform_same_file(output, other)) {
            fail_input("CONFIG", std::string("config: ") + key + " and " + other_key + " are the same file", "Give the output another name.");
        }
    };
    for (const auto & input : {std::make_pair("model", &c.model), {"pairs", &c.pairs}, {"eval_pairs", &c.eval_pairs}, {"reference_adapter", &c.reference_adapter}}) {
        differ("adapter_out",     c.adapter_out,     input.first, *input.second);
        differ("checkpoint.path", c.checkpoint_path, input.first, *input.second);
    }
    differ("checkpoint.path", c.checkpoint_path, "adapter_in",  c.adapter_in);
    differ("checkpoint.path", c.checkpoint_path, "adapter_out", c.adapter_out);
}

static void config_check(train_config & c, config_use use) {
    const auto require = [](const std::string & value, const char * key) {
        if (value.empty()) {
            fail_input("CONFIG", std::string("config: ") + key + " is missing", CONFIG_HINT);
        }
    };
    require(c.model, "model");
    require(c.pairs, "pairs");
    if (use == config_use::train) {
        require(c.adapter_out, "adapter_out");
        if (c.checkpoint_path.empty()) {
            c.checkpoint_path = c.adapter_out + ".checkpoint";
        }
        outputs_check(c);
    }
    if (c.reference == reference_model::adapter_in && c.adapter_in.empty()) {
        fail_input("CONFIG", "config: reference \"adapter_in\" needs adapter_in", "Name the adapter of the stage before, or use reference \"base\".");
    }
    if (!c.reference_adapter.empty()) {
        if (c.reference == reference_model::adapter_in) {
            fail_input("CONFIG", "config: reference_adapter goes without reference \"adapter_in\"", CONFIG_HINT);
        }
        c.reference = reference_model::adapter_file;
    }
    if (c.reference != reference_model::base && !loss_needs_reference(c.loss)) {
        fail_input("CONFIG", std::string("config: ") + (c.reference_adapter.empty() ? "reference" : "reference_adapter") + " says what to compare with, and the loss \"" + loss_label(c.loss) + "\" has no reference model",
            "Leave it out, or choose a loss that has one: " + losses_with_reference() + ".");
    }
    if (c.eval_every_steps > 0 && c.eval_pairs.empty()) {
        fail_input("CONFIG", "config: eval_every_steps needs eval_pairs", CONFIG_HINT);
    }
    if (c.learning_rate == 0) {
        c.learning_rate = c.loss.front().spec->learning_rate;
    }
    if (c.max_grad_norm < 0) {
        c.max_grad_norm = c.loss.front().spec->max_grad_norm;
    }
}

train_config config_read(const std::string & path, config_use use) {
    const json parsed = parse_file(path);
    object_reader reader{object_check(parsed, "config"), ""};
    train_config c;
    int64_t seed = (int64_t) c.seed, threads = 0;

    reader.text("model", c.model);
    reader.text("adapter_in", c.adapter_in);
    reader.text("adapter_out", c.adapter_out);
    reader.text("pairs", c.pairs);
    reader.text("eval_pairs", c.eval_pairs);
    reader.integer("eval_every_steps", c.eval_every_steps, 0, 1000000000);
    c.loss = loss_read(reader);
    reader.choice<reference_model>("reference", c.reference, {{"base", reference_model::base}, {"adapter_in", reference_model::adapter_in}});
    reader.text("reference_adapter", c.reference_adapter);
    reader.text("reference_cache", c.reference_cache);
    reader.number("learning_rate", c.learning_rate, 1e-12, 10);
    reader.choice<lr_schedule>("schedule", c.schedule,
        {{"constant", lr_schedule::constant}, {"linear", lr_schedule::linear}, {"cosine", lr_schedule::cosine}});
    reader.integer("warmup_steps", c.warmup_steps, 0, 1000000000);
    reader.number("adam_beta1", c.adam_beta1, 0, 0.999999);
    reader.number("adam_beta2", c.adam_beta2, 0, 0.999999999);
    reader.number("adam_eps", c.adam_eps, 1e-20, 1);
    reader.number("weight_decay", c.weight_decay, 0, 10);
    reader.number("max_grad_norm", c.max_grad_norm, 0, 1e9);
    reader.integer("gradient_accumulation_steps", c.gradient_accumulation_steps, 1, 1000000);
    reader.integer("epochs", c.epochs, 1, 1000000);
    reader.integer("max_steps", c.max_steps, 1, 1000000000);
    reader.flag("shuffle", c.shuffle);
    reader.integer("seed", seed, 0, INT64_C(9007199254740991));
    if (const json * lora = reader.find("lora")) {
        read_lora(*lora, c.lora);
    }
    reader.integer("max_length", c.max_length, 2, 1 << 20);
    reader.text("device", c.device);
    reader.integer("threads", threads, 1, 1024);
    reader.choice<precision_mode>("precision", c.precision, {{"auto", precision_mode::automatic}, {"fine", precision_mode::fine}, {"f32", precision_mode::f32}});
    if (const json * checkpoint = reader.find("checkpoint")) {
        read_checkpoint(*checkpoint, c);
    }
    reader.flag("resume", c.resume);
    reader.integer("memory_limit_mb", c.memory_limit_mb, 1, 1 << 30);
    reader.flag("token_logps", c.token_logps);
    reader.finish();

    c.seed    = (uint64_t) seed;
    c.threads = (int) threads;
    config_check(c, use);
    return c;
}

const char * precision_name(precision_mode mode) {
    return mode == precision_mode::f32 ? "f32" : mode == precision_mode::fine ? "fine" : "auto";
}

json lora_targets_describe(const lora_config & lora) {
    json targets = json::array();
    for (int t = 0; t < TARGET_COUNT; t++) {
        if (lora.targets[t]) {
            targets.push_back(LORA_TARGET_NAMES[t]);
        }
    }
    return targets;
}

json config_identity(const train_config & c) {
    static const char * const references[] = {"base", "adapter_in", "adapter_file"};
    static const char * const schedules[] = {"constant", "linear", "cosine"};
    json identity = loss_identity(c.loss);
    identity.update({
        {"reference", references[(int) c.reference]},
        {"learning_rate", c.learning_rate},
        {"schedule", schedules[(int) c.schedule]},
        {"warmup_steps", c.warmup_steps},
        {"adam_beta1", c.adam_beta1},
        {"adam_beta2", c.adam_beta2},
        {"adam_eps", c.adam_eps},
        {"weight_decay", c.weight_decay},
        {"max_grad_norm", c.max_grad_norm},
        {"gradient_accumulation_steps", c.gradient_accumulation_steps},
        {"epochs", c.epochs},
        {"max_steps", c.max_steps},
        {"eval_every_steps", c.eval_every_steps},
        {"shuffle", c.shuffle},
        {"seed", c.seed},
        {"lora.r", c.lora.r},
        {"lora.alpha", c.lora.alpha},
        {"lora.dropout", c.lora.dropout},
        {"lora.targets", lora_targets_describe(c.lora)},
        {"max_length", c.max_length},
        {"precision", precision_name(c.precision)},
    });
    return identity;
}
