#include "random-model.h"

#include "platform.h"
#include "protocol.h"
#include "random.h"

#include <cmath>
#include <cstring>
#include <thread>

// Large matrices by all cores, rows from..to - 1 by one of them.
template <typename F>
static void each_part(int64_t n_rows, int64_t n_in, const F & work) {
    const int64_t n_threads = n_rows*n_in > 1000000 ? std::max(1u, std::thread::hardware_concurrency()) : 1;
    std::vector<std::thread> threads;
    for (int64_t t = 0; t < n_threads; t++) {
        threads.emplace_back(work, n_rows*t/n_threads, n_rows*(t + 1)/n_threads);
    }
    for (std::thread & t : threads) {
        t.join();
    }
}

struct tensor_writer {
    gguf_context * g;
    ggml_context * ctx;
    const random_model & m;
    uint64_t stream = 0;

    // weights of variance 1/n_in, as in a trained model's order of magnitude
    void matrix(const std::string & name, int64_t n_in, int64_t n_out, ggml_type type) {
        std::vector<float> values((size_t) (n_in*n_out));
        const uint64_t s = stream++;
        const double spread = sqrt(3.0/(double) n_in);
        each_part(n_out, n_in, [&](int64_t from, int64_t to) {
            for (int64_t i = from*n_in; i < to*n_in; i++) {
                values[(size_t) i] = (float) (spread*(2*random_unit(m.seed, s, (uint64_t) i) - 1));
            }
        });
        add(name, values, n_in, n_out, type);
    }

    void add(const std::string & name, const std::vector<float> & values, int64_t n_in, int64_t n_out, ggml_type type) {
        std::vector<uint8_t> data((size_t) n_out*ggml_row_size(type, n_in));
        const std::vector<float> importance((size_t) n_in, 1.0f); // some types cannot be made without
        ggml_quantize_init(type);
        each_part(n_out, n_in, [&](int64_t from, int64_t to) {
            ggml_quantize_chunk(type, values.data(), data.data(), from*n_in, to - from, n_in, ggml_quantize_requires_imatrix(type) ? importance.data() : nullptr);
        });
        ggml_tensor * t = ggml_new_tensor_2d(ctx, m.dequantised ? GGML_TYPE_F32 : type, n_in, n_out);
        ggml_set_name(t, name.c_str());
        if (m.dequantised && type != GGML_TYPE_F32) {
            ggml_get_type_traits(type)->to_float(data.data(), (float *) t->data, n_in*n_out);
        } else {
            memcpy(t->data, data.data(), data.size());
        }
        gguf_add_tensor(g, t);
    }

    void vector(const std::string & name, int64_t n, double middle) {
        ggml_tensor * t = ggml_new_tensor_1d(ctx, GGML_TYPE_F32, n);
        ggml_set_name(t, name.c_str());
        const uint64_t s = stream++;
        for (int64_t i = 0; i < n; i++) {
            ((float *) t->data)[i] = (float) (middle + 0.1*(2*random_unit(m.seed, s, (uint64_t) i) - 1));
        }
        gguf_add_tensor(g, t);
    }
};

static void write_layer(tensor_writer & w, const random_model & m, int64_t layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    const int64_t q_dim = m.n_head*m.head_dim, kv_dim = m.n_head_kv*m.head_dim;
    w.vector(block + "attn_norm.weight", m.n_embd, 1);
    w.matrix(block + "attn_q.weight",      m.n_embd, q_dim,    m.type);
    w.matrix(block + "attn_k.weight",      m.n_embd, kv_dim,   m.type);
    w.matrix(block + "attn_v.weight",      m.n_embd, kv_dim,   m.type);
    w.matrix(block + "attn_output.weight", q_dim,    m.n_embd, m.type);
    w.vector(block + "ffn_norm.weight", m.n_embd, 1);
    w.matrix(block + "ffn_gate.weight", m.n_embd, m.n_ff,   m.type);
    w.matrix(block + "ffn_up.weight",   m.n_embd, m.n_ff,   m.type);
    w.matrix(block + "ffn_down.weight", m.n_ff,   m.n_embd, m.type);
}

static size_t context_bytes(const random_model & m) {
    const int64_t q_dim = m.n_head*m.head_dim, kv_dim = m.n_head_kv*m.head_dim;
    const double per_layer = (double) (2*m.n_embd*q_dim + 2*m.n_embd*kv_dim + 3*m.n_embd*m.n_ff);
    const double layer_type = m.dequantised ? 4 : (double) ggml_type_size(m.type)/ggml_blck_size(m.type);
    const double embd_type  = m.dequantised ? 4 : (double) ggml_type_size(m.embd_type)/ggml_blck_size(m.embd_type);
    return (size_t) (m.n_layer*(per_layer*layer_type + 16384 + 8*m.n_embd) + 2*m.n_embd*m.n_vocab*embd_type) + (1 << 20);
}

void random_model_write(const random_model & m, const std::string & path) {
    gguf_context * g = gguf_init_empty();
    const std::string p = m.architecture + ".";
    const auto u32 = [&](const std::string & key, int64_t value) { gguf_set_val_u32(g, (p + key).c_str(), (uint32_t) value); };
    gguf_set_val_str(g, "general.architecture", m.architecture.c_str());
    gguf_set_val_str(g, "general.name", "random weights");
    u32("block_count", m.n_layer);
    u32("embedding_length", m.n_embd);
    u32("feed_forward_length", m.n_ff);
    u32("attention.head_count", m.n_head);
    u32("attention.head_count_kv", m.n_head_kv);
    u32("attention.key_length", m.head_dim);
    u32("attention.value_length", m.head_dim);
    u32("rope.dimension_count", m.head_dim);
    u32("context_length", 8192);
    gguf_set_val_f32(g, (p + "attention.layer_norm_rms_epsilon").c_str(), 1e-5f);
    gguf_set_val_f32(g, (p + "rope.freq_base").c_str(), 10000.0f);

    ggml_context * ctx = ggml_init({context_bytes(m), nullptr, /*no_alloc =*/ false});
    tensor_writer w{g, ctx, m};
    w.matrix("token_embd.weight", m.n_embd, m.n_vocab, m.embd_type);
    w.vector("output_norm.weight", m.n_embd, 1);
    if (!m.tied) {
        w.matrix("output.weight", m.n_embd, m.n_vocab, m.embd_type);
    }
    for (int64_t layer = 0; layer < m.n_layer; layer++) {
        write_layer(w, m, layer);
    }
    if (!gguf_write_to_file(g, path.c_str(), false)) {
        fail_input("WRITE_FAILED", "cannot write " + path);
    }
    gguf_free(g);
    ggml_free(ctx);
}

void random_pairs_write(const std::string & path, int n_pairs, int n_prompt, int n_chosen, int n_rejected, int64_t n_vocab) {
    FILE * file = platform_open_file(path, "wb");
    uint64_t index = 0;
    const auto ids = [&](int n) {
        json list = json::array();
        for (int i = 0; i < n; i++) {
            list.push_back(random_bits(3, 0, index++) % (uint64_t) n_vocab);
        }
        return list;
    };
    for (int i = 0; i < n_pairs; i++) {
        const json row = {{"id", i}, {"prompt", ids(n_prompt)}, {"chosen", ids(n_chosen)}, {"rejected", ids(n_rejected)}};
        fprintf(file, "%s\n", row.dump().c_str());
    }
    fclose(file);
}
