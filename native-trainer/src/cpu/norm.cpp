// Norms: one row after the other.
#include "op.h"

#include <algorithm>

static const int64_t BLOCK = 16; // rows of one task

template <typename F>
static void for_rows(const worker & w, int64_t n_rows, F f) {
    for (int64_t task; w.take((n_rows + BLOCK - 1)/BLOCK, task);) {
        for (int64_t row = task*BLOCK; row < std::min(n_rows, (task + 1)*BLOCK); row++) {
            f(row);
        }
    }
}

static float * row_of(const ggml_tensor * t, int64_t row) {
    return (float *) row_at(t, row);
}

static bool rows_contiguous(const ggml_tensor * t) {
    return t->nb[0] == ggml_type_size(t->type) && t->nb[2] == t->nb[1]*(size_t) t->ne[1];
}

static ggml_tensor * with_rows_contiguous(pass & p, ggml_tensor * t) {
    return rows_contiguous(t) ? t : ggml_cont(p.g.ctx, t);
}

static void add_row(const cpu_kernels & k, const ggml_tensor * plus, int64_t row, float * to) {
    if (plus) {
        k.add_scaled(to, row_of(plus, row), plus->ne[0], 1.0f);
    }
}

ggml_tensor * cpu_norm_forward(pass & p, ggml_tensor * x, ggml_tensor * weight, norm_reader reader, const destination & d) {
    const cpu_kernels & k = kernels_of(p);
    x = with_rows_contiguous(p, x);
    const float eps = p.base->hparams.norm_eps;
    const int64_t n = x->ne[0], n_rows = x->ne[1]*x->ne[2];
    if (reader == norm_reader::other) {
        const ggml_tensor * plus = d.plus;
        ggml_tensor * y = op_add_to(p, d, n, n_rows, {x}, [=, &k](const worker & w, ggml_tensor * dst) {
            for_rows(w, n_rows, [&](int64_t row) {
                k.norm(row_of(x, row), (const float *) weight->data, n, eps, row_of(dst, row), false);
                add_row(k, plus, row, row_of(dst, row));
            });
        });
        return ggml_reshape_3d(p.g.ctx, y, n, x->ne[1], x->ne[2]);
    }
    const int64_t padded = padded_k(k, n);
    if (planes_of(p) > 1) {
        return op_add_planes(p, padded, n_rows, planes_of(p), {x}, [=, &k](const worker & w, ggml_tensor * dst) {
            float * y = (float *) workspace(w.ith, SLOT_A, n*(int64_t) sizeof(float));
            for_rows(w, n_rows, [&](int64_t row) {
                k.norm(row_of(x, row), (const float *) weight->data, n, eps, y, false);
                write_row(k, y, 1.0f, n, dst, row);
            });
        });
    }
    return op_add(p, k.product, padded, n_rows, {x}, [=, &k](const worker & w, ggml_tensor * dst) {
        for_rows(w, n_rows, [&](int64_t row) {
            void * y = (char *) dst->data + (size_t) row*dst->nb[1];
            k.norm(row_of(x, row), (const float *) weight->data, n, eps, y, true);
            zero_tail(k, y, n, padded);
        });
    });
}

ggml_tensor * cpu_norm_backward(pass & p, ggml_tensor * x, ggml_tensor * weight, ggml_tensor * dy, const destination & d) {
    const cpu_kernels & k = kernels_of(p);
    x  = with_rows_contiguous(p, x);
    dy = with_rows_contiguous(p, dy);
    const float eps = p.base->hparams.norm_eps;
    const int64_t n = x->ne[0], n_rows = x->ne[1]*x->ne[2];
    const ggml_tensor * plus = d.plus;
    ggml_tensor * dx = op_add_to(p, d, n, n_rows, {x, dy}, [=, &k](const worker & w, ggml_tensor * dst) {
        for_rows(w, n_rows, [&](int64_t row) {
            k.norm_back(row_of(dy, row), row_of(x, row), (const float *) weight->data, n, eps, row_of(dst, row));
            add_row(k, plus, row, row_of(dst, row));
        });
    });
    return x->ne[2] > 1 ? ggml_reshape_3d(p.g.ctx, dx, n, x->ne[1], x->ne[2]) : dx;
}
