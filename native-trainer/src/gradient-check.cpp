#include "gradient-check.h"

#include "random.h"

#include <cmath>

pair_loss policy_loss(policy & pol, const train_config & config, const token_pair & pair, bool with_gradient) {
    const packed_pair packed = pair_pack(pair, /*with_prompt =*/ true);
    pair_logps ref;
    if (loss_needs_reference(config.loss)) {
        ref = policy_forward(pol, packed, /*with_lora =*/ false, false);
    }
    pair_logps l = policy_forward(pol, packed, /*with_lora =*/ true, with_gradient);
    l.set_reference(ref.chosen_sum, ref.rejected_sum);
    const pair_loss loss = loss_compute(config.loss, l);
    if (with_gradient) {
        lora_zero_grads(pol.lora);
        policy_backward(pol, packed, loss, 1.0);
    }
    return loss;
}

// A direction with an equal share of the gradient and of noise: along the gradient alone a wrong factor in a few entries
// would hardly show, along noise alone the derivative would drown in rounding.
static std::vector<double> direction(const std::vector<float> & gradient, uint64_t stream) {
    std::vector<double> d(gradient.size());
    double gradient_norm = 0, noise_norm = 0, norm = 0;
    for (size_t i = 0; i < d.size(); i++) {
        d[i] = 2*random_unit(7, stream, i) - 1;
        gradient_norm += (double) gradient[i]*gradient[i];
        noise_norm    += d[i]*d[i];
    }
    for (size_t i = 0; i < d.size(); i++) {
        d[i] = d[i]/sqrt(noise_norm) + gradient[i]/sqrt(gradient_norm + 1e-300);
        norm += d[i]*d[i];
    }
    for (double & x : d) {
        x /= sqrt(norm);
    }
    return d;
}

// Fourth-order central difference along `dir`: (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h
static double numeric_derivative(policy & pol, const train_config & config, const token_pair & pair, ggml_tensor * weights, const std::vector<double> & dir, double h) {
    const std::vector<float> before = tensor_values(weights);
    const auto loss_at = [&](double distance) {
        std::vector<float> moved(before.size());
        for (size_t i = 0; i < moved.size(); i++) {
            moved[i] = (float) (before[i] + distance*dir[i]);
        }
        ggml_backend_tensor_set(weights, moved.data(), 0, moved.size()*sizeof(float));
        return policy_loss(pol, config, pair, false).loss;
    };
    const double derivative = (8*(loss_at(h) - loss_at(-h)) - (loss_at(2*h) - loss_at(-2*h)))/(12*h);
    ggml_backend_tensor_set(weights, before.data(), 0, before.size()*sizeof(float));
    return derivative;
}

static double tensor_error(policy & pol, const train_config & config, const token_pair & pair, ggml_tensor * weights, const std::vector<float> & gradient, uint64_t stream) {
    const std::vector<double> dir = direction(gradient, stream);
    double analytic = 0;
    for (size_t i = 0; i < dir.size(); i++) {
        analytic += dir[i]*gradient[i];
    }
    // a step that changes the loss by about 0.03 is far above F32 rounding and still small against its curvature
    const double h = std::min(0.1, 0.03/(fabs(analytic) + 1e-12));
    return fabs(numeric_derivative(pol, config, pair, weights, dir, h) - analytic)/fabs(analytic);
}

gradient_error gradient_check(policy & pol, const train_config & config, const token_pair & pair) {
    policy_loss(pol, config, pair, true);
    gradient_error worst;
    for (lora_pair & lora : pol.lora.pairs) {
        ggml_tensor * weights[2] = {lora.a, lora.b};
        const std::vector<float> gradients[2] = {tensor_values(lora.grad_a), tensor_values(lora.grad_b)};
        for (int i = 0; i < 2; i++) {
            const double relative = tensor_error(pol, config, pair, weights[i], gradients[i], (uint64_t) worst.n_tensors++);
            if (!(relative <= worst.relative)) { // also when it is NaN
                worst.relative = relative;
                worst.name = weights[i]->name;
            }
        }
    }
    lora_zero_grads(pol.lora);
    return worst;
}
