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
    b.buffer_bytes = device_alloc_size(d, b.ctx);
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

static pass pass_begin(policy & pol, int64_t n_tokens, bool with_lora) {
    pass p;
    p.g    = graph_begin(pol.dev);
    p.ops  = &primitives_for(pol.dev);
    p.base = &pol.base;
    p.pos  = ggml_view_1d(p.g.ctx, pol.buffers.pos, n_tokens, 0);
    if (pol.buffers.mask) {
        p.mask = ggml_view_2d(p.g.ctx, pol.buffers.mask, n_tokens, n_tokens, (size_t) n_tokens*sizeof(float), 0);
    }
    p.n_prompt = pol.buffers.n_prompt;
    p.n_chosen = pol.buffers.n_chosen;
    p.by_group = pol.attention_by_group;
    p.lora = with_lora && pol.has_adapter;
    p.dropout = p.lora && pol.dropout ? pol.buffers.dropout : nullptr;
    p.dropout_seed = pol.dropout_seed;
    p.fine = pol.fine;
    return p;
}

// X[layer] (n_embd, n_tokens)
static ggml_tensor * layer_input(pass & p, const pair_buffers & b, int64_t layer, int64_t n_tokens) {
    return ggml_view_2d(p.g.ctx, b.x, b.x->ne[0], n_tokens, b.x->nb[1], (size_t) layer*b.x->nb[2]);
}

static ggml_tensor * columns(pass & p, ggml_tensor * t, int64_t first, int64_t n) {
    return ggml_view_2d(p.g.ctx, t, t->ne[0], n, t->nb[1], (size_t) first*t->nb[1]);
}

static ggml_tensor * entries(pass & p, ggml_tensor * t, int64_t first, int64_t n) {
    return ggml_view_1d(p.g.ctx, t, n, (size_t) first*t->nb[0]);
}

static void store(pass & p, ggml_tensor * value, ggml_tensor * target) {
    graph_expand(p.g, ggml_cpy(p.g.ctx, value, target));
}

void embed(policy & pol, int64_t n_tokens) {
    pass p = pass_begin(pol, n_tokens, false);
    const float scale = pol.base.hparams.embd_scale;
    ggml_tensor * x = ggml_get_rows(p.g.ctx, pol.base.token_embd, entries(p, pol.buffers.ids, 0, n_tokens));
    store(p, scale != 1.0f ? ggml_scale(p.g.ctx, x, scale) : x, layer_input(p, pol.buffers, 0, n_tokens));
    graph_run(p.g);
}

static void use_saved(pass & p, const policy & pol, int64_t layer, tape_mode mode) {
    p.mode        = mode;
    p.saved       = pol.saved.memory;
    p.saved_bytes = layer*pol.saved.layer_bytes;
}

pass layer_forward_graph(policy & pol, int64_t layer, int64_t n_tokens, bool with_lora, tape_mode mode) {
    pass p = pass_begin(pol, n_tokens, with_lora);
    use_saved(p, pol, layer, mode);
    layer_tape tape;
    ggml_tensor * to = layer_input(p, pol.buffers, layer + 1, n_tokens);
    graph_expand(p.g, layer_forward(p, pol.base.layers[(size_t) layer], layer_input(p, pol.buffers, layer, n_tokens), tape, to));
    return p;
}

pass head_graph(policy & pol, int64_t n_tokens, int64_t first, int64_t n, bool direction) {
    const pair_buffers & b = pol.buffers;
    pass p = pass_begin(pol, n_tokens, false);
    ggml_tensor * x = ggml_get_rows(p.g.ctx, layer_input(p, b, pol.base.hparams.n_layer, n_tokens), entries(p, b.rows, first, n)); // (n_embd, n)
    ggml_tensor * h = p.ops->norm_forward(p, x, pol.base.output_norm, norm_reader::product, {});
    ggml_tensor * targets = ggml_reshape_2d(p.g.ctx, entries(p, b.targets, first, n), 1, n);
    ggml_tensor * logp = nullptr, * e = nullptr;
    p.ops->head(p, pol.base.output, h, targets, entries(p, b.cells, first, n), &logp, direction ? &e : nullptr);
    store(p, logp, columns(p, b.logp, first, n));
    if (direction) {
        store(p, e, columns(p, b.e, first, n));
    }
    return p;
}

// dX at the output of the last layer: coef e through the final norm, added up where a row occurs twice
void head_backward_graph(policy & pol, int64_t n_tokens, int64_t n_rows) {
    const pair_buffers & b = pol.buffers;
    pass p = pass_begin(pol, n_tokens, false);
    ggml_context * ctx = p.g.ctx;
    ggml_tensor * rows = entries(p, b.rows, 0, n_rows);
    ggml_tensor * last = layer_input(p, b, pol.base.hparams.n_layer, n_tokens);
    ggml_tensor * x    = ggml_get_rows(ctx, last, rows);                                              // (n_embd, n_rows)
    ggml_tensor * dh   = ggml_mul(ctx, columns(p, b.e, 0, n_rows), columns(p, b.coef, 0, n_rows));
    ggml_tensor * dx   = p.ops->norm_backward(p, x, pol.base.output_norm, dh, {});
    store(p, ggml_get_rows_back(ctx, dx, rows, last), columns(p, b.dx, 0, n_tokens));
    graph_run(p.g);
}

pass layer_backward_graph(policy & pol, int64_t layer, int64_t n_tokens, float grad_unscale) {
    pass p = pass_begin(pol, n_tokens, true);
    p.grad_unscale = grad_unscale;
    use_saved(p, pol, layer, pol.saved.memory ? tape_mode::replay : tape_mode::recompute);
    const layer_weights & w = pol.base.layers[(size_t) layer];
    ggml_tensor * grad = columns(p, pol.buffers.dx, 0, n_tokens);
    layer_tape tape;
    layer_forward(p, w, layer_input(p, pol.buffers, layer, n_tokens), tape, nullptr);
    ggml_tensor * dx = layer_backward(p, w, tape, grad, layer > 0 ? grad : nullptr);
    if (dx) {
        graph_expand(p.g, dx);
    }
    return p;
}
