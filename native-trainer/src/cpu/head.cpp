// The head as attention with keys and values both the output matrix: one pass over the vocabulary gives the log-probabilities and
// the direction of their gradient, and no logits are kept.
//
//   l = W h    logp = l_t - log sum exp l    e = W^T (softmax(l) - onehot(t))
//
// The vocabulary is divided among groups; each has its own maximum, sum and sum of exp(l - max) W for every row, and they are
// added up in order. The target is left out of that sum and comes in with p_t - 1, so that nothing cancels when p_t is near 1.
#include "op.h"

#include <algorithm>
#include <cmath>
#include <cstring>

static const int64_t CHUNK = 256;            // vocabulary entries packed at a time; a multiple of every panel
static const int64_t ROWS  = 64;             // rows multiplied at a time

struct head_op {
    const cpu_kernels * k;
    ggml_tensor * w, * h, * targets;
    int64_t n_rows, n_embd, n_vocab;
    bool direction;

    // a fixed number, so that the sums do not depend on the number of threads
    int64_t groups() const { return std::min<int64_t>(8, (n_vocab + CHUNK - 1)/CHUNK); }
    int64_t first_entry(int64_t group) const { return std::min(n_vocab, ((n_vocab + CHUNK - 1)/CHUNK*group/groups())*CHUNK); }

    // workspaces are numbered by group here: a group's numbers outlive the thread that computed them
    float * maxima(int64_t group) const { return (float *) workspace((int) group, SLOT_C, 2*n_rows*(int64_t) sizeof(float)); }
    float * sums(int64_t group) const   { return maxima(group) + n_rows; }
    float * mixed(int64_t group) const  { return (float *) workspace((int) group, SLOT_D, n_rows*n_embd*(int64_t) sizeof(float)); }
};

// exp of one row of logits of a chunk, with the running maximum; the target's logit is noted and its weight set to zero
static void chunk_row(const head_op & op, int64_t row, int64_t first, int64_t n, const float * logits, void * probs, float & top, float & sum, float * mixed, float * target_logits) {
    const cpu_kernels & k = *op.k;
    const float here = k.maximum(logits, n);
    if (here > top) {
        const float factor = std::isinf(top) ? 0.0f : expf(top - here);
        sum *= factor;
        if (op.direction && first > 0) {
            k.scale(mixed, op.n_embd, factor);
        }
        top = here;
    }
    sum += k.exp_row(logits, n, 1.0f, top, probs);
    zero_tail(k, probs, n, CHUNK);
    const int64_t target = ((const int32_t *) op.targets->data)[row] - first;
    if (target >= 0 && target < n) {
        target_logits[row] = logits[target];
        memset(elements(k, probs, target), 0, (size_t) product_size(k));
    }
}

static void run_group(const head_op & op, int64_t group, const worker & w, float * target_logits) {
    const cpu_kernels & k = *op.k;
    const int64_t dim = op.h->ne[0], begin = op.first_entry(group), end = op.first_entry(group + 1);
    const int64_t dim_panels = round_up(op.n_embd, k.panel);
    float * tops = op.maxima(group), * sums = op.sums(group), * mixed = op.direction ? op.mixed(group) : nullptr;
    std::fill(tops, tops + op.n_rows, -INFINITY);
    std::fill(sums, sums + op.n_rows, 0.0f);
    if (mixed) {
        std::fill(mixed, mixed + op.n_rows*op.n_embd, 0.0f);
    }
    char * columns  = (char *) workspace(w.ith, SLOT_PANELS, CHUNK*(dim + dim_panels)*product_size(k)), * rows = elements(k, columns, CHUNK*dim);
    void * scratch  = workspace(w.ith, SLOT_ROWS, CHUNK*op.n_embd*product_size(k));
    float * logits  = (float *) workspace(w.ith, SLOT_A, ROWS*CHUNK*(int64_t) sizeof(float));
    char * weights  = (char *) workspace(w.ith, SLOT_B, ROWS*CHUNK*product_size(k));
    for (int64_t first = begin; first < end; first += CHUNK) {
        const int64_t n = std::min(CHUNK, end - first), n_padded = round_up(n, k.panel);
        int64_t ld;
        const void * entries = weight_rows(k, op.w, first, n, 0, op.n_embd, scratch, ld);
        for (int64_t j = 0; j < n; j += k.panel) {
            k.pack_columns(elements(k, entries, j*ld), ld, std::min(k.panel, n - j), op.n_embd, dim, elements(k, columns, j*dim));
        }
        for (int64_t j = 0; op.direction && j < op.n_embd; j += k.panel) {
            k.pack_rows(elements(k, entries, j), ld, n, std::min(k.panel, op.n_embd - j), n_padded, elements(k, rows, j*n_padded));
        }
        for (int64_t row = 0; row < op.n_rows; row += ROWS) {
            const int64_t count = std::min(ROWS, op.n_rows - row);
            gemm_segment segments[2];
            int n_segments = 0;
            for (const void * h : {(const void *) op.h->data, low_plane(op.h)}) {
                if (h) {
                    segments[n_segments++] = {elements(k, h, row*dim), dim, columns, dim*k.panel, dim};
                }
            }
            k.gemm(count, n_padded, segments, n_segments, logits, CHUNK, false);
            for (int64_t i = row; i < row + count; i++) {
                chunk_row(op, i, first, n, logits + (i - row)*CHUNK, elements(k, weights, (i - row)*CHUNK), tops[i], sums[i], mixed + i*op.n_embd, target_logits);
            }
            if (op.direction) {
                const gemm_segment mix_segment = {weights, CHUNK, rows, n_padded*k.panel, n_padded};
                k.gemm(count, op.n_embd, &mix_segment, 1, mixed + row*op.n_embd, op.n_embd, true);
            }
        }
    }
}

// logp and e of one row from the numbers of all groups
static void merge_row(const head_op & op, int64_t row, const float * target_logits, float * logp, float * e) {
    const cpu_kernels & k = *op.k;
    const int64_t groups = op.groups();
    float top = -INFINITY;
    double sum = 0;
    for (int64_t g = 0; g < groups; g++) {
        top = std::max(top, op.maxima(g)[row]);
    }
    for (int64_t g = 0; g < groups; g++) {
        sum += (double) op.sums(g)[row]*exp((double) op.maxima(g)[row] - top);
    }
    const double log_p = (double) target_logits[row] - top - log(sum);
    logp[row] = (float) log_p;
    if (!op.direction) {
        return;
    }
    float * to = e + row*op.n_embd;
    const ggml_tensor * weights = op.w;
    const char * target = (const char *) weights->data + (size_t) ((const int32_t *) op.targets->data)[row]*weights->nb[1];
    if (weights->type == GGML_TYPE_F32) {
        memcpy(to, target, (size_t) op.n_embd*sizeof(float));
    } else {
        ggml_get_type_traits(weights->type)->to_float(target, to, op.n_embd);
    }
    k.scale(to, op.n_embd, (float) expm1(log_p)); // p_t - 1
    for (int64_t g = 0; g < groups; g++) {
        k.add_scaled(to, op.mixed(g) + row*op.n_embd, op.n_embd, (float) (exp((double) op.maxima(g)[row] - top)/sum));
    }
}

void cpu_head(pass & p, const linear & w, ggml_tensor * h, ggml_tensor * targets, ggml_tensor *, ggml_tensor ** logp, ggml_tensor ** e) {
    const cpu_kernels & k = kernels_of(p);
    const int64_t n_rows = h->ne[1];
    h = as_product(p, h, w.n_in, planes_of(p));
    const head_op op = {&k, w.w, h, targets, n_rows, w.n_in, w.n_out, e != nullptr};
    ggml_tensor * target_logits = op_add(p, GGML_TYPE_F32, n_rows, 1, {h, targets}, [=](const worker & wk, ggml_tensor * dst) {
        for (int64_t group; wk.take(op.groups(), group);) {
            run_group(op, group, wk, (float *) dst->data);
        }
    });
    ggml_tensor * both = op_add(p, GGML_TYPE_F32, n_rows*(op.direction ? 1 + w.n_in : 1), 1, {target_logits, targets}, [=](const worker & wk, ggml_tensor * dst) {
        float * to = (float *) dst->data;
        for (int64_t row; wk.take(n_rows, row);) {
            merge_row(op, row, (const float *) target_logits->data, to, to + n_rows);
        }
    });
    *logp = ggml_view_2d(p.g.ctx, both, 1, n_rows, sizeof(float), 0);
    if (e) {
        *e = ggml_view_2d(p.g.ctx, both, w.n_in, n_rows, (size_t) w.n_in*sizeof(float), (size_t) n_rows*sizeof(float));
    }
}
