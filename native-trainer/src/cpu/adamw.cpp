// The optimizer's two passes over the adapter, each in one go over memory: as a graph of ggml's operators they are five.
#include "adamw.h"

#include "op.h"
#include "pool.h"

#include <algorithm>

static const int64_t PIECE = 1 << 16; // numbers of one task

// f(piece, first, count) for every piece of n numbers
template <typename F>
static void for_pieces(const device & d, int64_t n, F f) {
    std::atomic<int64_t> next{0};
    pool_run(d.threads, [&](int ith) {
        const worker w = {ith, d.threads, &next};
        for (int64_t piece; w.take((n + PIECE - 1)/PIECE, piece);) {
            f(piece, piece*PIECE, std::min(PIECE, n - piece*PIECE));
        }
    });
}

double cpu_gradient_norm2(const device & d, const cpu_kernels & k, const ggml_tensor * grads) {
    const int64_t n = ggml_nelements(grads);
    std::vector<float> sums((size_t) ((n + PIECE - 1)/PIECE)); // added up in order, whichever thread computed them
    for_pieces(d, n, [&](int64_t piece, int64_t first, int64_t count) {
        sums[(size_t) piece] = k.sum_of_squares((const float *) grads->data + first, count);
    });
    double sum = 0;
    for (float part : sums) {
        sum += part;
    }
    return sum;
}

void cpu_adamw(const device & d, const cpu_kernels & k, const adamw_step & step, lora_adapter & adapter) {
    for_pieces(d, ggml_nelements(adapter.params), [&](int64_t, int64_t first, int64_t count) {
        const auto at = [&](ggml_tensor * t) { return (float *) t->data + first; };
        k.adamw(step, count, at(adapter.params), at(adapter.grads), at(adapter.moment1), at(adapter.moment2));
    });
}
