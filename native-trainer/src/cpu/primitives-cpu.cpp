// The primitives as loops of our own, and the choice between them and ggml's operators.
#include "dispatch.h"
#include "op.h"

static primitives table_of(const cpu_kernels & k) {
    return {
        k.name, 1024, false, &k,
        cpu_linear_forward, cpu_linear_backward,
        cpu_norm_forward, cpu_norm_backward,
        cpu_rope_forward, cpu_rope_backward,
        cpu_attention_forward, cpu_attention_backward,
        cpu_swiglu_forward, cpu_swiglu_backward,
        cpu_head,
    };
}

const primitives & primitives_for(const device & d) {
    if (!d.is_cpu || !cpu_kernels_usable()) {
        return primitives_ggml;
    }
    static const primitives fastest = table_of(cpu_kernels_best(false)), exact = table_of(cpu_kernels_best(true));
    return d.precision_f32 ? exact : fastest;
}
