#include "optimizer.h"

#include "cpu/adamw.h"
#include "primitives.h"

#include <algorithm>
#include <cmath>

double learning_rate_at(const train_config & c, int64_t step, int64_t n_steps) {
    if (step < c.warmup_steps) {
        return c.learning_rate*(double) step/(double) c.warmup_steps;
    }
    const double left = (double) (n_steps - step)/(double) std::max<int64_t>(1, n_steps - c.warmup_steps);
    switch (c.schedule) {
        case lr_schedule::linear: return c.learning_rate*std::max(0.0, left);
        case lr_schedule::cosine: return c.learning_rate*std::max(0.0, 0.5*(1 + cos(3.141592653589793*(1 - left))));
        default:                  return c.learning_rate;
    }
}

static graph norm_graph(const optimizer & o, device & d, const lora_adapter & adapter) {
    graph g = graph_begin(d);
    graph_expand(g, ggml_cpy(g.ctx, ggml_sum(g.ctx, ggml_sqr(g.ctx, adapter.grads)), o.norm2));
    return g;
}

void optimizer_init(optimizer & o, device & d, const lora_adapter & adapter) {
    o.ctx = ggml_init({ggml_tensor_overhead()*4, nullptr, /*no_alloc =*/ true});
    o.params = ggml_new_tensor_1d(o.ctx, GGML_TYPE_F32, 7);
    o.norm2  = ggml_new_tensor_1d(o.ctx, GGML_TYPE_F32, 1);
    o.buffer = device_alloc(d, o.ctx, "the optimizer");
    if (!primitives_for(d).cpu) {
        graph g = norm_graph(o, d, adapter); // a copy of the gradients can be more than the scratch of a layer
        graph_reserve(g);
    }
}

void optimizer_free(optimizer & o) {
    ggml_backend_buffer_free(o.buffer);
    ggml_free(o.ctx);
    o = optimizer();
}

double optimizer_grad_norm(optimizer & o, device & d, lora_adapter & adapter) {
    if (const cpu_kernels * k = primitives_for(d).cpu) {
        return sqrt(cpu_gradient_norm2(d, *k, adapter.grads));
    }
    graph g = norm_graph(o, d, adapter);
    graph_run(g);
    float norm2 = 0;
    ggml_backend_tensor_get(o.norm2, &norm2, 0, sizeof(norm2));
    return sqrt((double) norm2);
}

void optimizer_step(optimizer & o, device & d, lora_adapter & adapter, const train_config & c, double rate, int64_t t, double grad_norm) {
    adamw_step step;
    step.rate  = (float) rate;
    step.beta1 = (float) c.adam_beta1;
    step.beta2 = (float) c.adam_beta2;
    step.eps   = (float) c.adam_eps;
    step.decay = (float) c.weight_decay;
    step.correction1 = (float) (1/(1 - pow(c.adam_beta1, (double) t)));
    step.correction2 = (float) (1/(1 - pow(c.adam_beta2, (double) t)));
    // torch.nn.utils.clip_grad_norm_
    step.clip = (float) (c.max_grad_norm > 0 ? std::min(1.0, c.max_grad_norm/(grad_norm + 1e-6)) : 1.0);
    if (const cpu_kernels * k = primitives_for(d).cpu) {
        cpu_adamw(d, *k, step, adapter);
        return;
    }
    const float params[7] = {step.rate, step.beta1, step.beta2, step.eps, step.decay, step.correction1, step.correction2};
    ggml_backend_tensor_set(o.params, params, 0, sizeof(params));
    graph g = graph_begin(d);
    ggml_tensor * grads = step.clip < 1 ? ggml_scale(g.ctx, adapter.grads, step.clip) : adapter.grads;
    graph_expand(g, ggml_opt_step_adamw(g.ctx, adapter.params, grads, adapter.moment1, adapter.moment2, o.params));
    graph_run(g);
    lora_zero_grads(adapter);
}
