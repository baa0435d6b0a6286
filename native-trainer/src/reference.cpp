#include "reference.h"

static void set_params(policy & p, const std::vector<float> & values) {
    ggml_backend_tensor_set(p.lora.params, values.data(), 0, values.size()*sizeof(float));
}

// Reads the file through the policy's own tensors, so that both have one layout, and puts the policy's weights back.
static std::vector<float> read_params(run & r) {
    policy & p = r.policy_;
    const std::vector<float> own = tensor_values(p.lora.params);
    gguf_file g;
    try {
        gguf_file_open(g, r.config.reference_adapter, "reference adapter");
        lora_config wanted = p.lora.config;
        wanted.has_r = wanted.has_alpha = wanted.has_targets = true;
        lora_config_from_file(g, p.base, wanted);
        lora_load(p.lora, g);
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
    gguf_file_close(g);
    const std::vector<float> read = tensor_values(p.lora.params);
    set_params(p, own);
    return read;
}

void reference_init(reference & ref, run & r) {
    ref.with_lora = r.config.reference != reference_model::base;
    if (r.config.reference == reference_model::adapter_file) {
        if (!r.policy_.has_adapter) {
            fail_input("CONFIG", "config: reference_adapter needs a policy with an adapter", "Name it with adapter_in.");
        }
        ref.params = read_params(r);
    }
}

pair_logps reference_forward(const reference & ref, run & r, const packed_pair & packed) {
    policy & p = r.policy_;
    if (ref.params.empty()) {
        return policy_forward(p, packed, ref.with_lora, /*direction =*/ false);
    }
    const std::vector<float> own = tensor_values(p.lora.params);
    set_params(p, ref.params);
    const pair_logps l = policy_forward(p, packed, /*with_lora =*/ true, /*direction =*/ false);
    set_params(p, own);
    return l;
}
