#include "pair-pass.h"

#include "layer.h"
#include "platform.h"
#include "random.h"

#include <algorithm>
#include <cmath>

// ---- buffers

// The mask is there once more, where it is uploaded from.
static double host_mask_mb(const pair_buffers & b) {
    return b.mask ? (double) ggml_nbytes(b.mask)/1048576.0 : 0;
}

static void buffers_describe(pair_buffers & b, const model & m, const device & d, int64_t max_tokens, bool dropout) {
    const hyper_params & h = m.hparams;
    b.max_tokens = max_tokens;
    b.max_rows   = max_tokens + 1;      // every token but one, and the last prompt token twice
    b.head_rows  = std::min<int64_t>(b.max_rows, d.is_cpu ? primitives_for(d).cpu_head_rows : 512);
    b.ctx = ggml_init({ggml_tensor_overhead()*16, nullptr, /*no_alloc =*/ true});
    b.ids     = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, max_tokens);
    b.pos     = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, max_tokens);
    if (!primitives_for(d).cpu) { // the CPU's kernels know the segments
        b.mask = ggml_new_tensor_1d(b.ctx, GGML_TYPE_F32, max_tokens*max_tokens);
    }
    b.rows    = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, b.max_rows);
    b.targets = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I32, b.max_rows);
    b.cells   = ggml_new_tensor_1d(b.ctx, GGML_TYPE_I64, b.max_rows);
    b.x       = ggml_new_tensor_3d(b.ctx, GGML_TYPE_F32, h.n_embd, max_tokens, h.n_layer + 1);
    b.dx      = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, h.n_embd, max_tokens);
    b.logp    = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, 1, b.max_rows);
    b.e       = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, h.n_embd, b.max_rows);
    b.coef    = ggml_new_tensor_2d(b.ctx, GGML_TYPE_F32, 1, b.max_rows);
    if (dropout) {
        // twice the largest mask, so that the windows of different layers differ
        const int64_t widest = std::max({h.n_embd, h.n_ff, h.n_head*h.head_dim});
        b.dropout = ggml_new_tensor_1d(b.ctx, GGML_TYPE_F32, 2*widest*max_tokens);
    }
}

static void buffers_init(pair_buffers & b, const model & m, device & d, int64_t max_tokens, bool dropout) {
    buffers_describe(b, m, d, max_tokens, dropout);
    b.buffer = device_alloc(d, b.ctx, "the activations of the longest pair");
}

static void saved_free(saved_layers & saved) {
    ggml_backend_buffer_free(saved.buffer);
    ggml_free(saved.ctx);
    saved = saved_layers();
}

static void buffers_upload(pair_buffers & b, const packed_pair & pair, int64_t n_vocab) {
    const size_t n = pair.rows.size();
    b.n_prompt = pair.n_prompt;
    b.n_chosen = pair.n_chosen;
    std::vector<int64_t> cells(n);
    for (size_t i = 0; i < n; i++) {
        cells[i] = (int64_t) i % b.head_rows*n_vocab + pair.targets[i];
    }
    ggml_backend_tensor_set(b.ids,     pair.ids.data(),     0, pair.ids.size()*sizeof(int32_t));
    ggml_backend_tensor_set(b.pos,     pair.pos.data(),     0, pair.pos.size()*sizeof(int32_t));
    ggml_backend_tensor_set(b.rows,    pair.rows.data(),    0, n*sizeof(int32_t));
    ggml_backend_tensor_set(b.targets, pair.targets.data(), 0, n*sizeof(int32_t));
    ggml_backend_tensor_set(b.cells,   cells.data(),        0, n*sizeof(int64_t));
    if (b.mask) {
        const std::vector<float> mask = attention_mask(pair);
        ggml_backend_tensor_set(b.mask, mask.data(), 0, mask.size()*sizeof(float));
    }
}

// ---- graphs. n_tokens and n_rows are those of the pair at hand, the buffers hold those of the longest

static pass pass_begin(policy & p, int64_t n_tokens, bool with_lora) {
    pass s;
    s.g    = graph_begin(p.dev);
    s.ops  = &primitives_for(p.dev);
    s.base = &p.base;
    s.pos  = ggml_view_1d(s.g.ctx, p.buffers.pos, n_tokens, 0);
    if (p.buffers.mask) {
        s.mask = ggml_view_2d(s.g.ctx, p.buffers.mask, n_tokens, n_tokens, (size_t) n_tokens*sizeof(float), 0);
    }
    s.n_prompt = p.buffers.n_prompt;
    s.n_chosen = p.buffers.n_chosen;
    s.by_group = p.attention_by_group;
    s.lora = with_lora && p.has_adapter;
    s.dropout = s.lora && p.dropout ? p.buffers.dropout : nullptr;
    s.dropout_seed = p.dropout_seed;
    s.fine = p.fine;
    return s;
}

// X[layer] (n_embd, n_tokens)
static ggml_tensor * layer_input(pass & s, const pair_buffers & b, int64_t layer, int64_t n_tokens) {
    return ggml_view_2d(s.g.ctx, b.x, b.x->ne[0], n_tokens, b.x->nb[1], (size_t) layer*b.x->nb[2]);
}

static ggml_tensor * columns(pass & s, ggml_tensor * t, int64_t first, int64_t n) {
    return ggml_view_2d(s.g.ctx, t, t->ne[0], n, t->nb[1], (size_t) first*t->nb[1]);
}

static ggml_tensor * entries(pass & s, ggml_tensor * t, int64_t first, int64_t n) {
    return ggml_view_1d(s.g.ctx, t, n, (size_t) first*t->nb[0]);
}

static void store(pass & s, ggml_tensor * value, ggml_tensor * target) {
    graph_expand(s.g, ggml_cpy(s.g.ctx, value, target));
}

static void embed(policy & p, int64_t n_tokens) {
    pass s = pass_begin(p, n_tokens, false);
    const float scale = p.base.hparams.embd_scale;
    ggml_tensor * x = ggml_get_rows(s.g.ctx, p.base.token_embd, entries(s, p.buffers.ids, 0, n_tokens));
    store(s, scale != 1.0f ? ggml_scale(s.g.ctx, x, scale) : x, layer_input(s, p.buffers, 0, n_tokens));
    graph_run(s.g);
}

static void use_saved(pass & s, const policy & p, int64_t layer, tape_mode mode) {
    s.mode        = mode;
    s.saved       = p.saved.memory;
    s.saved_bytes = layer*p.saved.layer_bytes;
}

static pass layer_forward_graph(policy & p, int64_t layer, int64_t n_tokens, bool with_lora, tape_mode mode = tape_mode::forward) {
    pass s = pass_begin(p, n_tokens, with_lora);
    use_saved(s, p, layer, mode);
    layer_tape tape;
    ggml_tensor * to = layer_input(s, p.buffers, layer + 1, n_tokens);
    graph_expand(s.g, layer_forward(s, p.base.layers[(size_t) layer], layer_input(s, p.buffers, layer, n_tokens), tape, to));
    return s;
}

static pass head_graph(policy & p, int64_t n_tokens, int64_t first, int64_t n, bool direction) {
    const pair_buffers & b = p.buffers;
    pass s = pass_begin(p, n_tokens, false);
    ggml_tensor * x = ggml_get_rows(s.g.ctx, layer_input(s, b, p.base.hparams.n_layer, n_tokens), entries(s, b.rows, first, n)); // (n_embd, n)
    ggml_tensor * h = s.ops->norm_forward(s, x, p.base.output_norm, norm_reader::product, {});
    ggml_tensor * targets = ggml_reshape_2d(s.g.ctx, entries(s, b.targets, first, n), 1, n);
    ggml_tensor * logp = nullptr, * e = nullptr;
    s.ops->head(s, p.base.output, h, targets, entries(s, b.cells, first, n), &logp, direction ? &e : nullptr);
    store(s, logp, columns(s, b.logp, first, n));
    if (direction) {
        store(s, e, columns(s, b.e, first, n));
    }
    return s;
}

// dX at the output of the last layer: coef e through the final norm, added up where a row occurs twice
static void head_backward_graph(policy & p, int64_t n_tokens, int64_t n_rows) {
    const pair_buffers & b = p.buffers;
    pass s = pass_begin(p, n_tokens, false);
    ggml_context * ctx = s.g.ctx;
    ggml_tensor * rows = entries(s, b.rows, 0, n_rows);
    ggml_tensor * last = layer_input(s, b, p.base.hparams.n_layer, n_tokens);
    ggml_tensor * x    = ggml_get_rows(ctx, last, rows);                                              // (n_embd, n_rows)
    ggml_tensor * dh   = ggml_mul(ctx, columns(s, b.e, 0, n_rows), columns(s, b.coef, 0, n_rows));
    ggml_tensor * dx   = s.ops->norm_backward(s, x, p.base.output_norm, dh, {});
    store(s, ggml_get_rows_back(ctx, dx, rows, last), columns(s, b.dx, 0, n_tokens));
    graph_run(s.g);
}

static pass layer_backward_graph(policy & p, int64_t layer, int64_t n_tokens, float grad_unscale) {
    pass s = pass_begin(p, n_tokens, true);
    s.grad_unscale = grad_unscale;
    use_saved(s, p, layer, p.saved.memory ? tape_mode::replay : tape_mode::recompute);
    const layer_weights & w = p.base.layers[(size_t) layer];
    ggml_tensor * grad = columns(s, p.buffers.dx, 0, n_tokens);
    layer_tape tape;
    layer_forward(s, w, layer_input(s, p.buffers, layer, n_tokens), tape, nullptr);
    ggml_tensor * dx = layer_backward(s, w, tape, grad, layer > 0 ? grad : nullptr);
    if (dx) {
        graph_expand(s.g, dx);
    }
    return s;
}

// ---- passes

static pair_logps add_up(const packed_pair & pair, const std::vector<float> & logp) {
    pair_logps sums;
    for (size_t i = 0; i < logp.size(); i++) {
        switch (pair.kinds[i]) {
            case ROW_PROMPT:   sums.prompt_sum   += logp[i]; sums.n_prompt++;   break;
            case ROW_CHOSEN:   sums.chosen_sum   += logp[i]; sums.n_chosen++;   sums.chosen.push_back(logp[i]);   break;
            case ROW_REJECTED: sums.rejected_sum += logp[i]; sums.n_rejected++; sums.rejected.push_back(logp[i]); break;
        }
    }
    return sums;
}

static void run_layer(policy & p, pass & s, layer_kind kind, int64_t n_tokens) {
    thread_choice & choice = thread_tuner_next(p.tuner, kind);
    device_set_threads(p.dev, choice.threads);
    const int64_t start_us = ggml_time_us();
    graph_run(s.g);
    thread_tuner_report(choice, kind, (double) (ggml_time_us() - start_us)/1e6/(double) n_tokens);
}

pair_logps policy_forward(policy & p, const packed_pair & pair, bool with_lora, bool direction) {
    const int64_t n_rows = (int64_t) pair.rows.size();
    buffers_upload(p.buffers, pair, p.base.hparams.n_vocab);
    embed(p, pair.n_tokens);
    const tape_mode mode = direction && p.saved.memory ? tape_mode::record : tape_mode::forward;
    for (int64_t layer = 0; layer < p.base.hparams.n_layer; layer++) {
        pass s = layer_forward_graph(p, layer, pair.n_tokens, with_lora, mode);
        run_layer(p, s, LAYER_FORWARD, pair.n_tokens);
    }
    device_set_threads(p.dev, thread_tuner_best(p.tuner));
    for (int64_t first = 0; first < n_rows; first += p.buffers.head_rows) {
        pass s = head_graph(p, pair.n_tokens, first, std::min(p.buffers.head_rows, n_rows - first), direction);
        graph_run(s.g);
    }
    std::vector<float> logp((size_t) n_rows);
    ggml_backend_tensor_get(p.buffers.logp, logp.data(), 0, logp.size()*sizeof(float));
    return add_up(pair, logp);
}

static double coefficient(const pair_loss & loss, row_kind kind) {
    return kind == ROW_PROMPT ? loss.d_prompt : kind == ROW_CHOSEN ? loss.d_chosen : loss.d_rejected;
}

void policy_backward(policy & p, const packed_pair & pair, const pair_loss & loss, double weight) {
    // Gradients travel multiplied by a power of two that brings the largest coefficient near 1, and are divided by it when
    // they are added to dA and dB: small ones (EXO near its optimum) would leave the range of F16 on some devices.
    double largest = 0;
    for (row_kind kind : pair.kinds) {
        largest = std::max(largest, fabs(coefficient(loss, kind)*weight));
    }
    if (!(largest > 0)) {
        return;
    }
    const double scale = exp2(-std::round(log2(largest)));
    std::vector<float> coef(pair.rows.size());
    for (size_t i = 0; i < coef.size(); i++) {
        coef[i] = (float) (-coefficient(loss, pair.kinds[i])*weight*scale); // e is the direction of -logp
    }
    ggml_backend_tensor_set(p.buffers.coef, coef.data(), 0, coef.size()*sizeof(float));
    head_backward_graph(p, pair.n_tokens, (int64_t) coef.size());
    for (int64_t layer = p.base.hparams.n_layer - 1; layer >= 0; layer--) {
        pass s = layer_backward_graph(p, layer, pair.n_tokens, (float) (1/scale));
        run_layer(p, s, LAYER_BACKWARD, pair.n_tokens);
    }
    device_set_threads(p.dev, thread_tuner_best(p.tuner));
}

void policy_dropout_on(policy & p, uint64_t seed, int64_t step, int64_t pair) {
    const double probability = p.lora.config.dropout;
    if (!(probability > 0)) {
        return;
    }
    p.dropout = true;
    p.dropout_seed = random_bits(seed, (UINT64_C(1) << 33) + (uint64_t) step, (uint64_t) pair);
    std::vector<float> pool((size_t) ggml_nelements(p.buffers.dropout));
    for (size_t i = 0; i < pool.size(); i++) {
        pool[i] = random_unit(p.dropout_seed, 0, i) < probability ? 0.0f : (float) (1/(1 - probability));
    }
    ggml_backend_tensor_set(p.buffers.dropout, pool.data(), 0, pool.size()*sizeof(float));
}

void policy_dropout_off(policy & p) {
    p.dropout = false;
}

// ---- memory

// The two kinds of graph that need the most scratch, for the longest pair.
static pass largest_layer_graph(policy & p, bool training) {
    const int64_t n = p.buffers.max_tokens, last = p.base.hparams.n_layer - 1;
    return training ? layer_backward_graph(p, last, n, 1.0f) : layer_forward_graph(p, last, n, true);
}

static pass largest_head_graph(policy & p, bool training) {
    return head_graph(p, p.buffers.max_tokens, 0, p.buffers.head_rows, training);
}

// Their scratch, from ggml's own allocator, without allocating anything.
static size_t scratch_bytes(policy & p, bool training) {
    const auto measure = [&](pass s) {
        size_t size = 0;
        ggml_gallocr_reserve_n_size(p.dev.galloc, s.g.nodes, nullptr, nullptr, &size);
        ggml_free(s.g.ctx);
        return size;
    };
    const size_t optimizer = training && !primitives_for(p.dev).cpu ? ggml_nbytes(p.lora.grads) : 0; // squared or clipped gradients, optimizer.cpp
    return std::max({measure(largest_layer_graph(p, training)), measure(largest_head_graph(p, training)), optimizer});
}

// Scratch memory is allocated once: what runs out runs out here and not hours later, and no device has to bear that it
// moves between two graphs (Mesa's software Vulkan does not).
static void reserve_scratch(policy & p, bool training) {
    pass layer = largest_layer_graph(p, training);
    graph_reserve(layer.g);
    pass head = largest_head_graph(p, training);
    graph_reserve(head.g);
}

static double buffers_mb(const policy & p) {
    std::vector<ggml_backend_buffer_t> buffers = p.base.buffer_transposed;
    buffers.insert(buffers.end(), {p.base.buffer_weights, p.lora.buffer, p.buffers.buffer, p.saved.buffer});
    size_t bytes = 0;
    for (ggml_backend_buffer_t buffer : buffers) {
        bytes += buffer ? ggml_backend_buffer_get_size(buffer) : 0;
    }
    return bytes/1048576.0;
}

// A CPU's buffers take memory when they are first written to.
static double untouched_mb(const policy & p) {
    return p.dev.is_cpu && p.buffers.buffer ? ggml_backend_buffer_get_size(p.buffers.buffer)/1048576.0 : 0;
}

// For figures that are suggested: the program itself has not quite the same size in each run.
static double margin(double mb) {
    return 1.01*mb + 2;
}

double policy_device_memory_mb(const policy & p) {
    return buffers_mb(p) + device_scratch_mb(p.dev);
}

// What the plan at hand needs on top of `fixed_mb`, within the limit and the free memory.
static bool fits(policy & p, const train_config & config, double fixed_mb, double more_mb, bool training) {
    const double scratch_mb = scratch_bytes(p, training)/1048576.0;
    const bool in_limit = config.memory_limit_mb == 0 || fixed_mb + buffers_mb(p) + more_mb + scratch_mb <= (double) config.memory_limit_mb;
    return in_limit && untouched_mb(p) + more_mb + scratch_mb <= 0.9*device_free_mb(p.dev);
}

// Both ways give the same bits, so that the free memory of the moment may decide.
static void plan_saved_layers(policy & p, const train_config & config, double fixed_mb) {
    const pass s = layer_forward_graph(p, 0, p.buffers.max_tokens, true, tape_mode::record);
    ggml_free(s.g.ctx);
    if (!fits(p, config, fixed_mb, (double) (s.saved_bytes*p.base.hparams.n_layer)/1048576.0, true)) {
        return;
    }
    p.saved.layer_bytes = s.saved_bytes;
    p.saved.ctx    = ggml_init({ggml_tensor_overhead()*2, nullptr, /*no_alloc =*/ true});
    p.saved.memory = ggml_new_tensor_2d(p.saved.ctx, GGML_TYPE_I8, s.saved_bytes, p.base.hparams.n_layer);
    p.saved.buffer = device_alloc(p.dev, p.saved.ctx, "the activations that the backward pass needs");
}

// Whole attention if that fits, with the transposed weights of the layers kept or made anew in each graph; else attention by
// head group, again with the one or the other.
static void plan_ggml_operators(policy & p, const train_config & config, double fixed_mb, bool training) {
    const bool transposes = training && primitives_for(p.dev).transposed_weights;
    if (transposes) {
        model_transpose_output(p.base, p.dev);
    }
    const double transposed_mb = transposes ? model_transposed_layer_bytes(p.base)/1048576.0 : 0;
    for (bool by_group : {false, true}) {
        p.attention_by_group = by_group;
        p.plan.resident_transposed = transposes && fits(p, config, fixed_mb, transposed_mb, training);
        if (p.plan.resident_transposed) {
            model_transpose_layers(p.base, p.dev);
        }
        if (p.plan.resident_transposed || fits(p, config, fixed_mb, 0, training)) {
            return;
        }
    }
}

static void plan_memory(policy & p, const train_config & config, double fixed_mb, bool training) {
    if (!primitives_for(p.dev).cpu) {
        plan_ggml_operators(p, config, fixed_mb, training);
    } else if (training) {
        plan_saved_layers(p, config, fixed_mb);
    }
    const double scratch_mb = scratch_bytes(p, training)/1048576.0;
    p.estimate_mb = fixed_mb + buffers_mb(p) + host_mask_mb(p.buffers) + scratch_mb;
    if (config.memory_limit_mb > 0 && p.estimate_mb > (double) config.memory_limit_mb) {
        fail_resource("MEMORY_LIMIT", "the run needs about " + std::to_string((int64_t) p.estimate_mb) + " MB, memory_limit_mb is " + std::to_string(config.memory_limit_mb),
            "Raise memory_limit_mb to " + std::to_string((int64_t) ceil(margin(p.estimate_mb))) + ", or use a smaller max_length or a smaller model.");
    }
    // A system that promises more memory than it has would end the program later, without a word.
    if (p.dev.is_cpu && untouched_mb(p) + scratch_mb > device_free_mb(p.dev)) {
        fail_resource("OUT_OF_MEMORY", "the run needs " + std::to_string((int64_t) (untouched_mb(p) + scratch_mb)) + " MB more, " + std::to_string((int64_t) device_free_mb(p.dev)) + " MB are free",
            "Use a smaller max_length, a smaller or more quantised model, or close other programs.");
    }
    reserve_scratch(p, training);
}

// Scratch and buffers for pairs of n tokens, without allocating any.
static double needed_mb(policy & p, int64_t n_tokens, bool training) {
    const pair_buffers own = p.buffers;
    p.buffers = pair_buffers();
    buffers_describe(p.buffers, p.base, p.dev, n_tokens, p.dropout);
    const size_t buffer_bytes = device_alloc_size(p.dev, p.buffers.ctx);
    for (ggml_tensor * t = ggml_get_first_tensor(p.buffers.ctx); t; t = ggml_get_next_tensor(p.buffers.ctx, t)) {
        t->data = p.dev.graph_memory.data(); // never read: graphs are only measured, and shall not count them as scratch
    }
    const double mb = (double) (buffer_bytes + scratch_bytes(p, training))/1048576.0;
    ggml_free(p.buffers.ctx);
    p.buffers = own;
    return mb;
}

// The longest pair, in packed tokens, for which the most frugal plan fits; 0 when even the shortest does not.
static int64_t find_tokens_that_fit(policy & p, const train_config & config, double fixed_mb, int64_t max_tokens, bool training) {
    p.attention_by_group = !primitives_for(p.dev).cpu;
    saved_free(p.saved);
    const double own_mb = p.buffers.buffer ? ggml_backend_buffer_get_size(p.buffers.buffer)/1048576.0 : 0;
    double room_mb = 0.9*device_free_mb(p.dev) + (p.dev.is_cpu ? 0 : own_mb); // a CPU's are untouched and still counted as free
    if (config.memory_limit_mb > 0) {
        room_mb = std::min(room_mb, (double) config.memory_limit_mb - (fixed_mb + buffers_mb(p) - own_mb));
    }
    int64_t low = 0, high = max_tokens; // `low` fits, `high` does not
    while (high - low > 1) {
        const int64_t n = low + (high - low)/2;
        (margin(needed_mb(p, n, training)) <= room_mb ? low : high) = n;
    }
    return low;
}

// ---- the whole

static void adapter_init(policy & p, const train_config & config, bool training) {
    if (config.adapter_in.empty()) {
        if (training) {
            lora_init(p.lora, p.base, p.dev, config.lora);
            lora_randomize(p.lora, config.seed);
            p.has_adapter = true;
        }
        return;
    }
    gguf_file g;
    try {
        gguf_file_open(g, config.adapter_in, "adapter");
        lora_init(p.lora, p.base, p.dev, lora_config_from_file(g, p.base, config.lora));
        lora_load(p.lora, g);
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
    gguf_file_close(g);
    p.has_adapter = true;
}

void policy_init(policy & p, const train_config & config, model && base, const gguf_file & g, int64_t max_tokens, bool training) {
    device_init(p.dev, config.device);
    thread_tuner_init(p.tuner, config.threads);
    device_set_threads(p.dev, thread_tuner_best(p.tuner));
    p.dev.precision_f32 = config.precision == precision_mode::f32;
    p.dev.own_threads = primitives_for(p.dev).cpu != nullptr;
    // Without it BF16's rounding would be several percent of EXO's loss, which compares sums over a whole response with the reference's
    p.fine = (config.loss == loss_type::exo || config.precision == precision_mode::fine) && primitives_for(p.dev).fine_products;
    if (config.precision == precision_mode::fine && !primitives_for(p.dev).cpu) {
        fail_input("CONFIG", "config: precision \"fine\" is of the CPU's own kernels, this run uses ggml's operators", "Leave precision out, or choose \"f32\".");
    }
    p.base = std::move(base);
    p.plan.precision_f32 = p.dev.precision_f32;
    const double process_mb = p.dev.is_cpu ? platform_memory_mb() : 0; // the program and its libraries
    const size_t weight_bytes = model_weight_bytes(g, p.plan);
    if (config.memory_limit_mb > 0 && weight_bytes/1048576 > (size_t) config.memory_limit_mb) {
        fail_resource("MEMORY_LIMIT", "the model's weights alone need " + std::to_string(weight_bytes/1048576) + " MB, memory_limit_mb is " + std::to_string(config.memory_limit_mb),
            "Raise memory_limit_mb or choose a smaller model.");
    }
    model_load(p.base, g, p.dev, p.plan);
    adapter_init(p, config, training);
    const bool dropout = training && p.lora.config.dropout > 0;
    p.dropout = dropout; // counted in the plan
    try {
        buffers_init(p.buffers, p.base, p.dev, max_tokens, dropout);
        plan_memory(p, config, process_mb, training);
    } catch (const failure & f) {
        if (f.code == "OUT_OF_MEMORY" || f.code == "MEMORY_LIMIT") {
            p.tokens_that_fit = find_tokens_that_fit(p, config, process_mb, max_tokens, training);
        }
        throw;
    }
    p.dropout = false;
}

void policy_free(policy & p) {
    ggml_backend_buffer_free(p.buffers.buffer);
    ggml_free(p.buffers.ctx);
    p.buffers = pair_buffers();
    saved_free(p.saved);
    lora_free(p.lora);
    model_free(p.base);
    device_free(p.dev);
}
