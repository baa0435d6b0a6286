// inspect: facts of a GGUF file and whether it can be trained, without loading its weights.
#include "run.h"

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

int command_inspect(const std::string & path) {
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
        emit(describe_model(path));
    }
    return EXIT_DONE;
}
