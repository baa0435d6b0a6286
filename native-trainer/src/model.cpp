#include "model.h"

#include "hash.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

// ---- which tensor belongs where

struct tensor_slot {
    std::string    name;
    ggml_tensor ** tensor;
    int64_t        ne0, ne1; // ne1 = 0: a vector
    bool           required;
};

static linear linear_make(const std::string & name, int64_t n_in, int64_t n_out) {
    linear w;
    w.name  = name;
    w.n_in  = n_in;
    w.n_out = n_out;
    return w;
}

// The complete list of tensors that a model of these sizes can have. A tensor outside this list would be left out of the
// computation in silence, so it is refused.
static std::vector<tensor_slot> model_slots(model & m) {
    const hyper_params & h = m.hparams;
    const int64_t q_dim = h.n_head*h.head_dim, kv_dim = h.n_head_kv*h.head_dim;
    std::vector<tensor_slot> slots = {
        {"token_embd.weight",  &m.token_embd,  h.n_embd, h.n_vocab, true},
        {"output_norm.weight", &m.output_norm, h.n_embd, 0,         true},
        {"output.weight",      &m.output.w,    h.n_embd, h.n_vocab, false},
        {"rope_freqs.weight",  &m.rope_freqs,  h.rope_dims/2, 0,    false},
    };
    for (int64_t il = 0; il < h.n_layer; il++) {
        layer_weights & layer = m.layers[il];
        layer.rope = rope_params_of(h, il);
        const std::string block = "blk." + std::to_string(il) + ".";
        const auto name = [&](lora_target t) { return block + LORA_TARGET_TENSORS[t]; };
        linear * w = layer.linears;
        w[TARGET_Q]    = linear_make(name(TARGET_Q),    h.n_embd, q_dim);
        w[TARGET_K]    = linear_make(name(TARGET_K),    h.n_embd, kv_dim);
        w[TARGET_V]    = linear_make(name(TARGET_V),    h.n_embd, kv_dim);
        w[TARGET_O]    = linear_make(name(TARGET_O),    q_dim,    h.n_embd);
        w[TARGET_GATE] = linear_make(name(TARGET_GATE), h.n_embd, h.n_ff);
        w[TARGET_UP]   = linear_make(name(TARGET_UP),   h.n_embd, h.n_ff);
        w[TARGET_DOWN] = linear_make(name(TARGET_DOWN), h.n_ff,   h.n_embd);
        for (int t = 0; t < TARGET_COUNT; t++) {
            slots.push_back({w[t].name + ".weight", &w[t].w,    w[t].n_in,  w[t].n_out, true});
            slots.push_back({w[t].name + ".bias",   &w[t].bias, w[t].n_out, 0,          false});
        }
        slots.push_back({block + "attn_norm.weight", &layer.attn_norm, h.n_embd, 0, true});
        slots.push_back({block + "ffn_norm.weight",  &layer.ffn_norm,  h.n_embd, 0, true});
        if (h.arch->gemma) {
            slots.push_back({block + "post_attention_norm.weight", &layer.attn_post_norm, h.n_embd, 0, true});
            slots.push_back({block + "post_ffw_norm.weight",       &layer.ffn_post_norm,  h.n_embd, 0, true});
        }
        if (h.arch->qk_norm) {
            slots.push_back({block + "attn_q_norm.weight", &layer.q_norm, h.head_dim, 0, true});
            slots.push_back({block + "attn_k_norm.weight", &layer.k_norm, h.head_dim, 0, true});
        }
    }
    return slots;
}

std::string model_type_problem(ggml_type type) {
    // the types that the tests train on; Q8_1 and Q8_K are activations, the rest are no weights
    static const std::set<ggml_type> trainable = {
        GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1,
        GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL, GGML_TYPE_IQ4_XS,
        GGML_TYPE_IQ3_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ2_S, GGML_TYPE_IQ2_XS, GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ1_M, GGML_TYPE_IQ1_S,
        GGML_TYPE_TQ1_0, GGML_TYPE_TQ2_0, GGML_TYPE_MXFP4, GGML_TYPE_NVFP4, GGML_TYPE_Q1_0, GGML_TYPE_Q2_0,
    };
    return trainable.count(type) ? "" : std::string("type ") + ggml_type_name(type) + " cannot be trained on yet";
}

static void slot_check(const gguf_file & g, const tensor_slot & slot) {
    const gguf_tensor_entry * t = gguf_file_find(g, slot.name);
    if (!t) {
        if (slot.required) {
            fail_input("GGUF_INCOMPLETE", g.path + " has no tensor " + slot.name, "The file is not a complete model.");
        }
        return;
    }
    const int64_t ne1 = slot.ne1 > 0 ? slot.ne1 : 1;
    if (t->ne[0] != slot.ne0 || t->ne[1] != ne1 || t->ne[2] != 1 || t->ne[3] != 1) {
        fail_input("GGUF_DAMAGED", g.path + ": tensor " + slot.name + " has the shape " + gguf_shape(*t) + ", which does not fit the model's sizes", "Copy or download the file again.");
    }
    const std::string problem = slot.ne1 > 0 ? model_type_problem(t->type)
        : t->type == GGML_TYPE_F32 || t->type == GGML_TYPE_F16 || t->type == GGML_TYPE_BF16 ? "" : std::string("a vector of type ") + ggml_type_name(t->type) + " is unknown";
    if (!problem.empty()) {
        fail_input("UNSUPPORTED_TENSOR_TYPE", "tensor " + slot.name + ": " + problem, "Choose another quantisation of the model, for example Q8_0 or Q4_K_M.");
    }
}

static std::string describe_types(const gguf_file & g) {
    std::map<ggml_type, int> counts;
    for (const gguf_tensor_entry & t : g.tensors) {
        counts[t.type]++;
    }
    std::vector<std::pair<int, ggml_type>> sorted;
    for (const auto & c : counts) {
        sorted.push_back({-c.second, c.first});
    }
    std::sort(sorted.begin(), sorted.end());
    std::string text;
    for (const auto & c : sorted) {
        text += (text.empty() ? "" : ", ") + std::string(ggml_type_name(c.second)) + " " + std::to_string(-c.first);
    }
    for (char & c : text) {
        c = (char) std::toupper((unsigned char) c);
    }
    return text;
}

void model_open(model & m, gguf_file & g, const std::string & path) {
    gguf_file_open(g, path, "model");
    m.path    = path;
    m.hparams = hyper_params_read(g);
    m.name    = gguf_file_text(g, "general.name", "");
    const gguf_tensor_entry * embd = gguf_file_find(g, "token_embd.weight");
    m.hparams.n_vocab = embd ? embd->ne[1] : 0;
    if (m.hparams.n_vocab > INT32_MAX || (uint64_t) m.hparams.n_layer > g.tensors.size()) {
        fail_input("GGUF_DAMAGED", g.path + ": its sizes cannot be true", "Copy or download the file again.");
    }
    m.layers.resize((size_t) m.hparams.n_layer);
    m.output = linear_make("output", m.hparams.n_embd, m.hparams.n_vocab);

    std::set<std::string> known;
    for (const tensor_slot & slot : model_slots(m)) {
        slot_check(g, slot);
        known.insert(slot.name);
    }
    for (const gguf_tensor_entry & t : g.tensors) {
        if (!known.count(t.name)) {
            fail_input("UNSUPPORTED_TENSOR", g.path + ": tensor " + t.name + " is unknown for architecture " + m.hparams.arch->name + ", training would leave it out", "Choose another base model.");
        }
        m.n_params += t.ne[0]*t.ne[1]*t.ne[2]*t.ne[3];
        m.n_bytes  += (int64_t) t.nbytes;
    }
    m.tensor_types = describe_types(g);
}

// ---- loading

static ggml_type loaded_type(const gguf_tensor_entry & t, const model_plan & plan) {
    return t.n_dims == 1 || plan.precision_f32 ? GGML_TYPE_F32 : t.type;
}

size_t model_weight_bytes(const gguf_file & g, const model_plan & plan) {
    size_t bytes = 0;
    for (const gguf_tensor_entry & t : g.tensors) {
        const size_t n = (size_t) (t.ne[0]*t.ne[1]*t.ne[2]*t.ne[3]);
        bytes += loaded_type(t, plan) == t.type ? t.nbytes : n*sizeof(float);
    }
    return bytes;
}

// Reads one tensor in pieces of whole rows: checks every block for NaN and infinity, hashes, converts when asked to.
static void load_tensor(const gguf_file & g, const gguf_tensor_entry & t, ggml_tensor * tensor, content_hash & hash) {
    const size_t row_bytes = ggml_row_size(t.type, t.ne[0]);
    const int64_t n_rows = t.ne[1]*t.ne[2]*t.ne[3];
    const int64_t piece_rows = std::max<int64_t>(1, (int64_t) ((4 << 20) / row_bytes));
    std::vector<uint8_t> piece((size_t) std::min(piece_rows, n_rows)*row_bytes);
    std::vector<float> converted;
    for (int64_t row = 0; row < n_rows; row += piece_rows) {
        const int64_t rows = std::min(piece_rows, n_rows - row);
        const size_t size = (size_t) rows*row_bytes;
        gguf_file_read(g, t, (uint64_t) row*row_bytes, piece.data(), size);
        if (!ggml_validate_row_data(t.type, piece.data(), size)) {
            fail_input("NAN_WEIGHTS", "tensor " + t.name + " of " + g.path + " holds NaN or infinite weights", "Copy or download the file again.");
        }
        hash.add(piece.data(), size);
        if (tensor->type == t.type) {
            ggml_backend_tensor_set(tensor, piece.data(), (size_t) row*row_bytes, size);
        } else {
            const int64_t n = rows*t.ne[0];
            converted.resize((size_t) n);
            ggml_get_type_traits(t.type)->to_float(piece.data(), converted.data(), n);
            ggml_backend_tensor_set(tensor, converted.data(), (size_t) (row*t.ne[0])*sizeof(float), (size_t) n*sizeof(float));
        }
    }
}

static void make_iota(model & m) {
    int64_t n = m.hparams.n_vocab;
    for (const linear & w : m.layers[0].linears) {
        n = std::max(n, w.n_out);
    }
    m.iota = ggml_new_tensor_1d(m.ctx_weights, GGML_TYPE_I32, n);
    ggml_set_name(m.iota, "iota");
}

void model_place(model & m, const gguf_file & g, device & d, const model_plan & plan) {
    m.ctx_weights = ggml_init({ggml_tensor_overhead()*(g.tensors.size() + 8), nullptr, /*no_alloc =*/ true});
    const std::vector<tensor_slot> slots = model_slots(m);
    for (const tensor_slot & slot : slots) {
        if (const gguf_tensor_entry * t = gguf_file_find(g, slot.name)) {
            *slot.tensor = ggml_new_tensor_2d(m.ctx_weights, loaded_type(*t, plan), t->ne[0], t->ne[1]);
            ggml_set_name(*slot.tensor, slot.name.c_str());
        }
    }
    make_iota(m);
    m.buffer_weights = device_alloc(d, m.ctx_weights, "the model's weights");
    if (!m.output.w) {
        m.output.w = m.token_embd;
    }
}

void model_load(model & m, const gguf_file & g, device & d, const model_plan & plan) {
    model_place(m, g, d, plan);
    ggml_backend_buffer_set_usage(m.buffer_weights, GGML_BACKEND_BUFFER_USAGE_WEIGHTS);

    std::vector<int32_t> iota((size_t) m.iota->ne[0]);
    std::iota(iota.begin(), iota.end(), 0);
    ggml_backend_tensor_set(m.iota, iota.data(), 0, iota.size()*sizeof(int32_t));

    content_hash hash;
    for (const gguf_tensor_entry & t : g.tensors) {
        hash.add(t.name.data(), t.name.size());
        hash.add(&t.type, sizeof(t.type));
        load_tensor(g, t, ggml_get_tensor(m.ctx_weights, t.name.c_str()), hash);
    }
    m.hash = hash.hex();
}

// ---- transposed copies for the backward pass

static ggml_type transposed_type(const linear & w) {
    // BF16 keeps the exponent range of F32: small gradients survive, which they do not in F16 or Q8_0
    return w.w->type == GGML_TYPE_F32 ? GGML_TYPE_F32 : GGML_TYPE_BF16;
}

size_t model_transposed_layer_bytes(const model & m) {
    size_t sum = 0;
    for (const layer_weights & layer : m.layers) {
        for (const linear & w : layer.linears) {
            sum += (size_t) (w.n_in*w.n_out)*ggml_type_size(transposed_type(w));
        }
    }
    return sum;
}

// w_t[:, rows] = W[rows, :] transposed, a block of rows at a time to keep the F32 intermediate small
static void transpose_block(const model & m, device & d, const linear & w, int64_t row, int64_t rows) {
    graph g = graph_begin(d);
    ggml_tensor * index  = ggml_view_1d(g.ctx, m.iota, rows, (size_t) row*sizeof(int32_t));
    ggml_tensor * values = ggml_get_rows(g.ctx, w.w, index);                                          // (n_in, rows) F32
    ggml_tensor * target = ggml_view_2d(g.ctx, w.w_t, rows, w.n_in, w.w_t->nb[1], (size_t) row*ggml_type_size(w.w_t->type));
    graph_expand(g, ggml_cpy(g.ctx, ggml_transpose(g.ctx, values), target));                          // (rows, n_in)
    graph_run(g);
}

static void transpose(model & m, device & d, const std::vector<linear *> & list) {
    ggml_context * ctx = ggml_init({ggml_tensor_overhead()*(list.size() + 1), nullptr, /*no_alloc =*/ true});
    m.ctx_transposed.push_back(ctx);
    for (linear * w : list) {
        w->w_t = ggml_new_tensor_2d(ctx, transposed_type(*w), w->n_out, w->n_in);
    }
    m.buffer_transposed.push_back(device_alloc(d, ctx, "the transposed weights of the backward pass"));
    if (d.measures) {
        return;
    }
    for (linear * w : list) {
        const int64_t block = 4096;
        for (int64_t row = 0; row < w->n_out; row += block) {
            transpose_block(m, d, *w, row, std::min(block, w->n_out - row));
        }
    }
}

void model_transpose_output(model & m, device & d) {
    transpose(m, d, {&m.output});
}

void model_transpose_layers(model & m, device & d) {
    std::vector<linear *> list;
    for (layer_weights & layer : m.layers) {
        for (linear & w : layer.linears) {
            list.push_back(&w);
        }
    }
    transpose(m, d, list);
}

void model_drop_transposed_layers(model & m) {
    ggml_backend_buffer_free(m.buffer_transposed.back());
    ggml_free(m.ctx_transposed.back());
    m.buffer_transposed.pop_back();
    m.ctx_transposed.pop_back();
    for (layer_weights & layer : m.layers) {
        for (linear & w : layer.linears) {
            w.w_t = nullptr;
        }
    }
}

void model_free(model & m) {
    for (ggml_backend_buffer_t buffer : m.buffer_transposed) {
        ggml_backend_buffer_free(buffer);
    }
    for (ggml_context * ctx : m.ctx_transposed) {
        ggml_free(ctx);
    }
    ggml_backend_buffer_free(m.buffer_weights);
    ggml_free(m.ctx_weights);
    m = model();
}

json model_describe(const model & m) {
    const hyper_params & h = m.hparams;
    return {
        {"path", m.path},
        {"name", m.name},
        {"architecture", h.arch->name},
        {"parameters", m.n_params},
        {"size_bytes", m.n_bytes},
        {"tensor_types", m.tensor_types},
        {"n_layer", h.n_layer},
        {"n_embd", h.n_embd},
        {"n_ff", h.n_ff},
        {"n_head", h.n_head},
        {"n_head_kv", h.n_head_kv},
        {"head_dim", h.head_dim},
        {"n_vocab", h.n_vocab},
        {"context_length", h.n_ctx},
        {"sliding_window", h.swa_window}, // 0: every layer sees everything
    };
}
