#include "checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>

static const int FORMAT = 2;

struct identity_part {
    const char *        key;
    const std::string & hash;
    const char *        differs; // what the error says
};

static std::vector<identity_part> identity_parts(const run_identity & i) {
    return {
        {"checkpoint.model_hash", i.model_hash, "the base model differs"},
        {"checkpoint.pairs_hash", i.pairs_hash, "the pairs differ"},
        {"checkpoint.eval_pairs_hash", i.eval_pairs_hash, "eval_pairs differ"},
        {"checkpoint.adapter_in_hash", i.adapter_in_hash, "adapter_in differs"},
        {"checkpoint.reference_adapter_hash", i.reference_adapter_hash, "reference_adapter differs"},
    };
}

// ---- writing

static void add_doubles(gguf_context * g, ggml_context * ctx, const char * name, const std::vector<double> & values) {
    if (values.empty()) {
        return;
    }
    ggml_tensor * t = ggml_new_tensor_1d(ctx, GGML_TYPE_F64, (int64_t) values.size());
    ggml_set_name(t, name);
    memcpy(t->data, values.data(), values.size()*sizeof(double));
    gguf_add_tensor(g, t);
}

void checkpoint_save(const std::string & path, const lora_adapter & adapter, const train_state & s, const run_identity & identity) {
    gguf_context * g = gguf_init_empty();
    const size_t n_values = std::max(s.ref_chosen.size(), s.eval_ref_chosen.size());
    ggml_context * ctx = ggml_init({4*(ggml_tensor_overhead() + n_values*sizeof(double) + 64), nullptr, /*no_alloc =*/ false});
    gguf_set_val_str(g, "general.type", "checkpoint");
    gguf_set_val_u32(g, "checkpoint.format", FORMAT);
    gguf_set_val_str(g, "checkpoint.config", identity.config.dump().c_str());
    for (const identity_part & part : identity_parts(identity)) {
        gguf_set_val_str(g, part.key, part.hash.c_str());
    }
    gguf_set_val_str(g, "checkpoint.device", identity.device.c_str());
    gguf_set_val_i64(g, "checkpoint.step", s.step);
    gguf_set_val_i64(g, "checkpoint.adam_t", s.adam_t);
    gguf_set_val_i64(g, "checkpoint.evaluated_step", s.evaluated_step);
    gguf_set_val_i64(g, "checkpoint.tokens", s.tokens);
    gguf_set_val_f64(g, "checkpoint.seconds", s.seconds);
    gguf_set_val_f64(g, "checkpoint.first_loss", s.first_loss);
    gguf_set_val_f64(g, "checkpoint.last_loss", s.last_loss);
    for (const lora_pair & pair : adapter.pairs) {
        gguf_add_tensor(g, pair.a);
        gguf_add_tensor(g, pair.b);
    }
    for (const ggml_tensor * moment : adapter.moments) {
        gguf_add_tensor(g, moment);
    }
    add_doubles(g, ctx, "ref_chosen_logps",   s.ref_chosen);
    add_doubles(g, ctx, "ref_rejected_logps", s.ref_rejected);
    add_doubles(g, ctx, "eval_ref_chosen_logps",   s.eval_ref_chosen);
    add_doubles(g, ctx, "eval_ref_rejected_logps", s.eval_ref_rejected);
    try {
        gguf_write_atomic(g, path);
    } catch (...) {
        gguf_free(g);
        ggml_free(ctx);
        throw;
    }
    gguf_free(g);
    ggml_free(ctx);
}

// ---- reading

static const char * const HINT = "Start the run again without resume, or give checkpoint.path another name.";

[[noreturn]] static void fail_other(const std::string & path, const std::string & what) {
    fail_input("CHECKPOINT_MISMATCH", "checkpoint " + path + " belongs to another run: " + what, HINT);
}

static void identity_check(const gguf_file & g, const run_identity & identity) {
    if (gguf_file_text(g, "general.type", "") != "checkpoint" || gguf_file_number(g, "checkpoint.format", 0) != FORMAT) {
        fail_input("CHECKPOINT_INVALID", g.path + " is no checkpoint of this version", HINT);
    }
    for (const identity_part & part : identity_parts(identity)) {
        if (gguf_file_text(g, part.key, "") != part.hash) {
            fail_other(g.path, part.differs);
        }
    }
    const json saved = json_parse(gguf_file_text(g, "checkpoint.config", ""));
    std::string differing;
    for (const auto & item : identity.config.items()) {
        if (!saved.is_object() || !saved.contains(item.key()) || saved[item.key()] != item.value()) {
            differing += (differing.empty() ? "" : ", ") + item.key();
        }
    }
    if (!differing.empty()) {
        fail_other(g.path, "the config differs in " + differing);
    }
}

static void read_values(const gguf_file & g, ggml_tensor * target) {
    const gguf_tensor_entry * t = gguf_file_find(g, target->name);
    if (!t || t->type != GGML_TYPE_F32 || t->ne[0] != target->ne[0] || t->ne[1] != target->ne[1] || t->nbytes != ggml_nbytes(target)) {
        fail_input("CHECKPOINT_INVALID", g.path + " does not hold " + target->name, HINT);
    }
    std::vector<uint8_t> data(t->nbytes);
    gguf_file_read(g, *t, 0, data.data(), data.size());
    if (!ggml_validate_row_data(t->type, data.data(), data.size())) {
        fail_input("CHECKPOINT_INVALID", g.path + " holds NaN in " + target->name, HINT);
    }
    ggml_backend_tensor_set(target, data.data(), 0, data.size());
}

static std::vector<double> read_doubles(const gguf_file & g, const char * name) {
    const gguf_tensor_entry * t = gguf_file_find(g, name);
    if (!t || t->type != GGML_TYPE_F64) {
        return {};
    }
    std::vector<double> values(t->nbytes/sizeof(double));
    gguf_file_read(g, *t, 0, values.data(), t->nbytes);
    return values;
}

static train_state read_all(const gguf_file & g, lora_adapter & adapter, const run_identity & identity) {
    identity_check(g, identity);
    train_state s;
    s.step       = gguf_file_int(g, "checkpoint.step", 0, INT64_C(1) << 40);
    s.adam_t     = gguf_file_int(g, "checkpoint.adam_t", 0, s.step); // a step may be without an update
    s.evaluated_step = gguf_file_int(g, "checkpoint.evaluated_step", -1, INT64_C(1) << 40);
    s.tokens     = gguf_file_int(g, "checkpoint.tokens", 0, INT64_C(1) << 52);
    s.seconds    = gguf_file_number(g, "checkpoint.seconds", 0);
    s.first_loss = gguf_file_number(g, "checkpoint.first_loss", 0);
    s.last_loss  = gguf_file_number(g, "checkpoint.last_loss", 0);
    s.ref_chosen   = read_doubles(g, "ref_chosen_logps");
    s.ref_rejected = read_doubles(g, "ref_rejected_logps");
    s.eval_ref_chosen   = read_doubles(g, "eval_ref_chosen_logps");
    s.eval_ref_rejected = read_doubles(g, "eval_ref_rejected_logps");
    for (lora_pair & pair : adapter.pairs) {
        read_values(g, pair.a);
        read_values(g, pair.b);
    }
    for (ggml_tensor * moment : adapter.moments) {
        read_values(g, moment);
    }
    return s;
}

void checkpoint_lock_take(checkpoint_lock & lock, const std::string & path) {
    if (!platform_lock(lock.lock, path + ".lock")) {
        fail_input("CHECKPOINT_IN_USE", "another run is using the checkpoint " + path, "Wait for that run or stop it, or give this one another checkpoint.path (and adapter_out).");
    }
}

bool checkpoint_exists(const std::string & path) {
    return platform_file_size(path) >= 0;
}

train_state checkpoint_load(const std::string & path, lora_adapter & adapter, const run_identity & identity) {
    gguf_file g;
    try {
        gguf_file_open(g, path, "checkpoint");
        const train_state s = read_all(g, adapter, identity);
        gguf_file_close(g);
        return s;
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
}
