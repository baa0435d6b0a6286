#include "arch.h"

#include "protocol.h"

#include <cmath>

const std::vector<arch_facts> & arch_table() {
    static const std::vector<arch_facts> table = {
        // name       rope                   q/k norm  no rope  gemma
        {"llama",   GGML_ROPE_TYPE_NORMAL, false,    0,       false}, // Llama 2 and 3, Mistral, SmolLM2
        {"qwen2",   GGML_ROPE_TYPE_NEOX,   false,    0,       false}, // with q/k/v biases
        {"qwen3",   GGML_ROPE_TYPE_NEOX,   true,     0,       false},
        {"smollm3", GGML_ROPE_TYPE_NORMAL, false,    4,       false},
        {"gemma3",  GGML_ROPE_TYPE_NEOX,   true,     0,       true},
    };
    return table;
}

static const arch_facts * arch_find(const gguf_file & g) {
    const std::string name = gguf_file_text(g, "general.architecture", "");
    std::string known;
    for (const arch_facts & arch : arch_table()) {
        if (name == arch.name) {
            return &arch;
        }
        known += (known.empty() ? "" : ", ") + std::string(arch.name);
    }
    if (name.empty()) {
        fail_input("GGUF_INCOMPLETE", g.path + " does not say general.architecture", "The file is not a model.");
    }
    fail_input("UNSUPPORTED_ARCHITECTURE", "models of architecture \"" + name + "\" cannot be trained yet; " + known + " can", "Choose another base model.");
}

[[noreturn]] static void fail_feature(const gguf_file & g, const std::string & what) {
    fail_input("UNSUPPORTED_FEATURE", g.path + " uses " + what + ", which cannot be trained yet", "Choose another base model.");
}

static void rope_scaling_read(const gguf_file & g, const std::string & prefix, hyper_params & h) {
    const std::string type = gguf_file_text(g, prefix + "rope.scaling.type", "linear"); // what llama.cpp takes when only a factor is said
    if (type == "linear") {
        h.rope_scale = (float) (1.0 / gguf_file_number(g, prefix + "rope.scaling.factor", 1.0));
        if (!(h.rope_scale > 0 && h.rope_scale <= 1)) {
            fail_input("GGUF_DAMAGED", g.path + ": rope.scaling.factor is out of range", "Copy or download the file again.");
        }
    } else if (type != "none") {
        fail_feature(g, "RoPE scaling of type \"" + type + "\"");
    }
}

// What gemma3 has beside llama's settings, with llama.cpp's defaults.
static void gemma_read(const gguf_file & g, const std::string & prefix, hyper_params & h) {
    if (gguf_file_number(g, prefix + "final_logit_softcapping", 0) != 0) {
        fail_feature(g, "capped logits");
    }
    const bool has_window = gguf_file_has(g, prefix + "attention.sliding_window"), has_period = gguf_file_has(g, prefix + "attention.sliding_window_pattern");
    h.swa_window    = has_window ? gguf_file_int(g, prefix + "attention.sliding_window", 0, 1 << 30) : 0;
    h.swa_period    = has_period ? gguf_file_int(g, prefix + "attention.sliding_window_pattern", 1, 1024) : 6;
    h.swa_rope_base = (float) gguf_file_number(g, prefix + "rope.freq_base_swa", 10000.0);
    h.embd_scale    = sqrtf((float) h.n_embd);
    if (h.n_layer == 62) { // the 27B model; the file does not say it
        h.attn_scale = 1.0f/sqrtf((float) (h.n_embd/h.n_head));
    }
}

static void features_check(const gguf_file & g, const std::string & prefix) {
    if (gguf_file_number(g, prefix + "expert_count", 0) > 0) {
        fail_feature(g, "a mixture of experts");
    }
    for (const char * key : {"attention.head_count", "attention.head_count_kv", "feed_forward_length", "attention.sliding_window_pattern"}) {
        const auto it = g.values.find(prefix + key);
        if (it != g.values.end() && it->second.type == GGUF_TYPE_ARRAY) {
            fail_feature(g, "layers of different sizes");
        }
    }
}

rope_params rope_params_of(const hyper_params & h, int64_t layer) {
    if (h.swa_window > 0 && layer%h.swa_period != h.swa_period - 1) {
        return {true, h.swa_rope_base, 1.0f};
    }
    const int step = h.arch->no_rope_step;
    return {step == 0 || (layer + 1)%step != 0, h.rope_base, h.rope_scale};
}

// GGUF files that are no whole language model are named as what they are.
static void kind_check(const gguf_file & g) {
    const std::string type = gguf_file_text(g, "general.type", "model"), arch = gguf_file_text(g, "general.architecture", "");
    if (type == "adapter") {
        fail_input("NOT_A_MODEL", g.path + " is an adapter, not a model", "Give the base model as model and this file as adapter_in.");
    }
    if (gguf_file_number(g, "split.count", 0) > 1) {
        const int64_t n_parts = gguf_file_int(g, "split.count", 2, 65535), part = gguf_file_int(g, "split.no", 0, 65534) + 1;
        fail_input("UNSUPPORTED_SPLIT", g.path + " is a split file: part " + std::to_string(part) + " of a model in " + std::to_string(n_parts) + " files",
            "Join the parts with llama.cpp's tool, \"llama-gguf-split --merge FIRST-PART WHOLE.gguf\", and choose the whole file.");
    }
    if (type == "mmproj" || arch == "clip") {
        fail_input("UNSUPPORTED_KIND", g.path + " is a projector, the part of a model that reads images or sound (mmproj), not a language model", "Choose the language model that it belongs to.");
    }
    if (gguf_file_number(g, arch + ".pooling_type", 0) > 0 || arch.find("bert") != std::string::npos || arch.find("embedding") != std::string::npos) {
        fail_input("UNSUPPORTED_KIND", g.path + " is an embedding model: it turns texts into vectors and writes none", "Choose a model that generates text.");
    }
}

hyper_params hyper_params_read(const gguf_file & g) {
    kind_check(g);
    hyper_params h;
    h.arch = arch_find(g);
    const std::string prefix = std::string(h.arch->name) + ".";
    features_check(g, prefix);

    h.n_layer   = gguf_file_int(g, prefix + "block_count", 1, 1024);
    h.n_embd    = gguf_file_int(g, prefix + "embedding_length", 1, 1 << 17);
    h.n_ff      = gguf_file_int(g, prefix + "feed_forward_length", 1, 1 << 20);
    h.n_head    = gguf_file_int(g, prefix + "attention.head_count", 1, 4096);
    h.n_head_kv = gguf_file_has(g, prefix + "attention.head_count_kv") ? gguf_file_int(g, prefix + "attention.head_count_kv", 1, 4096) : h.n_head;
    h.head_dim  = gguf_file_has(g, prefix + "attention.key_length")    ? gguf_file_int(g, prefix + "attention.key_length", 2, 4096)    : h.n_embd / h.n_head;
    h.n_ctx     = gguf_file_has(g, prefix + "context_length")          ? gguf_file_int(g, prefix + "context_length", 1, 1 << 30)       : 0;
    h.rope_dims = gguf_file_has(g, prefix + "rope.dimension_count")    ? (int) gguf_file_int(g, prefix + "rope.dimension_count", 2, 4096) : (int) h.head_dim;
    h.rope_base = (float) gguf_file_number(g, prefix + "rope.freq_base", 10000.0);
    h.norm_eps  = (float) gguf_file_number(g, prefix + "attention.layer_norm_rms_epsilon", 1e-5);
    rope_scaling_read(g, prefix, h);

    const double attn_scale = gguf_file_number(g, prefix + "attention.scale", 0);
    h.attn_scale = attn_scale > 0 ? (float) attn_scale : 1.0f / sqrtf((float) h.head_dim);

    if (h.arch->gemma) {
        gemma_read(g, prefix, h);
    }
    const int64_t value_dim = gguf_file_has(g, prefix + "attention.value_length") ? gguf_file_int(g, prefix + "attention.value_length", 2, 4096) : h.head_dim;
    if (value_dim != h.head_dim) {
        fail_feature(g, "keys and values of different lengths");
    }
    const bool sizes_fit = h.head_dim >= 2 && h.head_dim % 2 == 0 && h.n_head % h.n_head_kv == 0 && h.rope_dims <= h.head_dim && h.rope_dims % 2 == 0
        && h.rope_base > 0 && h.swa_rope_base > 0 && h.norm_eps >= 0 && h.norm_eps < 1;
    if (!sizes_fit) {
        fail_input("GGUF_DAMAGED", g.path + ": its heads, RoPE and norm settings do not fit together", "Copy or download the file again.");
    }
    return h;
}
