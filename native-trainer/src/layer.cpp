#include "layer.h"

// ---- attention half: y = x + post_norm(Wo attention(rope(qk_norm(Wq n)), rope(qk_norm(Wk n)), Wv n)),  n = norm(x)

// W x, and Gemma's norm of what a half adds to the stream; `raw` is the product without it.
static ggml_tensor * half_output(pass & p, const linear & w, ggml_tensor * post_norm, ggml_tensor * x, linear_tape & tape, ggml_tensor *& raw, const destination & d) {
    p.ops->linear_forward(p, &w, 1, x, &raw, tape, post_norm ? destination{nullptr, nullptr, true} : d);
    return post_norm ? p.ops->norm_forward(p, raw, post_norm, norm_reader::other, d) : raw;
}

static ggml_tensor * post_norm_backward(pass & p, ggml_tensor * weight, ggml_tensor * out, ggml_tensor * dy) {
    return weight ? p.ops->norm_backward(p, out, weight, dy, {}) : dy;
}

static ggml_tensor * attention_half_forward(pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t) {
    const primitives & ops = *p.ops;
    const hyper_params & h = p.base->hparams;
    const int64_t n_tokens = x->ne[1];
    ggml_tensor * qkv[3];
    ops.linear_forward(p, &w.linears[TARGET_Q], 3, ops.norm_forward(p, x, w.attn_norm, norm_reader::product, {}), qkv, t.qkv, {});
    ggml_tensor * q = t.q_raw = ggml_reshape_3d(p.g.ctx, qkv[0], h.head_dim, h.n_head,    n_tokens);
    ggml_tensor * k = t.k_raw = ggml_reshape_3d(p.g.ctx, qkv[1], h.head_dim, h.n_head_kv, n_tokens);
    ggml_tensor * v =           ggml_reshape_3d(p.g.ctx, qkv[2], h.head_dim, h.n_head_kv, n_tokens);
    if (h.arch->qk_norm) {
        q = ops.norm_forward(p, q, w.q_norm, norm_reader::other, {});
        k = ops.norm_forward(p, k, w.k_norm, norm_reader::other, {});
    }
    ggml_tensor * mixed = ops.attention_forward(p, w.rope, q, k, v, t.attention); // (head_dim*n_head, n_tokens)
    return half_output(p, w.linears[TARGET_O], w.attn_post_norm, mixed, t.o, t.attn_out, {x, nullptr, true});
}

static ggml_tensor * attention_half_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy, ggml_tensor * to) {
    const primitives & ops = *p.ops;
    const hyper_params & h = p.base->hparams;
    const int64_t n_tokens = dy->ne[1];
    ggml_tensor * d_out = post_norm_backward(p, w.attn_post_norm, t.attn_out, dy);
    ggml_tensor * d_mixed = ops.linear_backward(p, &w.linears[TARGET_O], 1, t.o, &d_out, true);
    ggml_tensor * dq, * dk, * dv;
    ops.attention_backward(p, w.rope, t.attention, d_mixed, &dq, &dk, &dv);
    if (h.arch->qk_norm) {
        dq = ops.norm_backward(p, t.q_raw, w.q_norm, dq, {});
        dk = ops.norm_backward(p, t.k_raw, w.k_norm, dk, {});
    }
    ggml_tensor * d_qkv[3] = {
        ggml_reshape_2d(p.g.ctx, dq, h.head_dim*h.n_head,    n_tokens),
        ggml_reshape_2d(p.g.ctx, dk, h.head_dim*h.n_head_kv, n_tokens),
        ggml_reshape_2d(p.g.ctx, dv, h.head_dim*h.n_head_kv, n_tokens),
    };
    ggml_tensor * d_norm = ops.linear_backward(p, &w.linears[TARGET_Q], 3, t.qkv, d_qkv, to != nullptr);
    return to ? ops.norm_backward(p, t.x, w.attn_norm, d_norm, {dy, to}) : nullptr;
}

// ---- feed-forward half: y = x + post_norm(Wdown (act(Wgate n) * Wup n)),  n = norm(x)

static ggml_tensor * feed_forward_half_forward(pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t, ggml_tensor * to) {
    const primitives & ops = *p.ops;
    ggml_tensor * gated = ops.gated_forward(p, &w.linears[TARGET_GATE], ops.norm_forward(p, x, w.ffn_norm, norm_reader::product, {}), t.gated);
    return half_output(p, w.linears[TARGET_DOWN], w.ffn_post_norm, gated, t.down, t.ffn_out, {x, to});
}

static ggml_tensor * feed_forward_half_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy) {
    const primitives & ops = *p.ops;
    ggml_tensor * d_out = post_norm_backward(p, w.ffn_post_norm, t.ffn_out, dy), * d_gate_up[2];
    ops.gated_backward(p, w.linears[TARGET_DOWN], t.down, t.gated, d_out, d_gate_up);
    ggml_tensor * d_norm = ops.linear_backward(p, &w.linears[TARGET_GATE], 2, t.gated.linears, d_gate_up, true);
    return ops.norm_backward(p, t.x_ff, w.ffn_norm, d_norm, {dy});
}

// ----

ggml_tensor * layer_forward(pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t, ggml_tensor * to) {
    t.x    = x;
    t.x_ff = attention_half_forward(p, w, x, t);
    return feed_forward_half_forward(p, w, t.x_ff, t, to);
}

ggml_tensor * layer_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy, ggml_tensor * to) {
    ggml_tensor * d_ff = feed_forward_half_backward(p, w, t, dy);
    return attention_half_backward(p, w, t, d_ff, to);
}
