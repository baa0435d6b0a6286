// AdamW with gradient clipping and a learning rate schedule. Same arithmetic as torch.optim.AdamW and the schedules of
// transformers, so that runs can be compared with TRL's.
#pragma once

#include "lora.h"

// Rate of optimizer step `step` (from 0) of `n_steps`.
double learning_rate_at(const train_config & config, int64_t step, int64_t n_steps);

struct optimizer {
    ggml_context *        ctx    = nullptr;
    ggml_backend_buffer_t buffer = nullptr;
    ggml_tensor *         params = nullptr; // (7): rate, beta1, beta2, eps, decay, 1/(1 - beta1^t), 1/(1 - beta2^t)
    ggml_tensor *         norm2  = nullptr; // (1)
};

void optimizer_init(optimizer & o, device & d, const lora_adapter & adapter);
void optimizer_free(optimizer & o);

// L2 norm of all gradients, before clipping.
double optimizer_grad_norm(optimizer & o, device & d, lora_adapter & adapter);
// Update number t (from 1) with clipped gradients, which are zero afterwards.
void   optimizer_step(optimizer & o, device & d, lora_adapter & adapter, const train_config & config, double rate, int64_t t, double grad_norm);
