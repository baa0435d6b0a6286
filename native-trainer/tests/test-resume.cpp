// A run that is killed or stopped at any moment and resumed ends with the same adapter, bit for bit, as one that was not.
#include "common.h"

#include "child.h"
#include "platform.h"
#include "random.h"

#include <thread>

static json run_config(const std::string & loss, const std::string & name) {
    json config = golden_config("", loss);
    config["adapter_out"] = tmp_file(name + ".gguf");
    config["max_steps"] = 60;
    config["learning_rate"] = 1e-3;
    config["schedule"] = "cosine";
    config["warmup_steps"] = 3;
    config["weight_decay"] = 0.01;
    config["lora"] = {{"dropout", 0.1}};
    config["checkpoint"] = {{"path", tmp_file(name + ".checkpoint")}, {"every_steps", 1}};
    config["resume"] = true;
    return config;
}

// Starts the trainer and, `delay_us` after it has reported `n_steps` steps, ends it: by force, or with the command "stop".
// Returns its exit code, CHILD_KILLED when killed.
static int run_interrupted(const json & config, int n_steps, int delay_us, bool kill_it) {
    child c = child_start(config);
    std::string line;
    for (int seen = 0; seen < n_steps && child_line(c, line);) {
        seen += line.rfind("{\"event\":\"step\"", 0) == 0;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    if (kill_it) {
        child_kill(c);
    } else {
        child_write(c, "{\"command\":\"stop\"}\n");
    }
    while (child_line(c, line)) {
    }
    return child_wait(c);
}

static void test_loss(const std::string & loss) {
    const trainer_output whole = run_trainer("train", run_config(loss, loss + "-whole"));
    check(whole.exit == EXIT_DONE, loss + ": the uninterrupted run: " + whole.text.substr(0, 300));
    const json config = run_config(loss, loss + "-interrupted");
    int n_killed = 0, n_stopped = 0;
    for (int i = 0; i < 12; i++) {
        const bool kill_it = i % 3 != 2;
        // every fourth one while it starts; the delay reaches into a step, its checkpoint or the next step
        const int n_steps = i % 4 == 1 ? 0 : 1 + (int) (random_unit(1, 0, (uint64_t) i)*6);
        const int rc = run_interrupted(config, n_steps, (int) (random_unit(1, 1, (uint64_t) i)*20000), kill_it);
        n_killed  += rc == CHILD_KILLED;
        n_stopped += rc == EXIT_STOPPED;
        check(rc == EXIT_DONE || rc == EXIT_STOPPED || rc == CHILD_KILLED, loss + ": exit code " + std::to_string(rc));
    }
    check(n_killed > 0, loss + ": some run was killed on its way");
    const trainer_output rest = run_trainer("train", config);
    check(rest.exit == EXIT_DONE, loss + ": the resumed run: " + rest.text.substr(0, 300));
    check(rest.of("hello").at(0).at("resumed_step").get<int>() > 0, loss + ": it goes on from a checkpoint");
    check(read_tensors(tmp_file(loss + "-whole.gguf")) == read_tensors(tmp_file(loss + "-interrupted.gguf")), loss + ": the same adapter, bit for bit");
    check(whole.last()->at("last_loss") == rest.last()->at("last_loss") && whole.last()->at("tokens") == rest.last()->at("tokens"), loss + ": the same summary");
    printf("%s: %d killed, %d stopped, resumed at step %d\n", loss.c_str(), n_killed, n_stopped, rest.of("hello").at(0).at("resumed_step").get<int>());

    const trainer_output again = run_trainer("train", config);
    check(again.exit == EXIT_DONE && again.of("step").empty(), loss + ": resuming a finished run trains nothing");
}

// {"command":"stop"} during a long run: the step is finished, a checkpoint is there, exit 4.
static void test_stop() {
    json config = run_config("orpo", "stopped");
    config["max_steps"] = 100000;
    config["checkpoint"]["every_steps"] = 0;
    check(run_interrupted(config, 3, 1000, /*kill_it =*/ false) == EXIT_STOPPED, "stop exits 4");
    check(checkpoint_exists(tmp_file("stopped.checkpoint")), "stop leaves a checkpoint");
    check(!checkpoint_exists(tmp_file("stopped.gguf")), "and no adapter");
}

// A second trainer on one checkpoint is told so and leaves the first one alone; the lock goes with its process, however that ends.
static void test_two_trainers() {
    json config = run_config("orpo", "shared");
    config["max_steps"] = 100000;
    child first = child_start(config);
    std::string line;
    while (child_line(first, line) && line.rfind("{\"event\":\"step\"", 0) != 0) {
    }
    const trainer_output second = run_trainer("train", config);
    check(second.exit == EXIT_INPUT && second.error_code() == "CHECKPOINT_IN_USE" && !second.last()->at("hint").get<std::string>().empty(), "the second trainer is told: " + second.text);
    child_kill(first);
    while (child_line(first, line)) {
    }
    check(child_wait(first) == CHILD_KILLED, "the first one went on until it was killed");
    config["max_steps"] = 3;
    config["resume"] = false;
    const trainer_output third = run_trainer("train", config);
    check(third.exit == EXIT_DONE, "a killed run leaves no lock: " + third.text.substr(0, 300));
    check(!checkpoint_exists(tmp_file("shared.checkpoint.lock")), "a finished one leaves no file of it");
}

static void test_refusals() {
    const json config = run_config("orpo", "refused");
    check(run_trainer("train", config).exit == EXIT_DONE, "a run to resume");
    const auto refused = [&](const char * key, const json & value, const std::string & named) {
        json other = config;
        other[key] = value;
        const trainer_output out = run_trainer("train", other);
        check(out.exit == EXIT_INPUT && out.error_code() == "CHECKPOINT_MISMATCH" && out.text.find(named) != std::string::npos, std::string("a checkpoint of another ") + key + " is refused: " + out.text);
    };
    refused("learning_rate", 2e-3, "learning_rate");
    refused("seed", 7, "seed");
    refused("loss", "exo", "loss");
    refused("pairs", fixture("pairs-masked.jsonl"), "pairs differ");
    refused("adapter_in", fixture("final-adapter-orpo.gguf"), "adapter_in differs");
    refused("eval_pairs", fixture("pairs-masked.jsonl"), "eval_pairs differ");
    json weighted = config;
    weighted.erase("beta");
    weighted.erase("label_smoothing");
    weighted["loss"] = json::parse(R"([{"name": "orpo", "weight": 0.5}])");
    const trainer_output other_weight = run_trainer("train", weighted);
    check(other_weight.error_code() == "CHECKPOINT_MISMATCH" && other_weight.text.find("differs in loss") != std::string::npos, "a checkpoint of another weight is refused: " + other_weight.text);
    json exo = run_config("exo", "refused-exo");
    exo["reference_adapter"] = fixture("adapter-init.gguf");
    check(run_trainer("train", exo).exit == EXIT_DONE, "a run with reference_adapter to resume");
    exo["reference_adapter"] = fixture("final-adapter-orpo.gguf");
    const trainer_output other_reference = run_trainer("train", exo);
    check(other_reference.error_code() == "CHECKPOINT_MISMATCH" && other_reference.text.find("reference_adapter differs") != std::string::npos, "a checkpoint of another reference_adapter is refused: " + other_reference.text);
    json other_model = config;
    other_model["model"] = fixture("model-tied-f32.gguf");
    const trainer_output out = run_trainer("train", other_model);
    check(out.exit == EXIT_INPUT && out.text.find("base model differs") != std::string::npos, "a checkpoint of another model is refused: " + out.text);
}

int main() {
    skip_without_device();
    test_loss("orpo");
    test_loss("exo");
    test_loss("simpo");
    test_loss("dpo-sft");
    test_stop();
    test_two_trainers();
    test_refusals();
    return test_result();
}
