#include "pair-pass.h"

#include "memory-plan.h"
#include "pair-graphs.h"
#include "platform.h"
#include "random.h"

#include <algorithm>
#include <cmath>

// ---- passes

static pair_logps add_up(const packed_pair & pair, const std::vector<float> & logp) {
    pair_logps sums;
    sums.has_prompt = pair.has_prompt;
    for (size_t i = 0; i < logp.size(); i++) {
        switch (pair.kinds[i]) {
            case ROW_PROMPT:   sums.prompt_sum   += logp[i]; sums.n_prompt++;   break;
            case ROW_CHOSEN:   sums.chosen_sum   += logp[i]; sums.n_chosen++;   sums.chosen.push_back(logp[i]);   break;
            case ROW_REJECTED: sums.rejected_sum += logp[i]; sums.n_rejected++; sums.rejected.push_back(logp[i]); break;
        }
    }
    return sums;
}

static void run_layer(policy & pol, pass & p, layer_kind kind, int64_t n_tokens) {
    thread_choice & choice = thread_tuner_next(pol.tuner, kind);
    device_set_threads(pol.dev, choice.threads);
    const int64_t start_us = ggml_time_us();
    graph_run(p.g);
    thread_tuner_report(choice, kind, (double) (ggml_time_us() - start_us)/1e6/(double) n_tokens);
}

pair_logps policy_forward(policy & pol, const packed_pair & pair, bool with_lora, bool direction) {
    const int64_t n_rows = (int64_t) pair.rows.size();
    buffers_upload(pol.buffers, pair, pol.base.hparams.n_vocab);
    embed(pol, pair.n_tokens);
    const tape_mode mode = direction && pol.saved.memory ? tape_mode::record : tape_mode::forward;
    for (int64_t layer = 0; layer < pol.base.hparams.n_layer; layer++) {
        pass p = layer_forward_graph(pol, layer, pair.n_tokens, with_lora, mode);
        run_layer(pol, p, LAYER_FORWARD, pair.n_tokens);
    }
    device_set_threads(pol.dev, thread_tuner_best(pol.tuner));
    for (int64_t first = 0; first < n_rows; first += pol.buffers.head_rows) {
        pass p = head_graph(pol, pair.n_tokens, first, std::min(pol.buffers.head_rows, n_rows - first), direction);
        graph_run(p.g);
    }
    std::vector<float> logp((size_t) n_rows);
    ggml_backend_tensor_get(pol.buffers.logp, logp.data(), 0, logp.size()*sizeof(float));
    return add_up(pair, logp);
}

static double coefficient(const pair_loss & loss, row_kind kind) {
    return kind == ROW_PROMPT ? loss.d_prompt : kind == ROW_CHOSEN ? loss.d_chosen : loss.d_rejected;
}

void policy_backward(policy & pol, const packed_pair & pair, const pair_loss & loss, double weight) {
    // Gradients travel multiplied by a power of two that brings the largest coefficient near 1, and are divided by it when
    // they are added to dA and dB: small ones (a loss near its optimum) would leave the range of F16 on some devices.
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
    ggml_backend_tensor_set(pol.buffers.coef, coef.data(), 0, coef.size()*sizeof(float));
    head_backward_graph(pol, pair.n_tokens, (int64_t) coef.size());
    for (int64_t layer = pol.base.hparams.n_layer - 1; layer >= 0; layer--) {
        pass p = layer_backward_graph(pol, layer, pair.n_tokens, (float) (1/scale));
        run_layer(pol, p, LAYER_BACKWARD, pair.n_tokens);
    }
    device_set_threads(pol.dev, thread_tuner_best(pol.tuner));
}

void policy_dropout_on(policy & pol, uint64_t seed, int64_t step, int64_t pair) {
    const double probability = pol.lora.config.dropout;
    if (!(probability > 0)) {
        return;
    }
    pol.dropout = true;
    pol.dropout_seed = random_bits(seed, (UINT64_C(1) << 33) + (uint64_t) step, (uint64_t) pair);
    std::vector<float> pool((size_t) ggml_nelements(pol.buffers.dropout));
    for (size_t i = 0; i < pool.size(); i++) {
        pool[i] = random_unit(pol.dropout_seed, 0, i) < probability ? 0.0f : (float) (1/(1 - probability));
    }
    ggml_backend_tensor_set(pol.buffers.dropout, pool.data(), 0, pool.size()*sizeof(float));
}

void policy_dropout_off(policy & pol) {
    pol.dropout = false;
}

// ---- the whole

static void adapter_init(policy & pol, const train_config & config, bool training) {
    if (config.adapter_in.empty()) {
        if (training) {
            lora_init(pol.lora, pol.base, pol.dev, config.lora);
            lora_randomize(pol.lora, config.seed);
            pol.has_adapter = true;
        }
        return;
    }
    gguf_file g;
    try {
        gguf_file_open(g, config.adapter_in, "adapter");
        lora_init(pol.lora, pol.base, pol.dev, lora_config_from_file(g, pol.base, config.lora));
        lora_load(pol.lora, g);
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
    gguf_file_close(g);
    pol.has_adapter = true;
}

// Device, binding and plan of the weights; returns what the program and its libraries take of the device's memory.
static double device_open(policy & pol, const train_config & config) {
    device_init(pol.dev, config.device, config.precision == precision_mode::f32);
    if (!pol.dev.is_cpu) {
        device_probe(pol.dev);
    }
    thread_tuner_init(pol.tuner, config.threads);
    device_set_threads(pol.dev, thread_tuner_best(pol.tuner));
    pol.dev.own_threads = primitives_for(pol.dev).cpu != nullptr;
    // Without it BF16's rounding would be several percent of a loss that compares sums over a whole response with the reference's
    pol.fine = (loss_needs_reference(config.loss) || config.precision == precision_mode::fine) && primitives_for(pol.dev).fine_products;
    if (config.precision == precision_mode::fine && !primitives_for(pol.dev).cpu) {
        fail_input("CONFIG", "config: precision \"fine\" is of the CPU's own kernels, this run uses ggml's operators", "Leave precision out, or choose \"f32\".");
    }
    pol.plan.precision_f32 = pol.dev.precision_f32;
    return pol.dev.is_cpu ? platform_memory_mb() : 0;
}

double policy_measure(policy & pol, const train_config & config, model && base, const gguf_file & g, int64_t max_tokens) {
    const double process_mb = device_open(pol, config);
    pol.dev.measures = true;
    pol.base = std::move(base);
    model_place(pol.base, g, pol.dev, pol.plan);
    lora_init(pol.lora, pol.base, pol.dev, config.lora);
    pol.has_adapter = true;
    pol.dropout = config.lora.dropout > 0;
    buffers_init(pol.buffers, pol.base, pol.dev, max_tokens, pol.dropout);
    return process_mb;
}

void policy_init(policy & pol, const train_config & config, model && base, const gguf_file & g, int64_t max_tokens, bool training) {
    const double process_mb = device_open(pol, config);
    pol.base = std::move(base);
    const size_t weight_bytes = model_weight_bytes(g, pol.plan);
    if (config.memory_limit_mb > 0 && weight_bytes/1048576 > (size_t) config.memory_limit_mb) {
        fail_resource("MEMORY_LIMIT", "the model's weights alone need " + std::to_string(weight_bytes/1048576) + " MB, memory_limit_mb is " + std::to_string(config.memory_limit_mb),
            "Raise memory_limit_mb or choose a smaller model.");
    }
    model_load(pol.base, g, pol.dev, pol.plan);
    adapter_init(pol, config, training);
    const bool dropout = training && pol.lora.config.dropout > 0;
    pol.dropout = dropout; // counted in the plan
    try {
        buffers_init(pol.buffers, pol.base, pol.dev, max_tokens, dropout);
        plan_memory(pol, config, process_mb, training);
    } catch (const failure & f) {
        if (f.code == "OUT_OF_MEMORY" || f.code == "MEMORY_LIMIT") {
            pol.tokens_that_fit = find_tokens_that_fit(pol, config, process_mb, max_tokens, training);
        }
        throw;
    }
    pol.dropout = false;
}

void policy_free(policy & pol) {
    ggml_backend_buffer_free(pol.buffers.buffer);
    ggml_free(pol.buffers.ctx);
    pol.buffers = pair_buffers();
    saved_free(pol.saved);
    lora_free(pol.lora);
    model_free(pol.base);
    device_free(pol.dev);
}
