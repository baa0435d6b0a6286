// native-trainer train follows TRL (and PyTorch, for masks) for 20 optimizer steps: losses, gradient norms, final weights.
#include "common.h"
#include "loss-config.h"

#include <cmath>

static void test_trajectory(const std::string & name, const std::string & set, const std::string & loss, bool masked) {
    const json golden = read_json(fixture("trajectory-" + name + ".json"));
    json config = golden_config(set, loss, masked);
    config["adapter_out"] = tmp_file(name + ".gguf");
    if (!golden.contains("config")) {
        config["beta"] = golden.at("beta");
    }
    config["learning_rate"] = golden.at("lr");
    config["gradient_accumulation_steps"] = golden.at("grad_accum");
    config["max_grad_norm"] = golden.at("clip");
    config["max_steps"] = 20;
    config["shuffle"] = false;
    const bool needs_reference = loss_needs_reference(loss_from_json(golden_loss(loss)));
    const trainer_output out = run_trainer("train", config);
    const std::vector<json> steps = out.of("step");
    check(out.exit == EXIT_DONE && steps.size() == 20, name + ": 20 steps: " + out.text.substr(0, 400));
    if (steps.size() != 20) {
        return;
    }
    double worst_loss = 0, worst_norm = 0, worst_logged = 0;
    for (size_t i = 0; i < 20; i++) {
        const json & g = golden.at("steps")[i];
        // absolute; that of IPO is a square far from its target, 10 and more
        const double size = golden.contains("config") ? std::max(1.0, fabs(g.at("loss").get<double>())) : 1;
        worst_loss = std::max(worst_loss, fabs(steps[i].at("loss").get<double>() - g.at("loss").get<double>())/size);
        for (const auto & item : g.items()) { // what TRL logs of the other losses, relative to the log-probabilities that it is made of
            if (item.key().rfind("rewards/", 0) == 0 || item.key().rfind("logps/", 0) == 0) {
                worst_logged = std::max(worst_logged, relative_error(steps[i].at(item.key()), item.value(), fabs(g.at("logps/chosen").get<double>())));
            }
        }
        // the norm of runs with a reference is sensitive near the optimum, where it is small
        const double norm = g.at("grad_norm");
        worst_norm = std::max(worst_norm, fabs(steps[i].at("grad_norm").get<double>() - norm)/std::max(norm, 0.3));
    }
    const double travelled = golden.at("steps")[19].at("lora_delta_norm");
    const double distance  = distance_of(read_tensors(tmp_file(name + ".gguf")), read_tensors(fixture("final-adapter-" + name + ".gguf")));
    check_error(name + ", loss (absolute)", worst_loss, 1e-4*test_tolerance());
    check_error(name + ", gradient norm", worst_norm, (needs_reference ? 1e-3 : 1e-4)*test_tolerance());
    check_error(name + ", rewards and log-probabilities", worst_logged, 1e-5*test_tolerance());
    check_error(name + ", final weights / distance travelled", distance/travelled, 1e-3*test_tolerance());
}

int main() {
    skip_without_device();
    for (const char * set : golden_sets()) {
        test_trajectory(golden_name("orpo", set), set, "orpo", false);
    }
    test_trajectory("orpo-masked",      "",        "orpo", true);
    test_trajectory("exo-b0.1",         "",        "exo",  false);
    test_trajectory("exo-b0.1-smollm3", "smollm3", "exo",  false);
    test_trajectory("exo-b0.1-gemma3",  "gemma3",  "exo",  false);
    test_trajectory("exo-b0.5",         "",        "exo",  false);
    test_trajectory("exo-b0.1-masked",  "",        "exo",  true);
    for (const char * loss : {"dpo", "robust", "ipo", "simpo", "sft", "dpo-sft"}) {
        test_trajectory(loss, "", loss, false);
    }
    return test_result();
}
