#include "op.h"

#include "pool.h"

#include <algorithm>
#include <cstring>

struct op_state {
    op_function run;
    const device * dev;
    std::atomic<int64_t> next{0};   // a graph runs once, so that it is never reset
};

// ggml calls this in one thread, see pool.h
static void run_op(ggml_tensor * dst, int, int, void * data) {
    op_state & state = *static_cast<op_state *>(data);
    const int n_threads = state.dev->threads;
    pool_run(n_threads, [&](int ith) { state.run({ith, n_threads, &state.next}, dst); });
}

static op_state * own_state(pass & p, op_function run) {
    auto state = std::make_shared<op_state>();
    state->run = std::move(run);
    state->dev = p.g.dev;
    p.owned.push_back(state);
    return state.get();
}

// ggml's allocator aligns to 32 bytes, but a tile row that crosses a cache line costs twice. As long as every tensor takes whole
// cache lines, all begin on one.
static int64_t whole_cache_lines(ggml_type type, int64_t ne0, int64_t ne1) {
    const int64_t size = (int64_t) ggml_type_size(type);
    return ne1 == 1 ? round_up(ne0*size, CACHE_LINE)/size : ne0;
}

ggml_tensor * op_add(pass & p, ggml_type type, int64_t ne0, int64_t ne1, const std::vector<ggml_tensor *> & inputs, op_function run) {
    std::vector<ggml_tensor *> args = inputs;
    ne0 = whole_cache_lines(type, ne0, ne1);
    return ggml_custom_4d(p.g.ctx, type, ne0, ne1, 1, 1, args.data(), (int) args.size(), run_op, 1, own_state(p, std::move(run)));
}

ggml_tensor * op_add_planes(pass & p, int64_t ne0, int64_t ne1, int64_t planes, const std::vector<ggml_tensor *> & inputs, op_function run) {
    std::vector<ggml_tensor *> args = inputs;
    return ggml_custom_4d(p.g.ctx, kernels_of(p).product, ne0, ne1, planes, 1, args.data(), (int) args.size(), run_op, 1, own_state(p, std::move(run)));
}

ggml_tensor * saved_next(pass & p, ggml_type type, int64_t ne0, int64_t ne1) {
    ggml_tensor * t = ggml_new_tensor_2d(p.g.ctx, type, ne0, ne1);
    const int64_t offset = p.saved_bytes;
    p.saved_bytes += round_up((int64_t) ggml_nbytes(t), CACHE_LINE);
    if (p.saved) {
        GGML_ASSERT(p.saved_bytes <= (int64_t) ggml_nbytes(p.saved));
        if (p.g.dev->measures) {
            t->data = p.saved->data;
        } else {
            ggml_backend_tensor_alloc(p.saved->buffer, t, (char *) p.saved->data + offset);
        }
    }
    return t;
}

ggml_tensor * op_add_saved(pass & p, ggml_type type, int64_t ne0, int64_t ne1, const std::vector<ggml_tensor *> & inputs, op_function run) {
    if (p.mode == tape_mode::replay) {
        return saved_next(p, type, ne0, ne1);
    }
    if (p.mode == tape_mode::record) {
        ggml_tensor * place = saved_next(p, type, ne0, ne1);
        std::vector<ggml_tensor *> args = inputs;
        return ggml_custom_inplace(p.g.ctx, place, args.data(), (int) args.size(), run_op, 1, own_state(p, std::move(run)));
    }
    return op_add(p, type, ne0, ne1, inputs, std::move(run));
}

ggml_tensor * op_add_to(pass & p, const destination & d, int64_t ne0, int64_t ne1, const std::vector<ggml_tensor *> & inputs, op_function run) {
    std::vector<ggml_tensor *> args = inputs;
    if (d.plus) {
        args.push_back(d.plus);
    }
    if (d.to) {
        return ggml_custom_inplace(p.g.ctx, d.to, args.data(), (int) args.size(), run_op, 1, own_state(p, std::move(run)));
    }
    return (d.kept ? op_add_saved : op_add)(p, GGML_TYPE_F32, ne0, ne1, args, std::move(run));
}

void zero_tail(const cpu_kernels & k, void * row, int64_t n, int64_t n_padded) {
    memset(elements(k, row, n), 0, (size_t) ((n_padded - n)*product_size(k)));
}

void write_row(const cpu_kernels & k, const float * x, float scale, int64_t n, ggml_tensor * dst, int64_t row) {
    char * high = (char *) dst->data + (size_t) row*dst->nb[1], * low = high + dst->nb[2];
    if (dst->ne[2] > 1) {
        k.split(x, scale, n, high, low);
        zero_tail(k, low, n, dst->ne[0]);
    } else {
        k.to_product(x, scale, n, high);
    }
    zero_tail(k, high, n, dst->ne[0]);
}

ggml_tensor * as_product(pass & p, ggml_tensor * x, int64_t n, int64_t planes) {
    const cpu_kernels & k = kernels_of(p);
    const int64_t padded = padded_k(k, n), n_tokens = x->ne[1];
    if (x->type == k.product && x->ne[0] == padded) {
        return x;
    }
    return op_add_planes(p, padded, n_tokens, planes, {x}, [=, &k](const worker & w, ggml_tensor * dst) {
        const int64_t block = 32;
        for (int64_t task; w.take((n_tokens + block - 1)/block, task);) {
            for (int64_t t = task*block; t < std::min(n_tokens, (task + 1)*block); t++) {
                write_row(k, (const float *) ((const char *) x->data + (size_t) t*x->nb[1]), 1.0f, n, dst, t);
            }
        }
    });
}
