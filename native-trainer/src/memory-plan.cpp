#include "memory-plan.h"

#include "pair-graphs.h"
#include "platform.h"

#include <algorithm>
#include <cmath>

// The two kinds of graph that need the most scratch, for the longest pair.
static pass largest_layer_graph(policy & pol, bool training) {
    const int64_t n = pol.buffers.max_tokens, last = pol.base.hparams.n_layer - 1;
    return training ? layer_backward_graph(pol, last, n, 1.0f) : layer_forward_graph(pol, last, n, true, tape_mode::forward);
}

static pass largest_head_graph(policy & pol, bool training) {
    return head_graph(pol, pol.buffers.max_tokens, 0, pol.buffers.head_rows, training);
}

// Their scratch, from ggml's own allocator, without allocating anything.
static size_t scratch_bytes(policy & pol, bool training) {
    const auto measure = [&](pass p) {
        size_t size = 0;
        ggml_gallocr_reserve_n_size(pol.dev.galloc, p.g.nodes, nullptr, nullptr, &size);
        size += device_conversion_bytes(p.g);
        ggml_free(p.g.ctx);
        return size;
    };
    const size_t optimizer = training && !primitives_for(pol.dev).cpu ? ggml_nbytes(pol.lora.grads) : 0; // squared or clipped gradients, optimizer.cpp
    return std::max({measure(largest_layer_graph(pol, training)), measure(largest_head_graph(pol, training)), optimizer});
}

// Scratch memory is allocated once: what runs out runs out here and not hours later, and no device has to bear that it
// moves between two graphs (Mesa's software Vulkan does not).
static void reserve_scratch(policy & pol, bool training) {
    pass layer = largest_layer_graph(pol, training);
    graph_reserve(layer.g);
    pass head = largest_head_graph(pol, training);
    graph_reserve(head.g);
}

// The mask is there once more, where it is uploaded from.
static double host_mask_mb(const pair_buffers & b) {
    return b.mask ? (double) ggml_nbytes(b.mask)/1048576.0 : 0;
}

static double buffers_mb(const policy & pol) {
    std::vector<ggml_backend_buffer_t> buffers = pol.base.buffer_transposed;
    buffers.insert(buffers.end(), {pol.base.buffer_weights, pol.lora.buffer, pol.buffers.buffer, pol.saved.buffer});
    size_t bytes = 0;
    for (ggml_backend_buffer_t buffer : buffers) {
        bytes += buffer ? ggml_backend_buffer_get_size(buffer) : 0;
    }
    return (bytes + pol.dev.measured_bytes)/1048576.0;
}

// A CPU's buffers take memory when they are first written to.
static double untouched_mb(const policy & pol) {
    return pol.dev.is_cpu ? pol.buffers.buffer_bytes/1048576.0 : 0;
}

// What is free once the rest is there: a device that only measures has yet to give it.
static double free_mb(const policy & pol) {
    return device_free_mb(pol.dev) - (pol.dev.measures ? buffers_mb(pol) - untouched_mb(pol) : 0);
}

// For figures that are suggested: the program itself has not quite the same size in each run.
static double margin(double mb) {
    return 1.01*mb + 2;
}

double policy_device_memory_mb(const policy & pol) {
    return buffers_mb(pol) + device_scratch_mb(pol.dev);
}

// What the plan at hand needs on top of `fixed_mb`, within the limit and the free memory.
static bool fits(policy & pol, const train_config & config, double fixed_mb, double more_mb, bool training) {
    const double scratch_mb = scratch_bytes(pol, training)/1048576.0;
    const bool in_limit = config.memory_limit_mb == 0 || fixed_mb + buffers_mb(pol) + host_mask_mb(pol.buffers) + more_mb + scratch_mb <= (double) config.memory_limit_mb;
    return in_limit && untouched_mb(pol) + more_mb + scratch_mb <= 0.9*free_mb(pol);
}

// All give the same result, so that the free memory of the moment may decide. README.md, "Memory".
struct memory_plan {
    bool saved_layers, by_group, resident_transposed;
};

// In the order in which they are tried; the last one is the most frugal.
static std::vector<memory_plan> memory_plans(const policy & pol, bool training) {
    if (primitives_for(pol.dev).cpu) {
        return training ? std::vector<memory_plan>{{true, false, false}, {false, false, false}} : std::vector<memory_plan>{{false, false, false}};
    }
    if (training && primitives_for(pol.dev).transposed_weights) {
        return {{false, false, true}, {false, false, false}, {false, true, true}, {false, true, false}};
    }
    return {{false, false, false}, {false, true, false}};
}

static int64_t saved_layer_bytes(policy & pol) {
    const pass p = layer_forward_graph(pol, 0, pol.buffers.max_tokens, true, tape_mode::record);
    ggml_free(p.g.ctx);
    return p.saved_bytes;
}

static double kept_mb(policy & pol, const memory_plan & plan) {
    const double saved_mb = plan.saved_layers ? (double) (saved_layer_bytes(pol)*pol.base.hparams.n_layer)/1048576.0 : 0;
    return saved_mb + (plan.resident_transposed ? (double) model_transposed_layer_bytes(pol.base)/1048576.0 : 0);
}

static memory_plan first_that_fits(policy & pol, const train_config & config, double fixed_mb, bool training) {
    const std::vector<memory_plan> plans = memory_plans(pol, training);
    for (const memory_plan & plan : plans) {
        pol.attention_by_group = plan.by_group;
        if (fits(pol, config, fixed_mb, kept_mb(pol, plan), training)) {
            return plan;
        }
    }
    return plans.back();
}

static void plan_take(policy & pol, const memory_plan & plan) {
    pol.attention_by_group = plan.by_group;
    pol.plan.resident_transposed = plan.resident_transposed;
    if (plan.resident_transposed) {
        model_transpose_layers(pol.base, pol.dev);
    }
    if (plan.saved_layers) {
        pol.saved.layer_bytes = saved_layer_bytes(pol);
        pol.saved.ctx    = ggml_init({ggml_tensor_overhead()*2, nullptr, /*no_alloc =*/ true});
        pol.saved.memory = ggml_new_tensor_2d(pol.saved.ctx, GGML_TYPE_I8, pol.saved.layer_bytes, pol.base.hparams.n_layer);
        pol.saved.buffer = device_alloc(pol.dev, pol.saved.ctx, "the activations that the backward pass needs");
    }
}

static void plan_drop(policy & pol, const memory_plan & plan) {
    saved_free(pol.saved);
    if (plan.resident_transposed) {
        model_drop_transposed_layers(pol.base);
    }
}

// With the plan that is taken: what `hello` says of a run and `inspect` of a model.
static double estimate_mb(policy & pol, double fixed_mb, bool training) {
    return fixed_mb + buffers_mb(pol) + host_mask_mb(pol.buffers) + scratch_bytes(pol, training)/1048576.0;
}

static void transpose_output(policy & pol, bool training) {
    if (training && !primitives_for(pol.dev).cpu && primitives_for(pol.dev).transposed_weights) {
        model_transpose_output(pol.base, pol.dev);
    }
}

static plan_estimate plan_measure(policy & pol, const memory_plan & plan, double fixed_mb) {
    const size_t before_bytes = pol.dev.measured_bytes;
    plan_take(pol, plan);
    plan_estimate estimate = {estimate_mb(pol, fixed_mb, /*training =*/ true), plan_describe(pol)};
    plan_drop(pol, plan);
    pol.dev.measured_bytes = before_bytes;
    return estimate;
}

std::vector<plan_estimate> estimate_plans(policy & pol, const train_config & config, double fixed_mb, size_t & taken) {
    transpose_output(pol, /*training =*/ true);
    const memory_plan first = first_that_fits(pol, config, fixed_mb, /*training =*/ true);
    std::vector<plan_estimate> estimates;
    for (const memory_plan & plan : memory_plans(pol, /*training =*/ true)) {
        if (plan.saved_layers == first.saved_layers && plan.by_group == first.by_group && plan.resident_transposed == first.resident_transposed) {
            taken = estimates.size();
        }
        estimates.push_back(plan_measure(pol, plan, fixed_mb));
    }
    return estimates;
}

json plan_describe(const policy & pol) {
    return {
        {"transposed_weights", !pol.base.output.w_t ? "none" : pol.plan.resident_transposed ? "resident" : "streamed"},
        {"activations", pol.saved.memory ? "kept" : "computed again"},
        {"attention", pol.attention_by_group ? "by head group" : "whole"},
    };
}

void plan_memory(policy & pol, const train_config & config, double fixed_mb, bool training) {
    transpose_output(pol, training);
    plan_take(pol, first_that_fits(pol, config, fixed_mb, training));
    const double scratch_mb = scratch_bytes(pol, training)/1048576.0;
    pol.estimate_mb = estimate_mb(pol, fixed_mb, training);
    if (config.memory_limit_mb > 0 && pol.estimate_mb > (double) config.memory_limit_mb) {
        fail_resource("MEMORY_LIMIT", "the run needs about " + std::to_string((int64_t) pol.estimate_mb) + " MB, memory_limit_mb is " + std::to_string(config.memory_limit_mb),
            "Raise memory_limit_mb to " + std::to_string((int64_t) ceil(margin(pol.estimate_mb))) + ", or use a smaller max_length or a smaller model.");
    }
    // A system that promises more memory than it has would end the program later, without a word.
    if (pol.dev.is_cpu && untouched_mb(pol) + scratch_mb > device_free_mb(pol.dev)) {
        fail_resource("OUT_OF_MEMORY", "the run needs " + std::to_string((int64_t) (untouched_mb(pol) + scratch_mb)) + " MB more, " + std::to_string((int64_t) device_free_mb(pol.dev)) + " MB are free",
            "Use a smaller max_length, a smaller or more quantised model, or close other programs.");
    }
    reserve_scratch(pol, training);
}

// Scratch and buffers for pairs of n tokens, without allocating any.
static double needed_mb(policy & pol, int64_t n_tokens, bool training) {
    const pair_buffers own = pol.buffers;
    pol.buffers = pair_buffers();
    buffers_describe(pol.buffers, pol.base, pol.dev, n_tokens, pol.dropout);
    const size_t buffer_bytes = device_alloc_size(pol.dev, pol.buffers.ctx);
    for (ggml_tensor * t = ggml_get_first_tensor(pol.buffers.ctx); t; t = ggml_get_next_tensor(pol.buffers.ctx, t)) {
        t->data = pol.dev.graph_memory.data(); // never read: graphs are only measured, and shall not count them as scratch
    }
    const double mb = (double) (buffer_bytes + scratch_bytes(pol, training))/1048576.0 + host_mask_mb(pol.buffers);
    ggml_free(pol.buffers.ctx);
    pol.buffers = own;
    return mb;
}

int64_t find_tokens_that_fit(policy & pol, const train_config & config, double fixed_mb, int64_t max_tokens, bool training) {
    pol.attention_by_group = !primitives_for(pol.dev).cpu;
    saved_free(pol.saved);
    const double own_mb = pol.buffers.buffer ? ggml_backend_buffer_get_size(pol.buffers.buffer)/1048576.0 : 0;
    double room_mb = 0.9*device_free_mb(pol.dev) + (pol.dev.is_cpu ? 0 : own_mb); // a CPU's are untouched and still counted as free
    if (config.memory_limit_mb > 0) {
        room_mb = std::min(room_mb, (double) config.memory_limit_mb - (fixed_mb + buffers_mb(pol) - own_mb));
    }
    int64_t low = 0, high = max_tokens; // `low` fits, `high` does not
    while (high - low > 1) {
        const int64_t n = low + (high - low)/2;
        (margin(needed_mb(pol, n, training)) <= room_mb ? low : high) = n;
    }
    return low;
}
