// The operations that the layer code is written in. Each one adds nodes to the graph of the pass.
//
// A binding fills this table. primitives-ggml.cpp binds ggml's own operators and runs on every backend; faster CPU
// kernels (as ggml custom operators) or other GPU code replace single entries without touching layer.cpp.
//
// Shapes are written in ggml's order, fastest first: (n_embd, n_tokens) is one row of n_embd numbers per token.
// A tape holds what the backward of a primitive needs from its forward.
#pragma once

#include "arch.h"
#include "device.h"
#include "lora.h"
#include "model.h"

#include <memory>

static const int MAX_SHARED_INPUT = 3; // q, k, v

struct linear_tape {
    ggml_tensor * x = nullptr;                     // (n_in, n_tokens)
    ggml_tensor * x_lora[MAX_SHARED_INPUT] = {};   // what A_i reads: x, or x after dropout
    ggml_tensor * u[MAX_SHARED_INPUT] = {};        // s A_i x, (r, n_tokens)
};

struct gated_tape {
    linear_tape   linears;
    ggml_tensor * gate = nullptr, * up = nullptr;  // (n_ff, n_tokens)
};

struct attention_tape {
    ggml_tensor * q = nullptr, * k = nullptr, * v = nullptr; // in the binding's own form
    ggml_tensor * kept = nullptr;                  // attention weights (n_tokens of k, n_tokens of q, n_head); null: by head group
};

// Where a result goes.
struct destination {
    ggml_tensor * plus = nullptr;                  // is added to it
    ggml_tensor * to   = nullptr;                  // it is written there; null: to a new tensor
    bool          kept = false;                    // the backward pass needs it again, see tape_mode
};

// What reads the result of a norm: a product, to which a binding may give numbers in another form, or anything else.
enum class norm_reader { product, other };

struct primitives;
struct cpu_kernels;

// What happens to the results that the backward pass needs again.
enum class tape_mode {
    forward,    // nothing
    record,     // forward pass: they are written to `saved`
    replay,     // backward pass: they are read from `saved`, in the order in which they were written
    recompute,  // backward pass: they are computed again
};

// What every primitive of one graph sees.
struct pass {
    graph               g;
    const primitives *  ops     = nullptr;
    const model *       base    = nullptr;
    ggml_tensor *       pos     = nullptr;         // (n_tokens) I32, RoPE positions
    ggml_tensor *       mask    = nullptr;         // (n_tokens, n_tokens) F32, 0 or -inf; row = query; null with the CPU's kernels
    int64_t             n_prompt = 0, n_chosen = 0; // the first two segments of the packed pair; 0: one causal sequence
    bool                by_group = false;          // policy::attention_by_group
    bool                lora    = false;           // with the adapter
    ggml_tensor *       dropout = nullptr;         // pool of 0 and 1/(1 - probability) that the masks of this pair are cut from; null = no dropout
    uint64_t            dropout_seed = 0;
    float               grad_unscale = 1.0f;       // gradients in flight are multiplied by its inverse, see pair-pass.h
    bool                fine = false;              // finer products in the forward pass, for bindings that know them
    tape_mode           mode = tape_mode::forward;
    ggml_tensor *       saved = nullptr;           // bytes of this layer; null in mode record: only counted
    int64_t             saved_bytes = 0;           // used so far
    std::vector<std::shared_ptr<void>> owned;      // what custom operators of this graph need while it runs
};

struct primitives {
    const char * name;
    int64_t      cpu_head_rows;         // rows that the head takes at once on a CPU
    bool         transposed_weights;    // the backward pass needs linear::w_t
    bool         fine_products;         // knows pass::fine
    const cpu_kernels * cpu;            // null: ggml's operators

    // Linear layers that read the same input (q,k,v or gate,up or one alone), i < n:
    //   y_i = W_i x + bias_i + s B_i (A_i x)
    // A destination is for one layer alone.
    void (*linear_forward)(pass & p, const linear * w, int n, ggml_tensor * x, ggml_tensor ** y, linear_tape & tape, const destination & d);

    //   returns sum_i W_i^T dy_i + s A_i^T (B_i^T dy_i), or null when the caller does not want it;
    //   adds to the gradients  dB_i += s dy_i (A_i x)^T,  dA_i += s (B_i^T dy_i) x^T
    ggml_tensor * (*linear_backward)(pass & p, const linear * w, int n, const linear_tape & tape, ggml_tensor ** dy, bool want_dx);

    // RMS norm over the fastest dimension, times weight:  y = w * x / sqrt(mean(x^2) + eps)
    ggml_tensor * (*norm_forward) (pass & p, ggml_tensor * x, ggml_tensor * weight, norm_reader reader, const destination & d);
    ggml_tensor * (*norm_backward)(pass & p, ggml_tensor * x, ggml_tensor * weight, ggml_tensor * dy, const destination & d);

    // q (head_dim, n_head, n_tokens) and k (head_dim, n_head_kv, n_tokens) are rotated by pos (RoPE); with v, in the shape of k,
    // -> (head_dim*n_head, n_tokens)
    ggml_tensor * (*attention_forward)(pass & p, const rope_params & r, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, attention_tape & tape);
    // dq, dk, dv in the shapes of q, k, v
    void (*attention_backward)(pass & p, const rope_params & r, const attention_tape & tape, ggml_tensor * dy, ggml_tensor ** dq, ggml_tensor ** dk, ggml_tensor ** dv);

    // y = act(W_gate x) * (W_up x), (n_ff, n_tokens); act is SiLU, or GELU in its tanh form (arch_facts::gemma). w: gate, up
    ggml_tensor * (*gated_forward)(pass & p, const linear * w, ggml_tensor * x, gated_tape & tape);
    // dgate and dup from the gradient of W_down y, whose dA and dB are added
    void (*gated_backward)(pass & p, const linear & down, const linear_tape & down_tape, const gated_tape & tape, ggml_tensor * dy, ggml_tensor ** d_gate_up);

    // Log-probabilities of the targets of some rows, and the direction of their gradient:
    //   logp_c = log softmax(W h_c)[target_c]                               (1, n_rows)
    //   e_c    = W^T (softmax(W h_c) - onehot(target_c)) = -d logp_c / d h_c  (n_embd, n_rows), when asked for
    // h (n_embd, n_rows); targets (1, n_rows) I32; target_cells (n_rows) I64 = row*n_vocab + target
    void (*head)(pass & p, const linear & w, ggml_tensor * h, ggml_tensor * targets, ggml_tensor * target_cells, ggml_tensor ** logp, ggml_tensor ** e);
};

// The binding for a device and the precision asked for.
const primitives & primitives_for(const device & d);
extern const primitives primitives_ggml;
