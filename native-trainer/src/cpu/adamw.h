// The optimizer on the CPU.
#pragma once

#include "device.h"
#include "kernels.h"
#include "lora.h"

double cpu_gradient_norm2(const device & d, const cpu_kernels & k, const ggml_tensor * grads); // sum of squares
void   cpu_adamw(const device & d, const cpu_kernels & k, const adamw_step & step, lora_adapter & adapter); // gradients become zero
