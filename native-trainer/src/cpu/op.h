// Nodes of a ggml graph that run code of ours.
#pragma once

#include "kernels.h"
#include "primitives.h"
#include "product.h"

#include <atomic>
#include <functional>
#include <vector>

// One thread inside an operator. Tasks are taken one by one, so that a thread that is slowed down by other programs holds up
// nobody; which thread computes a task never changes its result.
struct worker {
    int ith, nth;
    std::atomic<int64_t> * next;

    bool take(int64_t n_tasks, int64_t & task) const {
        task = next->fetch_add(1, std::memory_order_relaxed);
        return task < n_tasks;
    }
};

typedef std::function<void(const worker & w, ggml_tensor * dst)> op_function;

// `inputs`: the tensors of this graph that the operator reads (at most GGML_MAX_SRC). Weights need not be named.
// A result of one row may become longer than ne0.
ggml_tensor * op_add(pass & p, ggml_type type, int64_t ne0, int64_t ne1, const std::vector<ggml_tensor *> & inputs, op_function run);

// The same for a result of product numbers in `planes` planes, see below.
ggml_tensor * op_add_planes(pass & p, int64_t ne0, int64_t ne1, int64_t planes, const std::vector<ggml_tensor *> & inputs, op_function run);

// The same for a result that the backward pass needs again: written to the layer's saved memory, or taken from there, see tape_mode.
ggml_tensor * op_add_saved(pass & p, ggml_type type, int64_t ne0, int64_t ne1, const std::vector<ggml_tensor *> & inputs, op_function run);

// The same for a result F32 with a destination; what it is added to, the operator reads itself.
ggml_tensor * op_add_to(pass & p, const destination & d, int64_t ne0, int64_t ne1, const std::vector<ggml_tensor *> & inputs, op_function run);

// The next tensor in the layer's saved memory.
ggml_tensor * saved_next(pass & p, ggml_type type, int64_t ne0, int64_t ne1);

// The kernels of the table that this graph is built with.
inline const cpu_kernels & kernels_of(const pass & p) { return *p.ops->cpu; }

// [Note: fine products] A fine forward pass (pass::fine) keeps two planes of product numbers of every activation that a product
// reads: the rounded values, and what the rounding lost. Both are multiplied with the same weights, so that the forward pass
// rounds to 16 instead of 8 bits. Everything else, the backward pass included, reads the first plane.
inline int64_t planes_of(const pass & p) { return p.fine && p.mode != tape_mode::replay ? 2 : 1; }
inline const void * low_plane(const ggml_tensor * x) { return x->ne[2] > 1 ? (const char *) x->data + x->nb[2] : nullptr; }

// One row of x into every plane of dst, with its padding.
void write_row(const cpu_kernels & k, const float * x, float scale, int64_t n, ggml_tensor * dst, int64_t row);

// (n padded, n_tokens, planes) in product numbers; x itself when it already is.
ggml_tensor * as_product(pass & p, ggml_tensor * x, int64_t n, int64_t planes = 1);

// A row of a tensor whose outer dimensions are contiguous.
inline void * row_at(const ggml_tensor * t, int64_t row) { return (char *) t->data + (size_t) row*t->nb[1]; }

// Zeroes the padding of a row of product numbers.
void zero_tail(const cpu_kernels & k, void * row, int64_t n, int64_t n_padded);

// ---- the primitives

void          cpu_linear_forward (pass & p, const linear * w, int n, ggml_tensor * x, ggml_tensor ** y, linear_tape & tape, const destination & d);
ggml_tensor * cpu_linear_backward(pass & p, const linear * w, int n, const linear_tape & tape, ggml_tensor ** dy, bool want_dx);
ggml_tensor * cpu_norm_forward (pass & p, ggml_tensor * x, ggml_tensor * weight, norm_reader reader, const destination & d);
ggml_tensor * cpu_norm_backward(pass & p, ggml_tensor * x, ggml_tensor * weight, ggml_tensor * dy, const destination & d);
ggml_tensor * cpu_attention_forward (pass & p, const rope_params & r, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, attention_tape & tape);
void          cpu_attention_backward(pass & p, const rope_params & r, const attention_tape & tape, ggml_tensor * dy, ggml_tensor ** dq, ggml_tensor ** dk, ggml_tensor ** dv);
ggml_tensor * cpu_gated_forward (pass & p, const linear * w, ggml_tensor * x, gated_tape & tape);
void          cpu_gated_backward(pass & p, const linear & down, const linear_tape & down_tape, const gated_tape & tape, ggml_tensor * dy, ggml_tensor ** d_gate_up);
void          cpu_head(pass & p, const linear & w, ggml_tensor * h, ggml_tensor * targets, ggml_tensor * target_cells, ggml_tensor ** logp, ggml_tensor ** e);
