// Linear layers that share an input, with their LoRA pairs as further steps of the same sum:
//
//   forward    u_i  = s A_i x               y_i = W_i x + B_i u_i        one product over n_in + r
//   backward   du_i = s B_i^T dy_i          dx  = sum_i W_i^T dy_i + A_i^T du_i
//              dB_i += dy_i u_i^T           dA_i += du_i x^T             products over the tokens
//
// u and du are kept twice, with a row for each token and with a row for each of the r numbers: the second is the left-hand side
// of the products over the tokens.
#include "linear.h"

#include "random.h"

#include <algorithm>
#include <cstring>

static const int64_t TOKENS = 256;          // of one task of u or du

// ---- what is shared

static lora_group group_of(const pass & p, const linear * w, int n) {
    lora_group g;
    for (int i = 0; p.lora && i < n; i++) {
        if (w[i].lora) {
            g.pairs[g.n] = w[i].lora;
            g.layer[g.n++] = i;
            g.r = w[i].lora->a->ne[1];
        }
    }
    return g;
}

static lora_layout layout_of(const cpu_kernels & k, const lora_group & g, int64_t n_tokens) {
    return {n_tokens, g.r, padded_k(k, g.r), padded_k(k, n_tokens), g.n};
}

// rows [first, first + count) of u_j = scale * (A W), both ways
static void lora_rows(const cpu_kernels & k, const lora_layout & l, int j, const weight_matrix & w, const void * a, int64_t lda, float scale, int64_t first, int64_t count, void * to, int ith) {
    const int64_t ld = round_up(l.r, k.panel);
    product sum;
    sum.m = count;
    sum.n = l.r;
    sum.segments[0] = {elements(k, a, first*lda), lda, w};
    sum.n_segments = 1;
    sum.c   = (float *) workspace(ith, SLOT_SUMS, TOKENS*ld*(int64_t) sizeof(float));
    sum.ldc = ld;
    const int64_t strip = product_strip(k, sum, 1, 1);
    for (int64_t column = 0; column < l.r; column += strip) {
        product_run(k, sum, column, std::min(strip, l.r - column), 0, count, ith);
    }
    for (int64_t i = 0; i < count; i++) {
        void * row = elements(k, to, l.u(j, first + i));
        k.to_product(sum.c + i*ld, scale, l.r, row);
        zero_tail(k, row, l.r, l.r_padded);
    }
    k.transpose(sum.c, ld, count, l.r, scale, elements(k, to, l.u_t(j, 0) + first), l.tokens_padded);
    for (int64_t row = 0; first + count == l.n_tokens && row < l.r; row++) {
        zero_tail(k, elements(k, to, l.u_t(j, row)), l.n_tokens, l.tokens_padded);
    }
}

// ---- forward

// x with the dropout mask of one pair: a window of the pool at a place that depends on the pair, as in primitives-ggml.cpp
static const float * dropout_window(const ggml_tensor * pool, uint64_t seed, const lora_pair & lora, int64_t n, int64_t n_tokens) {
    const int64_t alignment = 64;
    const int64_t places = (ggml_nelements(pool) - n*n_tokens)/alignment + 1;
    return (const float *) pool->data + (int64_t) (random_bits(seed, 1, lora.index) % (uint64_t) places)*alignment;
}

static ggml_tensor * with_dropout(pass & p, const lora_pair & lora, ggml_tensor * x, int64_t n) {
    const cpu_kernels & k = kernels_of(p);
    const ggml_tensor * pool = p.dropout;
    const uint64_t seed = p.dropout_seed;
    const lora_pair * pair = &lora;
    return op_add(p, k.product, x->ne[0], x->ne[1], {x}, [=, &k](const worker & w, ggml_tensor * dst) {
        const float * mask = dropout_window(pool, seed, *pair, n, x->ne[1]);
        for (int64_t t; w.take(x->ne[1], t);) {
            memcpy((char *) dst->data + (size_t) t*dst->nb[1], (const char *) x->data + (size_t) t*x->nb[1], dst->nb[1]);
            k.multiply((char *) dst->data + (size_t) t*dst->nb[1], mask + t*n, n);
        }
    });
}

// u of all pairs, see lora_layout
static ggml_tensor * lora_forward(pass & p, const lora_group & g, ggml_tensor * const * x_lora, int64_t n_tokens) {
    const cpu_kernels & k = kernels_of(p);
    const lora_layout l = layout_of(k, g, n_tokens);
    std::vector<ggml_tensor *> x(g.n);
    for (int j = 0; j < g.n; j++) {
        x[(size_t) j] = x_lora[g.layer[j]];
    }
    return op_add_saved(p, k.product, l.size(), 1, x, [=, &k](const worker & w, ggml_tensor * dst) {
        for (int64_t task; w.take((n_tokens + TOKENS - 1)/TOKENS, task);) {
            for (int j = 0; j < g.n; j++) {
                const ggml_tensor * from = x[(size_t) j];
                lora_rows(k, l, j, {g.pairs[j]->a, true}, from->data, from->ne[0], g.pairs[j]->scale, task*TOKENS, std::min(TOKENS, n_tokens - task*TOKENS), dst->data, w.ith);
            }
        }
    });
}

static void run_products(const cpu_kernels & k, const product * products, int n, const worker & w) {
    for_tasks(k, products, n, 1, w, [&](const task_range & r) { product_run(k, products[r.product], r.column, r.n, r.row, r.rows, w.ith); });
}

linear_tape linear_tape_of(pass & p, const linear * w, const lora_group & g, ggml_tensor * x) {
    linear_tape tape;
    tape.x = x;
    for (int j = 0; j < g.n; j++) {
        tape.x_lora[g.layer[j]] = p.dropout ? with_dropout(p, *g.pairs[j], x, w[0].n_in) : x;
    }
    return tape;
}

forward_operands linear_forward_operands(pass & p, const linear * w, int n, ggml_tensor * x, linear_tape & tape) {
    const lora_group g = group_of(p, w, n);
    x = as_product(p, x, w[0].n_in, planes_of(p));
    tape = linear_tape_of(p, w, g, x);
    ggml_tensor * u = g.n > 0 ? lora_forward(p, g, tape.x_lora, x->ne[1]) : nullptr;
    tape.u[0] = u;
    return {std::vector<linear>(w, w + n), g, layout_of(kernels_of(p), g, x->ne[1]), x, u};
}

std::vector<ggml_tensor *> forward_operands::inputs() const {
    return u ? std::vector<ggml_tensor *>{x, u} : std::vector<ggml_tensor *>{x};
}

product forward_operands::of(const cpu_kernels & k, int i) const {
    const linear & layer = layers[(size_t) i];
    product sum;
    sum.m = x->ne[1];
    sum.n = sum.ldc = layer.n_out;
    sum.bias = layer.bias ? (const float *) layer.bias->data : nullptr;
    sum.segments[sum.n_segments++] = {x->data, x->ne[0], {layer.w, true}, low_plane(x)};
    for (int j = 0; j < group.n; j++) {
        if (group.layer[j] == i) {
            sum.segments[sum.n_segments++] = {elements(k, u->data, layout.u(j, 0)), layout.r_padded, {group.pairs[j]->b, true}};
        }
    }
    return sum;
}

void cpu_linear_forward(pass & p, const linear * w, int n, ggml_tensor * x, ggml_tensor ** y, linear_tape & tape, const destination & d) {
    const cpu_kernels & k = kernels_of(p);
    const forward_operands operands = linear_forward_operands(p, w, n, x, tape);
    const int64_t n_tokens = x->ne[1];
    int64_t n_out = 0;
    for (int i = 0; i < n; i++) {
        n_out += w[i].n_out;
    }
    const ggml_tensor * plus = d.plus;
    const op_function run = [=, &k](const worker & wk, ggml_tensor * dst) {
        product products[MAX_SHARED_INPUT];
        float * c = (float *) dst->data;
        for (int i = 0; i < n; i++) {
            products[i] = operands.of(k, i);
            products[i].c = c;
            products[i].plus = plus ? (const float *) plus->data : nullptr;
            c += products[i].n*n_tokens;
        }
        run_products(k, products, n, wk);
    };
    if (n == 1) {
        y[0] = op_add_to(p, d, n_out, n_tokens, operands.inputs(), run);
        return;
    }
    ggml_tensor * all = op_add_saved(p, GGML_TYPE_F32, n_out*n_tokens, 1, operands.inputs(), run); // q, k and v: the backward pass takes them as they were
    int64_t first = 0;
    for (int i = 0; i < n; i++) {
        y[i] = ggml_view_2d(p.g.ctx, all, w[i].n_out, n_tokens, (size_t) w[i].n_out*sizeof(float), (size_t) first*sizeof(float));
        first += w[i].n_out*n_tokens;
    }
}

// ---- backward

static ggml_tensor * lora_input_gradients(pass & p, const lora_group & g, const std::vector<ggml_tensor *> & dy, int64_t n_tokens) {
    const cpu_kernels & k = kernels_of(p);
    const lora_layout l = layout_of(k, g, n_tokens);
    return op_add(p, k.product, l.size(), 1, dy, [=, &k](const worker & w, ggml_tensor * dst) {
        for (int64_t task; w.take((n_tokens + TOKENS - 1)/TOKENS, task);) {
            for (int j = 0; j < g.n; j++) {
                const ggml_tensor * from = dy[(size_t) g.layer[j]];
                lora_rows(k, l, j, {g.pairs[j]->b, false}, from->data, from->ne[0], g.pairs[j]->scale, task*TOKENS, std::min(TOKENS, n_tokens - task*TOKENS), dst->data, w.ith);
            }
        }
    });
}

static const int64_t COLUMNS = 128;         // of one task of dA or dB
static const int64_t TOKEN_STRETCH = 1024;  // tokens packed at a time

// sums (m, COLUMNS) = A (m, n_tokens padded) times columns [first, first + n) of B (n_tokens rows of product numbers)
static float * sum_over_tokens(const cpu_kernels & k, const void * a, int64_t lda, int64_t m, const ggml_tensor * b, int64_t first, int64_t n, int64_t n_tokens, int ith) {
    float * sums = (float *) workspace(ith, SLOT_SUMS, m*COLUMNS*(int64_t) sizeof(float));
    char * panels = (char *) workspace(ith, SLOT_PANELS, TOKEN_STRETCH*COLUMNS*product_size(k));
    for (int64_t t = 0; t < n_tokens; t += TOKEN_STRETCH) {
        const int64_t count = std::min(TOKEN_STRETCH, n_tokens - t), padded = padded_k(k, count);
        for (int64_t j = 0; j < n; j += k.panel) {
            k.pack_rows(elements(k, b->data, t*b->ne[0] + first + j), b->ne[0], count, std::min(k.panel, n - j), padded, elements(k, panels, j*padded));
        }
        const gemm_segment segment = {elements(k, a, t), lda, panels, padded*k.panel, padded};
        k.gemm(m, n, &segment, 1, sums, COLUMNS, t > 0);
    }
    return sums;
}

static void add_gradient_b(const lora_pair & lora, const float * sums, int64_t first, int64_t n, float factor) {
    const int64_t r = lora.grad_b->ne[0];
    float * grad = (float *) lora.grad_b->data; // (r, n_out)
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < r; i++) {
            grad[(first + j)*r + i] += factor*sums[i*COLUMNS + j];
        }
    }
}

static void add_gradient_a(const lora_pair & lora, const float * sums, int64_t first, int64_t n, float factor) {
    const int64_t r = lora.grad_a->ne[1], n_in = lora.grad_a->ne[0];
    float * grad = (float *) lora.grad_a->data; // (n_in, r)
    for (int64_t i = 0; i < r; i++) {
        for (int64_t j = 0; j < n; j++) {
            grad[i*n_in + first + j] += factor*sums[i*COLUMNS + j];
        }
    }
}

// dB_j and dA_j of every pair. With dropout each pair has an input of its own, else one product serves all dA.
static void add_lora_gradients(pass & p, const lora_group & g, const linear_tape & tape, const std::vector<ggml_tensor *> & dy, ggml_tensor * du, int64_t n_tokens) {
    const cpu_kernels & k = kernels_of(p);
    const lora_layout l = layout_of(k, g, n_tokens);
    const float factor = p.grad_unscale;
    ggml_tensor * u = tape.u[0];
    const bool shared = !p.dropout;
    std::vector<ggml_tensor *> x, inputs = dy;
    for (int j = 0; j < (shared ? 1 : g.n); j++) {
        x.push_back(tape.x_lora[g.layer[j]]);
    }
    inputs.insert(inputs.end(), x.begin(), x.end());
    inputs.insert(inputs.end(), {u, du});
    const int64_t n_in = g.pairs[0]->a->ne[0], strips_a = (n_in + COLUMNS - 1)/COLUMNS;
    ggml_tensor * done = op_add(p, GGML_TYPE_F32, 1, 1, inputs, [=, &k](const worker & w, ggml_tensor *) {
        int64_t first_task[MAX_SHARED_INPUT + 1] = {(int64_t) x.size()*strips_a}; // dA first, then dB of each pair
        for (int j = 0; j < g.n; j++) {
            first_task[j + 1] = first_task[j] + (g.pairs[j]->b->ne[1] + COLUMNS - 1)/COLUMNS;
        }
        for (int64_t task; w.take(first_task[g.n], task);) {
            if (task < first_task[0]) {
                const int j = (int) (task/strips_a), n_pairs = shared ? g.n : 1;
                const int64_t first = task%strips_a*COLUMNS, n = std::min(COLUMNS, n_in - first);
                const float * sums = sum_over_tokens(k, elements(k, du->data, l.u_t(j, 0)), l.tokens_padded, n_pairs*l.r, x[(size_t) j], first, n, n_tokens, w.ith);
                for (int i = 0; i < n_pairs; i++) {
                    add_gradient_a(*g.pairs[j + i], sums + i*l.r*COLUMNS, first, n, factor);
                }
                continue;
            }
            int j = 0;
            while (task >= first_task[j + 1]) {
                j++;
            }
            const int64_t first = (task - first_task[j])*COLUMNS, n = std::min(COLUMNS, g.pairs[j]->b->ne[1] - first);
            const float * sums = sum_over_tokens(k, elements(k, u->data, l.u_t(j, 0)), l.tokens_padded, l.r, dy[(size_t) g.layer[j]], first, n, n_tokens, w.ith);
            add_gradient_b(*g.pairs[j], sums, first, n, factor);
        }
    });
    graph_expand(p.g, done);
}

// A_j^T du_j under the dropout mask: cannot be a step of the common sum
static ggml_tensor * masked_lora_gradient(pass & p, const lora_pair & lora, ggml_tensor * du, const lora_layout & l, int j) {
    const cpu_kernels & k = kernels_of(p);
    const ggml_tensor * pool = p.dropout;
    const uint64_t seed = p.dropout_seed;
    const lora_pair * pair = &lora;
    const int64_t n_in = lora.a->ne[0];
    ggml_tensor * dx = op_add(p, GGML_TYPE_F32, n_in, l.n_tokens, {du}, [=, &k](const worker & w, ggml_tensor * dst) {
        product sum;
        sum.m = l.n_tokens;
        sum.n = sum.ldc = n_in;
        sum.c = (float *) dst->data;
        sum.segments[sum.n_segments++] = {elements(k, du->data, l.u(j, 0)), l.r_padded, {pair->a, false}};
        run_products(k, &sum, 1, w);
    });
    return op_add(p, GGML_TYPE_F32, n_in, l.n_tokens, {dx}, [=](const worker & w, ggml_tensor * dst) {
        const float * mask = dropout_window(pool, seed, *pair, n_in, l.n_tokens), * from = (const float *) dx->data;
        for (int64_t t; w.take(l.n_tokens, t);) {
            for (int64_t i = t*n_in; i < (t + 1)*n_in; i++) {
                ((float *) dst->data)[i] = from[i]*mask[i];
            }
        }
    });
}

backward_operands linear_backward_operands(pass & p, const linear * w, int n, const linear_tape & tape, ggml_tensor ** dy) {
    backward_operands o;
    o.layers.assign(w, w + n);
    o.group = group_of(p, w, n);
    o.layout = layout_of(kernels_of(p), o.group, tape.x->ne[1]);
    for (int i = 0; i < n; i++) {
        o.grads.push_back(as_product(p, dy[i], w[i].n_out));
    }
    if (o.group.n > 0) {
        o.du = lora_input_gradients(p, o.group, o.grads, o.layout.n_tokens);
        o.folded = !p.dropout;
    }
    return o;
}

void linear_add_gradients(pass & p, const backward_operands & o, const linear_tape & tape) {
    if (o.group.n > 0) {
        add_lora_gradients(p, o.group, tape, o.grads, o.du, o.layout.n_tokens);
    }
}

std::vector<ggml_tensor *> backward_operands::inputs() const {
    std::vector<ggml_tensor *> all = grads;
    if (folded) {
        all.push_back(du);
    }
    return all;
}

product backward_operands::sum(const cpu_kernels & k) const {
    product sum;
    sum.m = layout.n_tokens;
    sum.n = sum.ldc = layers[0].n_in;
    for (size_t i = 0; i < layers.size(); i++) {
        sum.segments[sum.n_segments++] = {grads[i]->data, grads[i]->ne[0], {layers[i].w, false}};
    }
    for (int j = 0; folded && j < group.n; j++) {
        sum.segments[sum.n_segments++] = {elements(k, du->data, layout.u(j, 0)), layout.r_padded, {group.pairs[j]->a, false}};
    }
    return sum;
}

ggml_tensor * linear_input_gradient(pass & p, const backward_operands & operands) {
    const cpu_kernels & k = kernels_of(p);
    const lora_group & g = operands.group;
    ggml_tensor * dx = op_add(p, GGML_TYPE_F32, operands.layers[0].n_in, operands.layout.n_tokens, operands.inputs(), [=, &k](const worker & wk, ggml_tensor * dst) {
        product sum = operands.sum(k);
        sum.c = (float *) dst->data;
        run_products(k, &sum, 1, wk);
    });
    for (int j = 0; p.dropout && j < g.n; j++) {
        dx = ggml_add(p.g.ctx, dx, masked_lora_gradient(p, *g.pairs[j], operands.du, operands.layout, j));
    }
    return dx;
}

ggml_tensor * cpu_linear_backward(pass & p, const linear * w, int n, const linear_tape & tape, ggml_tensor ** dy, bool want_dx) {
    const backward_operands operands = linear_backward_operands(p, w, n, tape, dy);
    linear_add_gradients(p, operands, tape);
    return want_dx ? linear_input_gradient(p, operands) : nullptr;
}
