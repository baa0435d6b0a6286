#include "pair-graphs.h"

#include "layer.h"

#include <algorithm>

// ---- buffers

void buffers_describe(pair_buffers & b, const model & m, const device & d, int64_t max_tokens, bool dropout) {
    const hyper_params & h = m.hparams;
    b.max_tokens = max_tokens;
    b.max_rows   = max_tokens + 1;      // every token but one, and the last prompt token twice
    b.head_rows  = std::min<int64_t>(b.max_rows, d.is_cpu ? primitives_for(d).cpu_head_rows : 512);
    b.ctx = ggml_init({ggml_tensor_overhead()*16, nullptr, /*no_alloc =*/ true});
    b.ids     = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, max_tokens);
    b.pos     = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, max_tokens);
    if (!primitives_for(d).cpu) { // the CPU's kernels know the segments
        b.mask = ggml_new_tensor_1d(b.ctx, GGML_TYPE_F32, max_tokens*max_tokens);
    }
    b.rows    = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, b.max_rows);
    b.targets = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, b.max_rows);
    b.cells   = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I64, b.max_rows);
    b.x       = ggml_new_tensor_3d(b.ctx, GGML_TYPE_F32, h.n_embd, max_tokens, h.n_layer + 1);
    b.dx      = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, h.n_embd, max_tokens);
    b.logp    = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, 1, b.max_rows);
    b.e       = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, h.n_embd, b.max_rows);
    b.coef    = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, 1, b.max_rows);
    if (dropout) {
        // twice the largest mask, so that the windows of different layers differ
        const int64_t widest = std::max({h.n_embd, h.n_ff, h.n_head*h.head_dim});
        b.dropout = ggml_new_tensor_1d(b.ctx, GGML_TYPE_F32, 2*widest*max_tokens);
    }
}

void buffers_init(pair_buffers & b, const model & m, device & d, int64_t max_tokens, bool dropout) {
    buffers_describe(b, m, d, max_tokens, dropout);
    b.buffer = device_alloc(d, b.ctx, "the activations of the longest pair");
}

void saved_free(saved_layers & saved) {
    ggml_backend_buffer_free(saved.buffer);
    ggml_free(saved.ctx);
    saved = saved_layers();
}

void buffers_upload(pair_buffers & b, const packed_pair & pair, int64_t n_vocab) {
    const size_t n = pair.rows.size();
    b.n_prompt = pair.n_prompt;
    b.n_chosen = pair.n_chosen;
    std::vector<int64_t> cells(n);
    for (size_t i = 0; i < n; i++) {
        cells[i] = (int64_t) i % b.head_rows*n_vocab + pair.targets[i];
    }
    ggml_backend_tensor_set(b.ids,     pair.ids.data(),     0, pair.ids.size()*sizeof(int32_t));
    ggml_backend_tensor_set(b.pos,     pair.pos.data(),     0, pair.pos.size()*sizeof(int32_t));
    ggml_backend_tensor_set(b.rows,    pair.rows.data(),    0, n*sizeof(int32_t));
    ggml_backend_tensor_set(b.targets, pair.targets.data(), 0, n*sizeof(int32_t));
    ggml_backend_tensor_set(b.cells,   cells.data(),        0, n*sizeof(int64_t));
    if (b.mask) {
        const std::vector<float> mask = attention_mask(pair);
        ggml_backend_tensor_set(b.mask, mask.data(), 0, mask.size()*sizeof(float));
    }
}

// ---- graphs. n_tokens and n_rows are those of the pair at hand, the buffers hold those of the longest

static pass pass_begin(policy & p, int64_t n_tokens, bool with_lora) {
    pass s;
    s.g    = graph_begin(p.dev);
    s.ops  = &primitives_for(p.dev);
    s.base = &p.base;
    s.pos  = ggml_view_1d(s.g.ctx, p.buffers.pos, n_tokens, 0);
    if (p.buffers.mask) {
        s.mask = ggml_view_2d(s.g.ctx, p.buffers.mask, n_tokens, n_tokens, (size_t) n_tokens*sizeof(float), 0);
    }
    s.n_prompt = p.buffers.n_prompt;
    s.n_chosen = p.buffers.n_chosen;
    s.by_group = p.attention_by_group;
    s.lora = with_lora && p.has_adapter;
    s.dropout = s.lora && p.dropout ? p.buffers.dropout : nullptr;
    s.dropout_seed = p.dropout_seed;
    s.fine = p.fine;
    return s;
}

// X[layer] (n_embd, n_tokens)
static ggml_tensor * layer_input(pass & s, const pair_buffers & b, int64_t layer, int64_t n_tokens) {
    return ggml_view_2d(s.g.ctx, b.x, b.x->ne[0], n_tokens, b.x->nb[1], (size_t) layer*b.x->nb[2]);
}

static ggml_tensor * columns(pass & s, ggml_tensor * t, int64_t first, int64_t n) {
    return ggml_view_2d(s.g.ctx, t, t->ne[0], n, t->nb[1], (size_t) first*t->nb[1]);
}

static ggml_tensor * entries(pass & s, ggml_tensor * t, int64_t first, int64_t n) {
    return ggml_view_1d(s.g.ctx, t, n, (size_t) first*t->nb[0]);
}

static void store(pass & s, ggml_tensor * value, ggml_tensor * target) {
    graph_expand(s.g, ggml_cpy(s.g.ctx, value, target));
}

void embed(policy & p, int64_t n_tokens) {
    pass s = pass_begin(p, n_tokens, false);
    const float scale = p.base.hparams.embd_scale;
    ggml_tensor * x = ggml_get_rows(s.g.ctx, p.base.token_embd, entries(s, p.buffers.ids, 0, n_tokens));
    store(s, scale != 1.0f ? ggml_scale(s.g.ctx, x, scale) : x, layer_input(s, p.buffers, 0, n_tokens));
    graph_run(s.g);
}

static void use_saved(pass & s, const policy & p, int64_t layer, tape_mode mode) {
    s.mode        = mode;
    s.saved       = p.saved.memory;
    s.saved_bytes = layer*p.saved.layer_bytes;
}

pass layer_forward_graph(policy & p, int64_t layer, int64_t n_tokens, bool with_lora, tape_mode mode) {
    pass s = pass_begin(p, n_tokens, with_lora);
    use_saved(s, p, layer, mode);
    layer_tape tape;
    ggml_tensor * to = layer_input(s, p.buffers, layer + 1, n_tokens);
    graph_expand(s.g, layer_forward(s, p.base.layers[(size_t) layer], layer_input(s, p.buffers, layer, n_tokens), tape, to));
    return s;
}

pass head_graph(policy & p, int64_t n_tokens, int64_t first, int64_t n, bool direction) {
    const pair_buffers & b = p.buffers;
    pass s = pass_begin(p, n_tokens, false);
    ggml_tensor * x = ggml_get_rows(s.g.ctx, layer_input(s, b, p.base.hparams.n_layer, n_tokens), entries(s, b.rows, first, n)); // (n_embd, n)
    ggml_tensor * h = s.ops->norm_forward(s, x, p.base.output_norm, norm_reader::product, {});
    ggml_tensor * targets = ggml_reshape_2d(s.g.ctx, entries(s, b.targets, first, n), 1, n);
    ggml_tensor * logp = nullptr, * e = nullptr;
    s.ops->head(s, p.base.output, h, targets, entries(s, b.cells, first, n), &logp, direction ? &e : nullptr);
    store(s, logp, columns(s, b.logp, first, n));
    if (direction) {
        store(s, e, columns(s, b.e, first, n));
    }
    return s;
}

// dX at the output of the last layer: coef e through the final norm, added up where a row occurs twice
void head_backward_graph(policy & p, int64_t n_tokens, int64_t n_rows) {
    const pair_buffers & b = p.buffers;
    pass s = pass_begin(p, n_tokens, false);
    ggml_context * ctx = s.g.ctx;
    ggml_tensor * rows = entries(s, b.rows, 0, n_rows);
    ggml_tensor * last = layer_input(s, b, p.base.hparams.n_layer, n_tokens);
    ggml_tensor * x    = ggml_get_rows(ctx, last, rows);                                              // (n_embd, n_rows)
    ggml_tensor * dh   = ggml_mul(ctx, columns(s, b.e, 0, n_rows), columns(s, b.coef, 0, n_rows));
    ggml_tensor * dx   = s.ops->norm_backward(s, x, p.base.output_norm, dh, {});
    store(s, ggml_get_rows_back(ctx, dx, rows, last), columns(s, b.dx, 0, n_tokens));
    graph_run(s.g);
}

pass layer_backward_graph(policy & p, int64_t layer, int64_t n_tokens, float grad_unscale) {
    pass s = pass_begin(p, n_tokens, true);
    s.grad_unscale = grad_unscale;
    use_saved(s, p, layer, p.saved.memory ? tape_mode::replay : tape_mode::recompute);
    const layer_weights & w = p.base.layers[(size_t) layer];
    ggml_tensor * grad = columns(s, p.buffers.dx, 0, n_tokens);
    layer_tape tape;
    layer_forward(s, w, layer_input(s, p.buffers, layer, n_tokens), tape, nullptr);
    ggml_tensor * dx = layer_backward(s, w, tape, grad, layer > 0 ? grad : nullptr);
    if (dx) {
        graph_expand(s.g, dx);
    }
    return s;
}
