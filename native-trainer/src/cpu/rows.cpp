// Norm, RoPE and the gated units: one row after the other.
#include "op.h"

#include <algorithm>
#include <cmath>
#include <memory>

static const int64_t BLOCK = 16; // rows of one task

template <typename F>
static void for_rows(const worker & w, int64_t n_rows, F f) {
    for (int64_t task; w.take((n_rows + BLOCK - 1)/BLOCK, task);) {
        for (int64_t row = task*BLOCK; row < std::min(n_rows, (task + 1)*BLOCK); row++) {
            f(row);
        }
    }
}

// rows of a tensor whose outer dimensions are contiguous
static float * row_of(const ggml_tensor * t, int64_t row) {
    return (float *) ((char *) t->data + (size_t) row*t->nb[1]);
}

static bool rows_contiguous(const ggml_tensor * t) {
    return t->nb[0] == ggml_type_size(t->type) && t->nb[2] == t->nb[1]*(size_t) t->ne[1];
}

static ggml_tensor * with_rows_contiguous(pass & p, ggml_tensor * t) {
    return rows_contiguous(t) ? t : ggml_cont(p.g.ctx, t);
}

// ---- norm

ggml_tensor * cpu_norm_forward(pass & p, ggml_tensor * x, ggml_tensor * weight, norm_reader reader) {
    const cpu_kernels & k = kernels_of(p);
    x = with_rows_contiguous(p, x);
    const float eps = p.base->hparams.norm_eps;
    const int64_t n = x->ne[0], n_rows = x->ne[1]*x->ne[2];
    if (reader == norm_reader::other) {
        ggml_tensor * y = op_add(p, GGML_TYPE_F32, n, n_rows, {x}, [=, &k](const worker & w, ggml_tensor * dst) {
            for_rows(w, n_rows, [&](int64_t row) { k.norm(row_of(x, row), (const float *) weight->data, n, eps, row_of(dst, row), false); });
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

ggml_tensor * cpu_norm_backward(pass & p, ggml_tensor * x, ggml_tensor * weight, ggml_tensor * dy) {
    const cpu_kernels & k = kernels_of(p);
    x  = with_rows_contiguous(p, x);
    dy = with_rows_contiguous(p, dy);
    const float eps = p.base->hparams.norm_eps;
    const int64_t n = x->ne[0], n_rows = x->ne[1]*x->ne[2];
    ggml_tensor * dx = op_add(p, GGML_TYPE_F32, n, n_rows, {x, dy}, [=, &k](const worker & w, ggml_tensor * dst) {
        for_rows(w, n_rows, [&](int64_t row) {
            k.norm_back(row_of(dy, row), row_of(x, row), (const float *) weight->data, n, eps, row_of(dst, row));
        });
    });
    return x->ne[2] > 1 ? ggml_reshape_3d(p.g.ctx, dx, n, x->ne[1], x->ne[2]) : dx;
}

// ---- RoPE

// cos and sin of every position and frequency, made once
struct rope_table {
    float   base = 0, scale = 0;
    int     dims = 0;
    const ggml_tensor * freqs = nullptr;
    int64_t n_positions = 0;
    std::vector<float> cosines, sines; // (dims/2, n_positions)
};

static std::shared_ptr<const rope_table> rope_table_for(const model & m, const rope_params & r, int64_t n_positions) {
    static std::shared_ptr<const rope_table> last[2]; // layers with and without a sliding window
    const int dims = m.hparams.rope_dims;
    for (const std::shared_ptr<const rope_table> & t : last) {
        if (t && t->base == r.base && t->scale == r.scale && t->dims == dims && t->freqs == m.rope_freqs && t->n_positions >= n_positions) {
            return t;
        }
    }
    auto t = std::make_shared<rope_table>();
    t->base = r.base, t->scale = r.scale, t->dims = dims, t->freqs = m.rope_freqs, t->n_positions = n_positions;
    const int64_t half = dims/2;
    t->cosines.resize((size_t) (half*n_positions));
    t->sines.resize((size_t) (half*n_positions));
    for (int64_t i = 0; i < half; i++) {
        const double divisor = m.rope_freqs ? ((const float *) m.rope_freqs->data)[i] : 1.0;
        const double frequency = pow((double) r.base, -2.0*(double) i/dims)*r.scale/divisor;
        for (int64_t position = 0; position < n_positions; position++) {
            t->cosines[(size_t) (position*half + i)] = (float) cos((double) position*frequency);
            t->sines  [(size_t) (position*half + i)] = (float) sin((double) position*frequency);
        }
    }
    last[1] = last[0];
    return last[0] = t;
}

// x (head_dim, heads, n_tokens)
static ggml_tensor * rope(pass & p, const rope_params & r, ggml_tensor * x, float sign) {
    const cpu_kernels & k = kernels_of(p);
    x = with_rows_contiguous(p, x);
    const int64_t head_dim = x->ne[0], heads = x->ne[1], n_rows = heads*x->ne[2], dims = p.base->hparams.rope_dims;
    const bool neox = p.base->hparams.arch->rope_mode == GGML_ROPE_TYPE_NEOX;
    const std::shared_ptr<const rope_table> table = rope_table_for(*p.base, r, x->ne[2]);
    ggml_tensor * pos = p.pos;
    ggml_tensor * y = op_add(p, GGML_TYPE_F32, head_dim, n_rows, {x, pos}, [=, &k](const worker & w, ggml_tensor * dst) {
        for_rows(w, n_rows, [&](int64_t row) {
            const int64_t position = ((const int32_t *) pos->data)[row/heads];
            const float * from = row_of(x, row);
            float * to = row_of(dst, row);
            k.rope(from, &table->cosines[(size_t) (position*dims/2)], &table->sines[(size_t) (position*dims/2)], dims, neox, sign, to);
            std::copy(from + dims, from + head_dim, to + dims);
        });
    });
    return ggml_reshape_3d(p.g.ctx, y, head_dim, heads, x->ne[2]);
}

ggml_tensor * cpu_rope_forward(pass & p, const rope_params & r, ggml_tensor * x)   { return rope(p, r, x,   1.0f); }
ggml_tensor * cpu_rope_backward(pass & p, const rope_params & r, ggml_tensor * dy) { return rope(p, r, dy, -1.0f); }

// ---- gated units

static void * number_row(const ggml_tensor * t, int64_t row) {
    return (char *) t->data + (size_t) row*t->nb[1];
}

// gate and up are F32, or product numbers where the backward pass has kept them so
ggml_tensor * cpu_glu_forward(pass & p, ggml_tensor * gate, ggml_tensor * up) {
    const cpu_kernels & k = kernels_of(p);
    const int64_t n = p.base->hparams.n_ff, n_rows = gate->ne[1], padded = padded_k(k, n);
    const bool gelu = p.base->hparams.arch->gemma;
    const bool product = gate->ne[0] == padded && gate->type == k.product, record = p.mode == tape_mode::record;
    ggml_tensor * kept_gate = record ? saved_next(p, k.product, padded, n_rows) : nullptr;
    ggml_tensor * kept_up   = record ? saved_next(p, k.product, padded, n_rows) : nullptr;
    const int64_t planes = product ? 1 : planes_of(p);
    return op_add_planes(p, padded, n_rows, planes, {gate, up}, [=, &k](const worker & w, ggml_tensor * dst) {
        float * fine = planes > 1 ? (float *) workspace(w.ith, SLOT_A, n*(int64_t) sizeof(float)) : nullptr;
        for_rows(w, n_rows, [&](int64_t row) {
            if (fine) {
                k.glu_f32(row_of(gate, row), row_of(up, row), gelu, n, fine);
                write_row(k, fine, 1.0f, n, dst, row);
            } else {
                k.glu(number_row(gate, row), number_row(up, row), product, gelu, n, number_row(dst, row));
                zero_tail(k, number_row(dst, row), n, padded);
            }
            if (record) {
                k.to_product(row_of(gate, row), 1.0f, n, number_row(kept_gate, row));
                k.to_product(row_of(up, row),   1.0f, n, number_row(kept_up, row));
            }
        });
    });
}

void cpu_glu_backward(pass & p, ggml_tensor * gate, ggml_tensor * up, ggml_tensor * dy, ggml_tensor ** dgate, ggml_tensor ** dup) {
    const cpu_kernels & k = kernels_of(p);
    const int64_t n = p.base->hparams.n_ff, n_rows = gate->ne[1], padded = padded_k(k, n);
    const bool product = gate->ne[0] == padded && gate->type == k.product, gelu = p.base->hparams.arch->gemma;
    ggml_tensor * both = op_add(p, k.product, padded, 2*n_rows, {gate, up, dy}, [=, &k](const worker & w, ggml_tensor * dst) {
        for_rows(w, n_rows, [&](int64_t row) {
            void * to_gate = number_row(dst, row), * to_up = number_row(dst, n_rows + row);
            k.glu_back(number_row(gate, row), number_row(up, row), product, gelu, row_of(dy, row), n, to_gate, to_up);
            zero_tail(k, to_gate, n, padded);
            zero_tail(k, to_up, n, padded);
        });
    });
    *dgate = ggml_view_2d(p.g.ctx, both, padded, n_rows, both->nb[1], 0);
    *dup   = ggml_view_2d(p.g.ctx, both, padded, n_rows, both->nb[1], (size_t) n_rows*both->nb[1]);
}
