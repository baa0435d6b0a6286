// The optimizer's two passes over the adapter, each in one go over memory: as a graph of ggml's operators they are five.
#include "adamw.h"

#include "op.h"
#include "pool.h"

#include <algorithm>

static const int64_t PIECE = 1 << 16; // numbers of one task

double cpu_gradient_norm2(const device & d, const cpu_kernels & k, const ggml_tensor * grads) {
    const int64_t n = ggml_nelements(grads), n_pieces = (n + PIECE - 1)/PIECE;
    std::vector<float> sums((size_t) n_pieces); // added up in order, whichever thread computed them
    std::atomic<int64_t> next{0};
    pool_run(d.threads, [&](int ith) {
        const worker w = {ith, d.threads, &next};
        for (int64_t piece; w.take(n_pieces, piece);) {
            sums[(size_t) piece] = k.sum_of_squares((const float *) grads->data + piece*PIECE, std::min(PIECE, n - piece*PIECE));
        }
    });
    double sum = 0;
    for (float part : sums) {
        sum += part;
    }
    return sum;
}

void cpu_adamw(const device & d, const cpu_kernels & k, const adamw_step & step, lora_adapter & adapter) {
    const int64_t n = ggml_nelements(adapter.params), n_pieces = (n + PIECE - 1)/PIECE;
    std::atomic<int64_t> next{0};
    pool_run(d.threads, [&](int ith) {
        const worker w = {ith, d.threads, &next};
        for (int64_t piece; w.take(n_pieces, piece);) {
            const int64_t first = piece*PIECE;
            const auto at = [&](ggml_tensor * t) { return (float *) t->data + first; };
            k.adamw(step, std::min(PIECE, n - first), at(adapter.params), at(adapter.grads), at(adapter.moment1), at(adapter.moment2));
        }
    });
}
