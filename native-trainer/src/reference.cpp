#include "reference.h"

#include "primitives.h"

static void set_params(policy & pol, const std::vector<float> & values) {
    ggml_backend_tensor_set(pol.lora.params, values.data(), 0, values.size()*sizeof(float));
}

// Reads the file through the policy's own tensors, so that both have one layout, and puts the policy's weights back.
static std::vector<float> read_params(run & r) {
    policy & pol = r.policy_;
    const std::vector<float> own = tensor_values(pol.lora.params);
    gguf_file g;
    try {
        gguf_file_open(g, r.config.reference_adapter, "reference adapter");
        lora_config wanted = pol.lora.config;
        wanted.has_r = wanted.has_alpha = wanted.has_targets = true;
        lora_config_from_file(g, pol.base, wanted);
        lora_load(pol.lora, g);
    } catch (...) {
        gguf_file_close(g);
        throw;
    }
    gguf_file_close(g);
    const std::vector<float> read = tensor_values(pol.lora.params);
    set_params(pol, own);
    return read;
}

// Everything that the bits of a log-probability depend on, but the pair. Raise `format` when a change of the code changes them.
static json cache_identity(const reference & ref, const run & r) {
    const policy & pol = r.policy_;
    return {
        {"format", 1},
        {"trainer", TRAINER_VERSION},
        {"ggml", std::string(ggml_version()) + " " + ggml_commit()},
        {"device", ggml_backend_dev_description(pol.dev.dev)},
        {"primitives", primitives_for(pol.dev).name},
        {"precision", precision_name(r.config.precision)},
        {"model", pol.base.hash},
        {"reference", ref.hash},
    };
}

void reference_init(reference & ref, run & r) {
    ref.with_lora = r.config.reference != reference_model::base;
    ref.hash = ref.with_lora ? r.adapter_in_hash : "base";
    if (r.config.reference == reference_model::adapter_file) {
        if (!r.policy_.has_adapter) {
            fail_input("CONFIG", "config: reference_adapter needs a policy with an adapter", "Name it with adapter_in.");
        }
        ref.params = read_params(r);
        ref.hash   = lora_hash(r.policy_.lora, ref.params);
    }
}

pair_logps reference_forward(const reference & ref, run & r, const packed_pair & packed) {
    policy & pol = r.policy_;
    if (ref.params.empty()) {
        return policy_forward(pol, packed, ref.with_lora, /*direction =*/ false);
    }
    const std::vector<float> own = tensor_values(pol.lora.params);
    set_params(pol, ref.params);
    const pair_logps l = policy_forward(pol, packed, /*with_lora =*/ true, /*direction =*/ false);
    set_params(pol, own);
    return l;
}

void reference_open_cache(reference & ref, const run & r) {
    if (loss_needs_reference(r.config.loss) && !r.config.reference_cache.empty()) {
        reference_cache_open(ref.cache, r.config.reference_cache, cache_identity(ref, r));
    }
}

reference_sums reference_lookup(reference & ref, run & r, const packed_pair & packed) {
    const std::string key = reference_cache_key(packed);
    reference_sums sums;
    if (reference_cache_find(ref.cache, key, sums)) {
        ref.n_cached++;
        return sums;
    }
    const pair_logps l = reference_forward(ref, r, packed);
    sums = {l.chosen_sum, l.rejected_sum};
    reference_cache_add(ref.cache, key, sums);
    return sums;
}

json reference_describe_cache(const reference & ref) {
    return ref.cache.path.empty() ? json(nullptr) : json({{"path", ref.cache.path}, {"pairs", ref.cache.known.size()}});
}
