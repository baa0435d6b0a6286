// The primitives as plain ggml operators: right on every backend, fast on GPUs.
//
// Only operators that CPU, CUDA and Vulkan all have: products W x and W^T dy are mul_mat (out_prod on quantised weights is
// slow or missing), dequantisation is get_rows with the row numbers, transposition is a copy.
#include "primitives.h"

#include "random.h"

#include <algorithm>
#include <cstring>

// out (m, n) = sum over t of a(m, t) b(n, t), for each slice of the third dimension
static ggml_tensor * product_over_tokens(pass & p, ggml_tensor * a, ggml_tensor * b) {
    ggml_context * ctx = p.g.ctx;
    // CPU and CUDA have a good out_prod; Vulkan's computes one element a thread, two transposed copies and a product are faster
    if (strncmp(p.g.dev->name.c_str(), "Vulkan", 6) != 0) {
        return ggml_out_prod(ctx, a, b);
    }
    return ggml_mul_mat(ctx, ggml_cont(ctx, ggml_transpose(ctx, a)), ggml_cont(ctx, ggml_transpose(ctx, b)));
}

static ggml_tensor * product(pass & p, ggml_tensor * w, ggml_tensor * x) {
    ggml_tensor * y = ggml_mul_mat(p.g.ctx, w, x);
    if (w->type == GGML_TYPE_F16) {
        ggml_mul_mat_set_prec(y, GGML_PREC_F32); // CUDA and Vulkan would add up in F16
    }
    return y;
}

// W^T (n_out, n_in): the resident copy, or made here from the weight
static ggml_tensor * transposed(pass & p, const linear & w) {
    if (w.w_t) {
        return w.w_t;
    }
    ggml_context * ctx = p.g.ctx;
    if (w.w->type == GGML_TYPE_F32) {
        return ggml_cont(ctx, ggml_transpose(ctx, w.w));
    }
    ggml_tensor * rows = ggml_view_1d(ctx, p.base->iota, w.n_out, 0);
    return ggml_cast(ctx, ggml_transpose(ctx, ggml_get_rows(ctx, w.w, rows)), GGML_TYPE_BF16);
}

static ggml_tensor * deliver(pass & p, ggml_tensor * result, const destination & d) {
    if (d.plus) {
        result = ggml_add(p.g.ctx, d.plus, result);
    }
    return d.to ? ggml_cpy(p.g.ctx, result, d.to) : result;
}

static bool has_lora(const pass & p, const linear & w) {
    return p.lora && w.lora;
}

// ---- linear

// The dropout mask (n_in, n_tokens) of one LoRA pair: a window of the pool at a place that depends on the pair's number. The
// forward pass, the recomputation and the backward pass see the same window.
static ggml_tensor * dropout_mask(pass & p, const lora_pair & lora, ggml_tensor * x) {
    const int64_t alignment = 64; // floats
    const int64_t places = (ggml_nelements(p.dropout) - ggml_nelements(x))/alignment + 1;
    const int64_t place  = (int64_t) (random_bits(p.dropout_seed, 1, lora.index) % (uint64_t) places);
    return ggml_view_2d(p.g.ctx, p.dropout, x->ne[0], x->ne[1], x->nb[1], (size_t) (place*alignment)*sizeof(float));
}

static void linear_forward(pass & p, const linear * w, int n, ggml_tensor * x, ggml_tensor ** y, linear_tape & tape, const destination & d) {
    ggml_context * ctx = p.g.ctx;
    tape.x = x;
    for (int i = 0; i < n; i++) {
        y[i] = product(p, w[i].w, x);                                                     // (n_out, n_tokens)
        if (w[i].bias) {
            y[i] = ggml_add(ctx, y[i], w[i].bias);
        }
        if (has_lora(p, w[i])) {
            tape.x_lora[i] = p.dropout ? ggml_mul(ctx, x, dropout_mask(p, *w[i].lora, x)) : x;
            tape.u[i] = ggml_scale(ctx, ggml_mul_mat(ctx, w[i].lora->a, tape.x_lora[i]), w[i].lora->scale);   // (r, n_tokens)
            y[i] = ggml_add(ctx, y[i], ggml_mul_mat(ctx, w[i].lora->b, tape.u[i]));
        }
        y[i] = deliver(p, y[i], d);
    }
}

static void add_to_gradient(pass & p, ggml_tensor * grad, ggml_tensor * value) {
    graph_expand(p.g, ggml_add_inplace(p.g.ctx, grad, value));
}

// returns s A^T (B^T dy), adds dA and dB
static ggml_tensor * lora_backward(pass & p, const lora_pair & lora, ggml_tensor * x, ggml_tensor * u, ggml_tensor * dy, bool want_dx) {
    ggml_context * ctx = p.g.ctx;
    ggml_tensor * b_t = ggml_cont(ctx, ggml_transpose(ctx, lora.b));                     // (n_out, r)
    ggml_tensor * du  = ggml_scale(ctx, ggml_mul_mat(ctx, b_t, dy), lora.scale);         // (r, n_tokens)
    add_to_gradient(p, lora.grad_b, product_over_tokens(p, ggml_scale(ctx, u,  p.grad_unscale), dy));   // (r, n_out)
    add_to_gradient(p, lora.grad_a, product_over_tokens(p, x, ggml_scale(ctx, du, p.grad_unscale)));    // (n_in, r)
    if (!want_dx) {
        return nullptr;
    }
    ggml_tensor * a_t = ggml_cont(ctx, ggml_transpose(ctx, lora.a));                     // (r, n_in)
    ggml_tensor * dx = ggml_mul_mat(ctx, a_t, du);                                       // (n_in, n_tokens)
    return p.dropout ? ggml_mul(ctx, dx, dropout_mask(p, lora, dx)) : dx;
}

static ggml_tensor * linear_backward(pass & p, const linear * w, int n, const linear_tape & tape, ggml_tensor ** dy, bool want_dx) {
    ggml_context * ctx = p.g.ctx;
    ggml_tensor * dx = nullptr;
    const auto add = [&](ggml_tensor * part) {
        dx = dx ? ggml_add(ctx, dx, part) : part;
    };
    for (int i = 0; i < n; i++) {
        if (want_dx) {
            add(product(p, transposed(p, w[i]), dy[i]));                                 // (n_in, n_tokens)
        }
        if (has_lora(p, w[i])) {
            ggml_tensor * part = lora_backward(p, *w[i].lora, tape.x_lora[i], tape.u[i], dy[i], want_dx);
            if (part) {
                add(part);
            }
        }
    }
    return dx;
}

// ---- norm, RoPE, gated units

static ggml_tensor * norm_forward(pass & p, ggml_tensor * x, ggml_tensor * weight, norm_reader, const destination & d) {
    return deliver(p, ggml_mul(p.g.ctx, ggml_rms_norm(p.g.ctx, x, p.base->hparams.norm_eps), weight), d);
}

static ggml_tensor * norm_backward(pass & p, ggml_tensor * x, ggml_tensor * weight, ggml_tensor * dy, const destination & d) {
    return deliver(p, ggml_rms_norm_back(p.g.ctx, ggml_mul(p.g.ctx, dy, weight), x, p.base->hparams.norm_eps), d);
}

// x (head_dim, heads, n_tokens)
static ggml_tensor * rope_forward(pass & p, const rope_params & r, ggml_tensor * x) {
    const hyper_params & h = p.base->hparams;
    return !r.used ? x : ggml_rope_ext(p.g.ctx, x, p.pos, p.base->rope_freqs, h.rope_dims, h.arch->rope_mode, 0, r.base, r.scale, 0.0f, 1.0f, 32.0f, 1.0f);
}

static ggml_tensor * rope_backward(pass & p, const rope_params & r, ggml_tensor * dy) {
    const hyper_params & h = p.base->hparams;
    return !r.used ? dy : ggml_rope_ext_back(p.g.ctx, dy, p.pos, p.base->rope_freqs, h.rope_dims, h.arch->rope_mode, 0, r.base, r.scale, 0.0f, 1.0f, 32.0f, 1.0f);
}

// GELU in its tanh form is g sigmoid(u), u = a g + b g^3. ggml's own rounds to F16 on CPUs and has no backward.
static const float GELU_A = 1.59576912160573f, GELU_B = GELU_A*0.044715f; // a = 2 sqrt(2/pi)

static ggml_tensor * gelu_sigmoid(pass & p, ggml_tensor * gate) {
    ggml_context * ctx = p.g.ctx;
    return ggml_sigmoid(ctx, ggml_mul(ctx, gate, ggml_scale_bias(ctx, ggml_sqr(ctx, gate), GELU_B, GELU_A)));
}

// d gelu/dg = s (1 + g (1 - s) u')
static ggml_tensor * gelu_slope(pass & p, ggml_tensor * gate, ggml_tensor * s) {
    ggml_context * ctx = p.g.ctx;
    ggml_tensor * du = ggml_scale_bias(ctx, ggml_sqr(ctx, gate), 3*GELU_B, GELU_A);
    ggml_tensor * inner = ggml_mul(ctx, ggml_mul(ctx, gate, ggml_scale_bias(ctx, s, -1.0f, 1.0f)), du);
    return ggml_mul(ctx, s, ggml_scale_bias(ctx, inner, 1.0f, 1.0f));
}

static ggml_tensor * gated_forward(pass & p, const linear * w, ggml_tensor * x, gated_tape & tape) {
    ggml_tensor * gate_up[2];
    linear_forward(p, w, 2, x, gate_up, tape.linears, {});
    ggml_tensor * gate = tape.gate = gate_up[0], * up = tape.up = gate_up[1];
    if (p.base->hparams.arch->gemma) {
        return ggml_mul(p.g.ctx, ggml_mul(p.g.ctx, gate, gelu_sigmoid(p, gate)), up);
    }
    return ggml_swiglu_split(p.g.ctx, gate, up);
}

static void gated_backward(pass & p, const linear & down, const linear_tape & down_tape, const gated_tape & tape, ggml_tensor * dy, ggml_tensor ** d_gate_up) {
    ggml_context * ctx = p.g.ctx;
    ggml_tensor * gate = tape.gate, * up = tape.up;
    dy = linear_backward(p, &down, 1, down_tape, &dy, true);
    if (p.base->hparams.arch->gemma) {
        ggml_tensor * s = gelu_sigmoid(p, gate);
        d_gate_up[0] = ggml_mul(ctx, ggml_mul(ctx, dy, up), gelu_slope(p, gate, s));
        d_gate_up[1] = ggml_mul(ctx, dy, ggml_mul(ctx, gate, s));
        return;
    }
    d_gate_up[0] = ggml_silu_back(ctx, ggml_mul(ctx, dy, up), gate);
    d_gate_up[1] = ggml_mul(ctx, dy, ggml_silu(ctx, gate));
}

// ---- attention

// (head_dim, heads, n_tokens) -> (head_dim, n_tokens, heads)
static ggml_tensor * heads_last(pass & p, ggml_tensor * x) {
    return ggml_cont(p.g.ctx, ggml_permute(p.g.ctx, x, 0, 2, 1, 3));
}

// Attention is computed for all heads at once or, when n_tokens^2 numbers for each of them are too much memory, for one group
// of kv heads after the other, each with its query heads. Then no weights are kept for the backward pass: it computes those of
// a group again.
static int64_t group_count(const pass & p, int64_t n_kv) {
    const int64_t max_groups = 32; // nodes of one graph
    int64_t n = p.by_group ? std::min(n_kv, max_groups) : 1;
    while (n_kv % n != 0) {
        n--;
    }
    return n;
}

// The heads of one group; a copy, since Vulkan wants views that begin on 256 bytes.
static ggml_tensor * group_of(pass & p, ggml_tensor * x, int64_t group, int64_t n_groups) {
    if (n_groups == 1) {
        return x;
    }
    const int64_t n = x->ne[2]/n_groups;
    return ggml_cont(p.g.ctx, ggml_view_3d(p.g.ctx, x, x->ne[0], x->ne[1], n, x->nb[1], x->nb[2], (size_t) (group*n)*x->nb[2]));
}

static void append_heads(pass & p, ggml_tensor *& all, ggml_tensor * heads) {
    all = all ? ggml_concat(p.g.ctx, all, heads, 2) : heads;
    graph_expand(p.g, all); // in this order, so that the scratch of one group is free for the next
}

// (n_tokens of k, n_tokens of q, heads of q)
static ggml_tensor * attention_weights(pass & p, ggml_tensor * q, ggml_tensor * k) {
    return ggml_soft_max_ext(p.g.ctx, ggml_mul_mat(p.g.ctx, k, q), p.mask, p.base->hparams.attn_scale, 0.0f);
}

static ggml_tensor * attention_forward(pass & p, const rope_params & r, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, attention_tape & tape) {
    ggml_context * ctx = p.g.ctx;
    const int64_t n_tokens = q->ne[2], n_groups = group_count(p, k->ne[1]);
    tape.q = heads_last(p, rope_forward(p, r, q));                                       // (head_dim, n_tokens, n_head)
    tape.k = heads_last(p, rope_forward(p, r, k));                                       // (head_dim, n_tokens, n_head_kv)
    tape.v = heads_last(p, v);
    ggml_tensor * out = nullptr;                                                         // (head_dim, n_tokens, n_head)
    for (int64_t i = 0; i < n_groups; i++) {
        ggml_tensor * weights = attention_weights(p, group_of(p, tape.q, i, n_groups), group_of(p, tape.k, i, n_groups));
        ggml_tensor * v_t = ggml_cont(ctx, ggml_transpose(ctx, group_of(p, tape.v, i, n_groups))); // (n_tokens, head_dim, heads)
        append_heads(p, out, ggml_mul_mat(ctx, v_t, weights));
        tape.kept = n_groups == 1 ? weights : nullptr;
    }
    return ggml_reshape_2d(ctx, heads_last(p, out), q->ne[0]*q->ne[1], n_tokens);        // the permutation is its own inverse
}

struct attention_gradients {
    ggml_tensor * q = nullptr, * k = nullptr, * v = nullptr; // (head_dim, n_tokens, heads)
};

// The query heads that share a kv head lie side by side, so q, the attention weights and their gradients are seen as n_kv slices of
// G*n_tokens rows (G = n_head/n_kv): the sums over the G heads happen inside the products.
static attention_gradients heads_backward(pass & p, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * weights, ggml_tensor * d_out) {
    ggml_context * ctx = p.g.ctx;
    const int64_t head_dim = q->ne[0], n_tokens = q->ne[1], n_head = q->ne[2], n_kv = k->ne[2];
    const int64_t rows = n_tokens*(n_head/n_kv);
    q       = ggml_reshape_3d(ctx, q, head_dim, rows, n_kv);
    d_out   = ggml_reshape_3d(ctx, d_out, head_dim, rows, n_kv);
    weights = ggml_reshape_3d(ctx, weights, n_tokens, rows, n_kv);

    attention_gradients d;
    ggml_tensor * d_weights = ggml_mul_mat(ctx, v, d_out);                               // (n_tokens, rows, n_kv)
    d.v = product_over_tokens(p, d_out, weights);                                        // (head_dim, n_tokens, n_kv)
    ggml_tensor * d_scores  = ggml_soft_max_ext_back(ctx, d_weights, weights, p.base->hparams.attn_scale, 0.0f);
    ggml_tensor * k_t       = ggml_cont(ctx, ggml_transpose(ctx, k));                    // (n_tokens, head_dim, n_kv)
    d.q = ggml_reshape_3d(ctx, ggml_mul_mat(ctx, k_t, d_scores), head_dim, n_tokens, n_head);
    d.k = product_over_tokens(p, q, d_scores);                                           // (head_dim, n_tokens, n_kv)
    return d;
}

static void attention_backward(pass & p, const rope_params & r, const attention_tape & tape, ggml_tensor * dy, ggml_tensor ** dq, ggml_tensor ** dk, ggml_tensor ** dv) {
    const int64_t head_dim = tape.q->ne[0], n_tokens = tape.q->ne[1], n_head = tape.q->ne[2], n_groups = group_count(p, tape.k->ne[2]);
    ggml_tensor * d_out = heads_last(p, ggml_reshape_3d(p.g.ctx, dy, head_dim, n_head, n_tokens));
    attention_gradients all;
    for (int64_t i = 0; i < n_groups; i++) {
        ggml_tensor * q = group_of(p, tape.q, i, n_groups), * k = group_of(p, tape.k, i, n_groups), * v = group_of(p, tape.v, i, n_groups);
        ggml_tensor * weights = tape.kept ? tape.kept : attention_weights(p, q, k);
        const attention_gradients d = heads_backward(p, q, k, v, weights, group_of(p, d_out, i, n_groups));
        append_heads(p, all.q, d.q);
        append_heads(p, all.k, d.k);
        append_heads(p, all.v, d.v);
    }
    *dq = rope_backward(p, r, heads_last(p, all.q));                                     // back to (head_dim, heads, n_tokens)
    *dk = rope_backward(p, r, heads_last(p, all.k));
    *dv = heads_last(p, all.v);
}

// ---- head

// values (n_vocab, n_rows)[index_c, c] -> (1, n_rows)
static ggml_tensor * pick(pass & p, ggml_tensor * values, ggml_tensor * index) {
    ggml_context * ctx = p.g.ctx;
    const int64_t n_vocab = values->ne[0], n_rows = values->ne[1];
    ggml_tensor * picked = ggml_get_rows(ctx, ggml_reshape_3d(ctx, values, 1, n_vocab, n_rows), index);
    return ggml_reshape_2d(ctx, picked, 1, n_rows);
}

static void head(pass & p, const linear & w, ggml_tensor * h, ggml_tensor * targets, ggml_tensor * target_cells, ggml_tensor ** logp, ggml_tensor ** e) {
    ggml_context * ctx = p.g.ctx;
    const int64_t n_rows = h->ne[1];
    ggml_tensor * logits = product(p, w.w, h);                                           // (n_vocab, n_rows)
    ggml_tensor * probs  = ggml_soft_max(ctx, logits);

    // log p_t = l_t - (l_max - log p_max): p_max >= 1/n_vocab, so that no logarithm of an underflown number occurs
    ggml_tensor * top = ggml_reshape_2d(ctx, ggml_argmax(ctx, logits), 1, n_rows);
    ggml_tensor * log_sum = ggml_sub(ctx, pick(p, logits, top), ggml_log(ctx, pick(p, probs, top)));
    *logp = ggml_sub(ctx, pick(p, logits, targets), log_sum);
    graph_expand(p.g, *logp); // before p_t is overwritten
    if (!e) {
        return;
    }
    // the 1 is taken off in F32, before any rounding to BF16 in the product
    ggml_tensor * p_target = ggml_scale_bias(ctx, pick(p, probs, targets), 1.0f, -1.0f);
    ggml_tensor * cells    = ggml_reshape_2d(ctx, probs, 1, ggml_nelements(probs));
    ggml_tensor * minus_onehot = ggml_set_rows(ctx, cells, p_target, target_cells);
    *e = product(p, transposed(p, w), ggml_reshape_2d(ctx, minus_onehot, probs->ne[0], n_rows));
}

const primitives primitives_ggml = {
    "ggml", 128, true, false, nullptr,
    linear_forward, linear_backward,
    norm_forward, norm_backward,
    attention_forward, attention_backward,
    gated_forward, gated_backward,
    head,
};
