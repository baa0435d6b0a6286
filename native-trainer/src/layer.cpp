#include "layer.h"

// Gemma's norm of what a half adds to the stream; the others add it as it is.
static ggml_tensor * post_norm_forward(pass & p, ggml_tensor * weight, ggml_tensor * out) {
    return weight ? p.ops->norm_forward(p, out, weight, norm_reader::other) : out;
}

static ggml_tensor * post_norm_backward(pass & p, ggml_tensor * weight, ggml_tensor * out, ggml_tensor * dy) {
    return weight ? p.ops->norm_backward(p, out, weight, dy) : dy;
}

// ---- attention half: y = x + post_norm(Wo attention(rope(qk_norm(Wq n)), rope(qk_norm(Wk n)), Wv n)),  n = norm(x)

static ggml_tensor * rope_forward(pass & p, const layer_weights & w, ggml_tensor * x) {
    return w.rope.used ? p.ops->rope_forward(p, w.rope, x) : x;
}

static ggml_tensor * rope_backward(pass & p, const layer_weights & w, ggml_tensor * dy) {
    return w.rope.used ? p.ops->rope_backward(p, w.rope, dy) : dy;
}

static ggml_tensor * attention_half_forward(pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t) {
    const primitives & ops = *p.ops;
    const hyper_params & h = p.base->hparams;
    const int64_t n_tokens = x->ne[1];
    ggml_tensor * qkv[3];
    ops.linear_forward(p, &w.linears[TARGET_Q], 3, ops.norm_forward(p, x, w.attn_norm, norm_reader::product), qkv, t.qkv);
    ggml_tensor * q = t.q_raw = ggml_reshape_3d(p.g.ctx, qkv[0], h.head_dim, h.n_head,    n_tokens);
    ggml_tensor * k = t.k_raw = ggml_reshape_3d(p.g.ctx, qkv[1], h.head_dim, h.n_head_kv, n_tokens);
    ggml_tensor * v =           ggml_reshape_3d(p.g.ctx, qkv[2], h.head_dim, h.n_head_kv, n_tokens);
    if (h.arch->qk_norm) {
        q = ops.norm_forward(p, q, w.q_norm, norm_reader::other);
        k = ops.norm_forward(p, k, w.k_norm, norm_reader::other);
    }
    ggml_tensor * mixed = ops.attention_forward(p, rope_forward(p, w, q), rope_forward(p, w, k), v, t.attention); // (head_dim*n_head, n_tokens)
    ops.linear_forward(p, &w.linears[TARGET_O], 1, mixed, &t.attn_out, t.o);
    return ggml_add(p.g.ctx, x, post_norm_forward(p, w.attn_post_norm, t.attn_out));
}

static ggml_tensor * attention_half_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy, bool want_dx) {
    const primitives & ops = *p.ops;
    const hyper_params & h = p.base->hparams;
    const int64_t n_tokens = dy->ne[1];
    ggml_tensor * d_out = post_norm_backward(p, w.attn_post_norm, t.attn_out, dy);
    ggml_tensor * d_mixed = ops.linear_backward(p, &w.linears[TARGET_O], 1, t.o, &d_out, true);
    ggml_tensor * dq, * dk, * dv;
    ops.attention_backward(p, t.attention, d_mixed, &dq, &dk, &dv);
    dq = rope_backward(p, w, dq);
    dk = rope_backward(p, w, dk);
    if (h.arch->qk_norm) {
        dq = ops.norm_backward(p, t.q_raw, w.q_norm, dq);
        dk = ops.norm_backward(p, t.k_raw, w.k_norm, dk);
    }
    ggml_tensor * d_qkv[3] = {
        ggml_reshape_2d(p.g.ctx, dq, h.head_dim*h.n_head,    n_tokens),
        ggml_reshape_2d(p.g.ctx, dk, h.head_dim*h.n_head_kv, n_tokens),
        ggml_reshape_2d(p.g.ctx, dv, h.head_dim*h.n_head_kv, n_tokens),
    };
    ggml_tensor * d_norm = ops.linear_backward(p, &w.linears[TARGET_Q], 3, t.qkv, d_qkv, want_dx);
    return want_dx ? ggml_add(p.g.ctx, dy, ops.norm_backward(p, t.x, w.attn_norm, d_norm)) : nullptr;
}

// ---- feed-forward half: y = x + post_norm(Wdown (act(Wgate n) * Wup n)),  n = norm(x)

static ggml_tensor * feed_forward_half_forward(pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t) {
    const primitives & ops = *p.ops;
    ggml_tensor * gate_up[2];
    ops.linear_forward(p, &w.linears[TARGET_GATE], 2, ops.norm_forward(p, x, w.ffn_norm, norm_reader::product), gate_up, t.gate_up);
    t.gate = gate_up[0];
    t.up   = gate_up[1];
    ops.linear_forward(p, &w.linears[TARGET_DOWN], 1, ops.glu_forward(p, t.gate, t.up), &t.ffn_out, t.down);
    return ggml_add(p.g.ctx, x, post_norm_forward(p, w.ffn_post_norm, t.ffn_out));
}

static ggml_tensor * feed_forward_half_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy) {
    const primitives & ops = *p.ops;
    ggml_tensor * d_out = post_norm_backward(p, w.ffn_post_norm, t.ffn_out, dy);
    ggml_tensor * d_act = ops.linear_backward(p, &w.linears[TARGET_DOWN], 1, t.down, &d_out, true);
    ggml_tensor * d_gate_up[2];
    ops.glu_backward(p, t.gate, t.up, d_act, &d_gate_up[0], &d_gate_up[1]);
    ggml_tensor * d_norm = ops.linear_backward(p, &w.linears[TARGET_GATE], 2, t.gate_up, d_gate_up, true);
    return ggml_add(p.g.ctx, dy, ops.norm_backward(p, t.x_ff, w.ffn_norm, d_norm));
}

// ----

ggml_tensor * layer_forward(pass & p, const layer_weights & w, ggml_tensor * x, layer_tape & t) {
    t.x    = x;
    t.x_ff = attention_half_forward(p, w, x, t);
    return feed_forward_half_forward(p, w, t.x_ff, t);
}

ggml_tensor * layer_backward(pass & p, const layer_weights & w, const layer_tape & t, ggml_tensor * dy, bool want_dx) {
    ggml_tensor * d_ff = feed_forward_half_backward(p, w, t, dy);
    return attention_half_backward(p, w, t, d_ff, want_dx);
}
