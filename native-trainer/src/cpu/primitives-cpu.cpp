// The primitives as loops of our own, and the choice between them and ggml's operators.
#include "dispatch.h"
#include "op.h"

#include <map>

static primitives table_of(const cpu_kernels & k) {
    return {
        k.name, 1024, false, k.product == GGML_TYPE_BF16, &k,
        cpu_linear_forward, cpu_linear_backward,
        cpu_norm_forward, cpu_norm_backward,
        cpu_attention_forward, cpu_attention_backward,
        cpu_gated_forward, cpu_gated_backward,
        cpu_head,
    };
}

const primitives & primitives_for(const device & d) {
    if (!d.is_cpu || !cpu_kernels_usable()) {
        return primitives_ggml;
    }
    static std::map<const cpu_kernels *, primitives> tables;
    const cpu_kernels & k = cpu_kernels_best(d.precision_f32);
    return tables.emplace(&k, table_of(k)).first->second;
}
