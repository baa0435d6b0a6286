// Linear layers that share an input as products, for linear.cpp and the operators that are fused with them.
#pragma once

#include "op.h"

#include <algorithm>
#include <vector>

// The layers among w that have a LoRA pair, in order.
struct lora_group {
    const lora_pair * pairs[MAX_SHARED_INPUT];
    int     layer[MAX_SHARED_INPUT];        // index in w
    int     n = 0;
    int64_t r = 0;
};

// Places in a tensor of product numbers: u of pair j (r padded, n_tokens), then u of all pairs transposed (n_tokens padded, n*r).
struct lora_layout {
    int64_t n_tokens, r, r_padded, tokens_padded, n;

    int64_t u(int64_t j, int64_t token) const  { return (j*n_tokens + token)*r_padded; }
    int64_t u_t(int64_t j, int64_t row) const  { return n*n_tokens*r_padded + (j*r + row)*tokens_padded; }
    int64_t size() const                       { return n*n_tokens*r_padded + n*r*tokens_padded; }
};

// What the products y_i = W_i x + B_i u_i read.
struct forward_operands {
    std::vector<linear> layers;
    lora_group    group;
    lora_layout   layout;
    ggml_tensor * x, * u;                   // u: null without LoRA

    std::vector<ggml_tensor *> inputs() const;
    product of(const cpu_kernels & k, int i) const; // without a place for the result
};

// x in product numbers, and with the dropout masks of the pairs; without u
linear_tape      linear_tape_of(pass & p, const linear * w, const lora_group & g, ggml_tensor * x);
forward_operands linear_forward_operands(pass & p, const linear * w, int n, ggml_tensor * x, linear_tape & tape);

// What the product dx = sum_i W_i^T dy_i + A_i^T du_i reads. With dropout the second sum is not part of it: its terms go through
// the masks and are added afterwards.
struct backward_operands {
    std::vector<linear> layers;
    lora_group    group;
    lora_layout   layout;
    std::vector<ggml_tensor *> grads;       // dy_i in product numbers
    ggml_tensor * du = nullptr;             // null without LoRA
    bool          folded = false;           // A_i^T du_i are part of it

    std::vector<ggml_tensor *> inputs() const;
    product sum(const cpu_kernels & k) const; // without a place for the result
};

backward_operands linear_backward_operands(pass & p, const linear * w, int n, const linear_tape & tape, ggml_tensor ** dy);
// dA_i and dB_i
void linear_add_gradients(pass & p, const backward_operands & o, const linear_tape & tape);
// dx (n_in, n_tokens), with dropout's terms too
ggml_tensor * linear_input_gradient(pass & p, const backward_operands & o);

// Columns [column, column + n) of rows [row, row + rows) of one product.
struct task_range {
    int     product;
    int64_t column, n, row, rows;
};

// Calls f for strips of all products times blocks of rows, some for each thread; the larger the blocks, the less is packed twice.
// n_packed: products of this shape that a task packs at the same time.
template <typename F>
void for_tasks(const cpu_kernels & k, const product * products, int n, int n_packed, const worker & w, F f) {
    const int64_t tasks_wanted = 3*w.nth, m = products[0].m;
    int64_t columns = 0, n_strips = 0, widths[MAX_SHARED_INPUT];
    for (int i = 0; i < n; i++) {
        columns += products[i].n;
    }
    for (int i = 0; i < n; i++) {
        widths[i] = product_strip(k, products[i], std::max<int64_t>(1, tasks_wanted*products[i].n/columns), n_packed);
        n_strips += (products[i].n + widths[i] - 1)/widths[i];
    }
    const int64_t block = product_rows_of_task(m, n_strips, tasks_wanted), n_blocks = (m + block - 1)/block;
    for (int64_t task; w.take(n_strips*n_blocks, task);) {
        const int64_t row = task%n_blocks*block;
        int64_t column = task/n_blocks;
        int i = 0;
        for (; column >= (products[i].n + widths[i] - 1)/widths[i]; i++) {
            column -= (products[i].n + widths[i] - 1)/widths[i];
        }
        column *= widths[i];
        f(task_range{i, column, std::min(widths[i], products[i].n - column), row, std::min(block, m - row)});
    }
}
