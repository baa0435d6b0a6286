// Every LoRA tensor's gradient against finite differences of the loss: independent of any reference implementation.
#include "common.h"

static void test_set(const std::string & set, const std::string & loss, bool masked, double dropout, size_t pair) {
    json config = golden_config(set, loss, masked);
    config["device"] = "cpu"; // differences need exact F32 products
    config["lora"] = {{"dropout", dropout}};
    test_policy t;
    test_policy_open(t, config);
    if (dropout > 0) {
        policy_dropout_on(t.p, 42, 3, 0);
    }
    const gradient_error worst = gradient_check(t.p, t.config, t.set.pairs[pair]);
    check(worst.n_tensors == (int) (14*t.p.base.layers.size()), "A and B of seven layers in each block");
    check_error(loss + " " + set + (masked ? " masked" : "") + (dropout > 0 ? " dropout" : "") + ", worst " + worst.name, worst.relative, 1e-3);
    test_policy_close(t);
}

int main() {
    skip_without_device();
    for (const char * set : golden_sets()) {
        for (const char * loss : {"orpo", "exo"}) {
            test_set(set, loss, false, 0, 0);
        }
    }
    for (const std::string & loss : golden_losses()) {
        test_set("", loss, false, 0, 0);
        test_set("", loss, true, 0, 3);
    }
    test_set("", "orpo", true, 0, 0);
    test_set("", "exo",  true, 0, 0);
    test_set("", "orpo", false, 0.2, 0);
    test_set("qwen3", "exo", false, 0.2, 0);
    return test_result();
}
