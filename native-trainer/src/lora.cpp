#include "lora.h"

#include "hash.h"
#include "platform.h"
#include "random.h"

#include <cmath>
#include <cstring>
#include <set>

static const int64_t ROW       = 1024;
static const int64_t ALIGNMENT = 64;       // floats; views start on 256 bytes, which Vulkan asks for

static int64_t padded(int64_t n) {
    return (n + ALIGNMENT - 1)/ALIGNMENT*ALIGNMENT;
}

// Calls f(linear) for each target in storage order.
template <typename M, typename F>
static void for_each_target(M & m, const lora_config & config, F f) {
    for (auto & layer : m.layers) {
        for (int t = 0; t < TARGET_COUNT; t++) {
            if (config.targets[t]) {
                f(layer.linears[t]);
            }
        }
    }
}

static int64_t flat_rows(const model & m, const lora_config & config) {
    int64_t n = 0;
    for_each_target(m, config, [&](const linear & w) { n += padded(w.n_in*config.r) + padded(config.r*w.n_out); });
    return (n + ROW - 1)/ROW;
}

size_t lora_bytes(const model & m, const lora_config & config) {
    return (size_t) (4*flat_rows(m, config)*ROW)*sizeof(float);
}

static ggml_tensor * view(lora_adapter & adapter, ggml_tensor * flat, int64_t offset, int64_t ne0, int64_t ne1, const std::string & name) {
    ggml_tensor * t = ggml_view_2d(adapter.ctx, flat, ne0, ne1, (size_t) ne0*sizeof(float), (size_t) offset*sizeof(float));
    ggml_set_name(t, name.c_str());
    return t;
}

void lora_init(lora_adapter & adapter, model & m, device & d, const lora_config & config) {
    adapter.config = config;
    const int64_t rows = flat_rows(m, config);
    size_t n_pairs = 0;
    for_each_target(m, config, [&](const linear &) { n_pairs++; });
    adapter.pairs.resize(n_pairs); // linears keep pointers into it
    adapter.ctx = ggml_init({ggml_tensor_overhead()*(8*n_pairs + 4), nullptr, /*no_alloc =*/ true});
    for (ggml_tensor ** flat : {&adapter.params, &adapter.grads, &adapter.moment1, &adapter.moment2}) {
        *flat = ggml_new_tensor_2d(adapter.ctx, GGML_TYPE_F32, ROW, rows);
    }
    ggml_set_param(adapter.params);

    int64_t offset = 0;
    size_t i = 0;
    for_each_target(m, config, [&](linear & w) {
        lora_pair & pair = adapter.pairs[i];
        pair.index = i++;
        pair.name  = w.name + ".weight";
        pair.scale = config.alpha/(float) config.r;
        const int64_t offset_b = offset + padded(w.n_in*config.r);
        const std::string name_a = pair.name + ".lora_a", name_b = pair.name + ".lora_b";
        pair.a      = view(adapter, adapter.params, offset,   w.n_in,   config.r, name_a);
        pair.b      = view(adapter, adapter.params, offset_b, config.r, w.n_out,  name_b);
        pair.grad_a = view(adapter, adapter.grads,  offset,   w.n_in,   config.r, name_a);
        pair.grad_b = view(adapter, adapter.grads,  offset_b, config.r, w.n_out,  name_b);
        adapter.moments.push_back(view(adapter, adapter.moment1, offset,   w.n_in,   config.r, "m:" + name_a));
        adapter.moments.push_back(view(adapter, adapter.moment1, offset_b, config.r, w.n_out,  "m:" + name_b));
        adapter.moments.push_back(view(adapter, adapter.moment2, offset,   w.n_in,   config.r, "v:" + name_a));
        adapter.moments.push_back(view(adapter, adapter.moment2, offset_b, config.r, w.n_out,  "v:" + name_b));
        adapter.n_params += (w.n_in + w.n_out)*config.r;
        offset = offset_b + padded(config.r*w.n_out);
        w.lora = &pair;
    });
    adapter.buffer = device_alloc(d, adapter.ctx, "the adapter and its optimizer state");
    if (adapter.buffer) {
        ggml_backend_buffer_clear(adapter.buffer, 0);
    }
}

void lora_free(lora_adapter & adapter) {
    ggml_backend_buffer_free(adapter.buffer);
    ggml_free(adapter.ctx);
    adapter = lora_adapter();
}

void lora_randomize(lora_adapter & adapter, uint64_t seed) {
    for (size_t i = 0; i < adapter.pairs.size(); i++) {
        ggml_tensor * a = adapter.pairs[i].a;
        std::vector<float> values((size_t) ggml_nelements(a));
        const double bound = 1/sqrt((double) a->ne[0]);
        for (size_t j = 0; j < values.size(); j++) {
            values[j] = (float) (bound*(2*random_unit(seed, i, j) - 1));
        }
        ggml_backend_tensor_set(a, values.data(), 0, values.size()*sizeof(float));
        ggml_backend_tensor_memset(adapter.pairs[i].b, 0, 0, ggml_nbytes(adapter.pairs[i].b));
    }
}

void lora_zero_grads(lora_adapter & adapter) {
    ggml_backend_tensor_memset(adapter.grads, 0, 0, ggml_nbytes(adapter.grads));
}

std::string lora_hash(const lora_adapter & adapter, const std::vector<float> & params) {
    content_hash hash;
    hash.add(&adapter.config.r, sizeof(adapter.config.r));
    hash.add(&adapter.config.alpha, sizeof(adapter.config.alpha));
    hash.add(adapter.config.targets, sizeof(adapter.config.targets));
    hash.add(params.data(), params.size()*sizeof(float));
    return hash.hex();
}

std::vector<float> tensor_values(const ggml_tensor * t) {
    std::vector<float> values((size_t) ggml_nelements(t));
    ggml_backend_tensor_get(t, values.data(), 0, values.size()*sizeof(float));
    return values;
}

// ---- reading

[[noreturn]] static void fail_adapter(const gguf_file & g, const std::string & why) {
    fail_input("ADAPTER_MISMATCH", "adapter " + g.path + " " + why, "Choose an adapter that was trained on this base model.");
}

static void header_check(const gguf_file & g, const model & m) {
    if (gguf_file_text(g, "general.type", "") != "adapter" || gguf_file_text(g, "adapter.type", "") != "lora") {
        fail_input("NOT_AN_ADAPTER", g.path + " is no LoRA adapter in GGUF format", "Choose the adapter file that the training wrote.");
    }
    const std::string architecture = gguf_file_text(g, "general.architecture", "");
    if (architecture != m.hparams.arch->name) {
        fail_adapter(g, "is for architecture \"" + architecture + "\", the model is \"" + m.hparams.arch->name + "\"");
    }
}

// Compares every tensor of the file with the model and finds r and the targets.
static lora_config shape_read(const gguf_file & g, const model & m) {
    lora_config found;
    found.r = 0;
    std::fill(found.targets, found.targets + TARGET_COUNT, false);
    std::set<std::string> used;
    for (const layer_weights & layer : m.layers) {
        for (int t = 0; t < TARGET_COUNT; t++) {
            const linear & w = layer.linears[t];
            const gguf_tensor_entry * a = gguf_file_find(g, w.name + ".weight.lora_a");
            const gguf_tensor_entry * b = gguf_file_find(g, w.name + ".weight.lora_b");
            if (!a && !b) {
                continue;
            }
            if (!a || !b || a->ne[0] != w.n_in || b->ne[1] != w.n_out || a->ne[1] != b->ne[0] || a->ne[2]*a->ne[3]*b->ne[2]*b->ne[3] != 1) {
                fail_adapter(g, "does not fit the shape of " + w.name);
            }
            if ((a->type != GGML_TYPE_F32 && a->type != GGML_TYPE_F16) || (b->type != GGML_TYPE_F32 && b->type != GGML_TYPE_F16)) {
                fail_adapter(g, "has " + w.name + " in a type other than F32 and F16");
            }
            if ((found.r != 0 && found.r != a->ne[1]) || a->ne[1] > 1024) {
                fail_adapter(g, "has different ranks, " + std::to_string(found.r) + " and " + std::to_string(a->ne[1]));
            }
            found.r = (int) a->ne[1];
            found.targets[t] = true;
            used.insert(a->name);
            used.insert(b->name);
        }
    }
    for (const gguf_tensor_entry & t : g.tensors) {
        if (!used.count(t.name)) {
            fail_adapter(g, "has the tensor " + t.name + ", which is no LoRA pair of this model");
        }
    }
    if (used.empty()) {
        fail_adapter(g, "holds no LoRA pairs");
    }
    for_each_target(m, found, [&](const linear & w) {
        if (!gguf_file_find(g, w.name + ".weight.lora_a")) {
            fail_adapter(g, "lacks " + w.name + ", which it has in other layers");
        }
    });
    return found;
}

lora_config lora_config_from_file(const gguf_file & g, const model & m, const lora_config & wanted) {
    header_check(g, m);
    lora_config found = shape_read(g, m);
    found.dropout = wanted.dropout;
    found.alpha = (float) gguf_file_number(g, "adapter.lora.alpha", 0);
    if (!(found.alpha >= 0)) {
        fail_adapter(g, "has a negative alpha");
    }
    if (found.alpha == 0) {
        found.alpha = (float) found.r; // llama.cpp takes 0 or no alpha as scale 1
    }
    const char * hint = "Leave lora.r, lora.alpha and lora.targets out to go on with those of the adapter.";
    if (wanted.has_r && wanted.r != found.r) {
        fail_input("ADAPTER_MISMATCH", "lora.r is " + std::to_string(wanted.r) + ", the adapter " + g.path + " has " + std::to_string(found.r), hint);
    }
    if (wanted.has_alpha && wanted.alpha != found.alpha) {
        fail_input("ADAPTER_MISMATCH", "lora.alpha is " + std::to_string(wanted.alpha) + ", the adapter " + g.path + " has " + std::to_string(found.alpha), hint);
    }
    if (wanted.has_targets && !std::equal(found.targets, found.targets + TARGET_COUNT, wanted.targets)) {
        fail_input("ADAPTER_MISMATCH", "lora.targets differ from those of the adapter " + g.path, hint);
    }
    return found;
}

static void load_values(const gguf_file & g, ggml_tensor * target) {
    const gguf_tensor_entry & t = *gguf_file_find(g, target->name);
    std::vector<uint8_t> raw(t.nbytes);
    gguf_file_read(g, t, 0, raw.data(), raw.size());
    if (!ggml_validate_row_data(t.type, raw.data(), raw.size())) {
        fail_input("NAN_WEIGHTS", "tensor " + t.name + " of " + g.path + " holds NaN or infinite weights", "Choose another adapter.");
    }
    if (t.type == GGML_TYPE_F32) {
        ggml_backend_tensor_set(target, raw.data(), 0, raw.size());
        return;
    }
    std::vector<float> values((size_t) ggml_nelements(target));
    ggml_fp16_to_fp32_row((const ggml_fp16_t *) raw.data(), values.data(), (int64_t) values.size());
    ggml_backend_tensor_set(target, values.data(), 0, values.size()*sizeof(float));
}

void lora_load(lora_adapter & adapter, const gguf_file & g) {
    for (lora_pair & pair : adapter.pairs) {
        load_values(g, pair.a);
        load_values(g, pair.b);
    }
}

// ---- writing

void gguf_write_atomic(gguf_context * g, const std::string & path) {
    const std::string tmp = path + ".tmp";
    size_t expected = gguf_get_meta_size(g);
    const size_t alignment = gguf_get_alignment(g);
    for (int64_t i = 0; i < gguf_get_n_tensors(g); i++) {
        expected += (gguf_get_tensor_size(g, i) + alignment - 1)/alignment*alignment;
    }
    // a full disk can show itself only when the file is closed, so the size is compared as well
    std::string problem = gguf_write_to_file(g, tmp.c_str(), /*only_meta =*/ false) ? "" : "the file cannot be written";
    if (problem.empty() && platform_file_size(tmp) != (int64_t) expected) {
        problem = "the file is not complete";
    }
    if (problem.empty()) {
        problem = platform_sync_and_rename(tmp, path);
    }
    if (!problem.empty()) {
        const bool full = platform_free_bytes(path) < (int64_t) expected;
        platform_remove(tmp);
        fail_input(full ? "DISK_FULL" : "WRITE_FAILED", "cannot write " + path + " (" + std::to_string(expected/1048576 + 1) + " MB): " + (full ? "the disk is full" : problem),
            full ? "Free some space; the run goes on from its last checkpoint with resume:true." : "Check the folder and its permissions.");
    }
}

void output_path_check(const std::string & path) {
    const std::string tmp = path + ".tmp";
    FILE * file = platform_is_dir(path) ? nullptr : platform_open_file(tmp, "wb"); // a folder could not be replaced at the end
    if (!file) {
        fail_input("WRITE_FAILED", "cannot write to " + path, "Check that the folder exists and can be written to.");
    }
    fclose(file);
    platform_remove(tmp);
}

void lora_save(const lora_adapter & adapter, const model & m, const std::string & path) {
    gguf_context * g = gguf_init_empty();
    gguf_set_val_str(g, "general.type", "adapter");
    gguf_set_val_str(g, "general.architecture", m.hparams.arch->name);
    gguf_set_val_str(g, "general.name", ("LoRA for " + (m.name.empty() ? "a model" : m.name)).c_str());
    gguf_set_val_str(g, "adapter.type", "lora");
    gguf_set_val_f32(g, "adapter.lora.alpha", adapter.config.alpha);
    gguf_set_val_str(g, "preflexor.base_model.hash", m.hash.c_str());
    gguf_set_val_str(g, "preflexor.trainer.version", TRAINER_VERSION);
    for (const lora_pair & pair : adapter.pairs) {
        gguf_add_tensor(g, pair.a);
        gguf_add_tensor(g, pair.b);
    }
    try {
        gguf_write_atomic(g, path);
    } catch (...) {
        gguf_free(g);
        throw;
    }
    gguf_free(g);
}
