// inspect is the one answer to "can this model be trained": whole files that are no model to train are named as what they are, with
// what to choose instead, and training refuses them with the same words.
#include "common.h"

#include <functional>

static std::string write_meta(const std::string & name, const std::function<void(gguf_context *)> & fill) {
    gguf_context * g = gguf_init_empty();
    fill(g);
    const std::string path = tmp_file(name);
    gguf_write_to_file(g, path.c_str(), /*only_meta =*/ false);
    gguf_free(g);
    return path;
}

static void expect_refused(const std::string & path, const std::string & code, const std::string & named) {
    const trainer_output out = run_trainer("inspect", path);
    const json event = out.last() ? *out.last() : json::object();
    const std::string reason = event.value("reason", "");
    check(out.exit == EXIT_DONE && out.events.size() == 1 && event.value("event", "") == "model" && event.value("trainable", true) == false, "inspect answers: " + out.text);
    check(event.value("code", "") == code && reason.find(named) != std::string::npos && !event.value("hint", "").empty(), "inspect says \"" + named + "\": " + out.text);
    json config = golden_config("", "orpo");
    config["model"] = path;
    const trainer_output scored = run_trainer("score", config);
    check(scored.exit == EXIT_INPUT && scored.error_code() == code && scored.last()->at("message") == reason, "score refuses it with the same words: " + scored.text);
}

int main() {
    const auto architecture = [](const char * name) {
        return [=](gguf_context * g) { gguf_set_val_str(g, "general.architecture", name); };
    };
    expect_refused(write_meta("part.gguf", [](gguf_context * g) {
        gguf_set_val_str(g, "general.architecture", "llama");
        gguf_set_val_u16(g, "split.no", 0);
        gguf_set_val_u16(g, "split.count", 3);
    }), "UNSUPPORTED_SPLIT", "a split file: part 1 of a model in 3 files");
    expect_refused(write_meta("second-part.gguf", [](gguf_context * g) { // later parts say nothing of the model
        gguf_set_val_u16(g, "split.no", 1);
        gguf_set_val_u16(g, "split.count", 2);
    }), "UNSUPPORTED_SPLIT", "part 2 of a model in 2 files");
    expect_refused(write_meta("mmproj.gguf", architecture("clip")), "UNSUPPORTED_KIND", "a projector");
    expect_refused(write_meta("bert.gguf", architecture("nomic-bert")), "UNSUPPORTED_KIND", "an embedding model");
    expect_refused(write_meta("pooled.gguf", [](gguf_context * g) {
        gguf_set_val_str(g, "general.architecture", "qwen3");
        gguf_set_val_u32(g, "qwen3.pooling_type", 3);
    }), "UNSUPPORTED_KIND", "an embedding model");
    expect_refused(write_meta("other.gguf", architecture("mamba")), "UNSUPPORTED_ARCHITECTURE", "mamba");
    std::string model = read_text(fixture("model-f32.gguf"));
    write_text(tmp_file("big-endian.gguf"), std::string("GGUF\0\0\0\3", 8) + model.substr(8));
    expect_refused(tmp_file("big-endian.gguf"), "UNSUPPORTED_BYTE_ORDER", "a big-endian file");

    for (const char * set : golden_sets()) {
        const trainer_output out = run_trainer("inspect", fixture(golden_name("model", set) + "-f32.gguf"));
        check(out.exit == EXIT_DONE && out.last()->at("trainable") == true && out.last()->at("reason").is_null(), std::string("can be trained: ") + set);
    }
    const trainer_output adapter = run_trainer("inspect", fixture("adapter-init.gguf"));
    check(adapter.exit == EXIT_DONE && adapter.last()->at("event") == "adapter", "an adapter is one: " + adapter.text);
    write_text(tmp_file("damaged.gguf"), model.substr(0, model.size()/2));
    check(run_trainer("inspect", tmp_file("damaged.gguf")).exit == EXIT_INPUT, "a damaged file is an error");
    return test_result();
}
