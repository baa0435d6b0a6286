// The gated unit with the layers around it: gate and up are never whole in memory as F32, and neither is the gradient of the
// unit. A task computes a strip of columns for a few rows after the other and goes on with what it has while it is in the cache.
//
//   forward    y = act(g) u,   g = W_gate x, u = W_up x
//   backward   dg = act'(g) u dy,  du = act(g) dy,   dy = W_down^T d_out
//
// What the backward pass keeps of g and u are product numbers; it computes y again from those, as what dA of W_down reads.
#include "linear.h"

#include <algorithm>
#include <vector>

static const int64_t ROWS = 32;             // computed at a time: a whole tile of every kernel

static void * place_at(const cpu_kernels & k, const ggml_tensor * t, int64_t row, int64_t column) {
    return elements(k, row_at(t, row), column);
}

// the last columns' task also writes the padding of the row
static void zero_padding(const cpu_kernels & k, const task_range & r, int64_t n, const ggml_tensor * t, int64_t row) {
    if (r.column + r.n == n) {
        zero_tail(k, row_at(t, row), n, t->ne[0]);
    }
}

// ---- forward

// Where the forward pass writes; null: not wanted.
struct gated_results {
    ggml_tensor * gate, * up, * y;
};

static void write_gated(const cpu_kernels & k, const task_range & r, int64_t n, int64_t row, const float * gate, const float * up, bool gelu, const gated_results & to, float * fine) {
    if (to.gate) {
        k.to_product(gate, 1.0f, r.n, place_at(k, to.gate, row, r.column));
        k.to_product(up,   1.0f, r.n, place_at(k, to.up,   row, r.column));
        zero_padding(k, r, n, to.gate, row);
        zero_padding(k, r, n, to.up,   row);
    }
    if (!to.y) {
        return;
    }
    char * high = (char *) place_at(k, to.y, row, r.column), * low = high + to.y->nb[2];
    if (to.y->ne[2] > 1) {
        k.glu_f32(gate, up, gelu, r.n, fine);
        k.split(fine, 1.0f, r.n, high, low);
        if (r.column + r.n == n) {
            zero_tail(k, (char *) row_at(to.y, row) + to.y->nb[2], n, to.y->ne[0]);
        }
    } else {
        k.glu(gate, up, gelu, r.n, high);
    }
    zero_padding(k, r, n, to.y, row);
}

static void gated_run(const cpu_kernels & k, const forward_operands & operands, bool gelu, const gated_results & to, const worker & w) {
    const product gate = operands.of(k, 0), up = operands.of(k, 1);
    for_tasks(k, &gate, 1, 2, w, [&](const task_range & r) {
        const int64_t bytes = packed_bytes(k, gate, r.n), ld = round_up(r.n, k.panel);
        char * panels = (char *) workspace(w.ith, SLOT_PANELS, 2*bytes);
        const packed_columns gate_columns = product_pack(k, gate, r.column, r.n, panels, w.ith);
        const packed_columns up_columns   = product_pack(k, up,   r.column, r.n, panels + bytes, w.ith);
        float * gates = (float *) workspace(w.ith, SLOT_SUMS, (2*ROWS + 1)*ld*(int64_t) sizeof(float)), * ups = gates + ROWS*ld;
        for (int64_t row = r.row; row < r.row + r.rows; row += ROWS) {
            const int64_t rows = std::min(ROWS, r.row + r.rows - row);
            packed_run(k, gate, gate_columns, row, rows, gates, ld);
            packed_run(k, up,   up_columns,   row, rows, ups,   ld);
            for (int64_t i = 0; i < rows; i++) {
                write_gated(k, r, gate.n, row + i, gates + i*ld, ups + i*ld, gelu, to, ups + ROWS*ld);
            }
        }
    });
}

// Part of a tensor (n_ff padded, 3 n_tokens).
static ggml_tensor * part_of(pass & p, ggml_tensor * all, int i) {
    const int64_t n_tokens = all->ne[1]/3;
    return ggml_view_2d(p.g.ctx, all, all->ne[0], n_tokens, all->nb[1], (size_t) (i*n_tokens)*all->nb[1]);
}

ggml_tensor * cpu_gated_forward(pass & p, const linear * w, ggml_tensor * x, gated_tape & tape) {
    const cpu_kernels & k = kernels_of(p);
    const forward_operands operands = linear_forward_operands(p, w, 2, x, tape.linears);
    const bool gelu = p.base->hparams.arch->gemma;
    const int64_t padded = padded_k(k, w[0].n_out), n_tokens = x->ne[1];
    if (p.mode == tape_mode::recompute) {
        ggml_tensor * all = op_add(p, k.product, padded, 3*n_tokens, operands.inputs(), [=, &k](const worker & wk, ggml_tensor * dst) {
            ggml_tensor parts[3];
            for (int i = 0; i < 3; i++) {
                parts[i] = *dst;
                parts[i].data = row_at(dst, i*n_tokens);
            }
            gated_run(k, operands, gelu, {&parts[0], &parts[1], &parts[2]}, wk);
        });
        tape.gate = part_of(p, all, 0);
        tape.up   = part_of(p, all, 1);
        return part_of(p, all, 2);
    }
    if (p.mode != tape_mode::forward) {
        tape.gate = saved_next(p, k.product, padded, n_tokens);
        tape.up   = saved_next(p, k.product, padded, n_tokens);
    }
    if (p.mode == tape_mode::replay) {
        return ggml_new_tensor_2d(p.g.ctx, k.product, padded, n_tokens); // nothing reads it: u of the next layer is saved
    }
    ggml_tensor * gate = tape.gate, * up = tape.up;
    return op_add_planes(p, padded, n_tokens, planes_of(p), operands.inputs(), [=, &k](const worker & wk, ggml_tensor * dst) {
        gated_run(k, operands, gelu, {gate, up, dst}, wk);
    });
}

// ---- backward

// dy (rows of columns r, ld apart) through the unit: dgate, dup, and y from what was kept
static void unit_backward_rows(const cpu_kernels & k, const task_range & r, const gated_tape & tape, bool gelu, const float * dy, int64_t ld, int64_t n, int64_t row, int64_t rows, ggml_tensor * dst) {
    const int64_t n_tokens = tape.gate->ne[1];
    for (int64_t i = row; i < row + rows; i++) {
        k.glu_back(place_at(k, tape.gate, i, r.column), place_at(k, tape.up, i, r.column), gelu, dy + (i - row)*ld, r.n,
            place_at(k, dst, i, r.column), place_at(k, dst, n_tokens + i, r.column), place_at(k, dst, 2*n_tokens + i, r.column));
        for (int part = 0; part < 3; part++) {
            zero_padding(k, r, n, dst, part*n_tokens + i);
        }
    }
}

// with dropout dy has further terms, see backward_operands
static ggml_tensor * unit_backward(pass & p, const gated_tape & tape, ggml_tensor * dy) {
    const cpu_kernels & k = kernels_of(p);
    const bool gelu = p.base->hparams.arch->gemma;
    const int64_t n = dy->ne[0], n_tokens = dy->ne[1];
    return op_add(p, k.product, padded_k(k, n), 3*n_tokens, {tape.gate, tape.up, dy}, [=, &k](const worker & w, ggml_tensor * dst) {
        for (int64_t row; w.take(n_tokens, row);) {
            unit_backward_rows(k, {0, 0, n, row, 1}, tape, gelu, (const float *) row_at(dy, row), n, n, row, 1, dst);
        }
    });
}

static ggml_tensor * down_and_unit_backward(pass & p, const backward_operands & operands, const gated_tape & tape) {
    const cpu_kernels & k = kernels_of(p);
    const bool gelu = p.base->hparams.arch->gemma;
    const int64_t n = operands.layers[0].n_in;
    std::vector<ggml_tensor *> inputs = operands.inputs();
    inputs.insert(inputs.end(), {tape.gate, tape.up});
    return op_add(p, k.product, padded_k(k, n), 3*operands.layout.n_tokens, inputs, [=, &k](const worker & w, ggml_tensor * dst) {
        const product sum = operands.sum(k);
        for_tasks(k, &sum, 1, 1, w, [&](const task_range & r) {
            const int64_t ld = round_up(r.n, k.panel);
            const packed_columns columns = product_pack(k, sum, r.column, r.n, workspace(w.ith, SLOT_PANELS, packed_bytes(k, sum, r.n)), w.ith);
            float * dy = (float *) workspace(w.ith, SLOT_SUMS, ROWS*ld*(int64_t) sizeof(float));
            for (int64_t row = r.row; row < r.row + r.rows; row += ROWS) {
                const int64_t rows = std::min(ROWS, r.row + r.rows - row);
                packed_run(k, sum, columns, row, rows, dy, ld);
                unit_backward_rows(k, r, tape, gelu, dy, ld, n, row, rows, dst);
            }
        });
    });
}

void cpu_gated_backward(pass & p, const linear & down, const linear_tape & down_tape, const gated_tape & tape, ggml_tensor * dy, ggml_tensor ** d_gate_up) {
    const backward_operands operands = linear_backward_operands(p, &down, 1, down_tape, &dy);
    ggml_tensor * all = p.dropout ? unit_backward(p, tape, linear_input_gradient(p, operands)) : down_and_unit_backward(p, operands, tape);
    linear_tape y_tape = linear_tape_of(p, &down, operands.group, part_of(p, all, 2));
    y_tape.u[0] = down_tape.u[0];
    linear_add_gradients(p, operands, y_tape);
    d_gate_up[0] = part_of(p, all, 0);
    d_gate_up[1] = part_of(p, all, 1);
}
