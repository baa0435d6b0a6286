// A run that is killed or stopped at any moment and resumed ends with the same adapter, bit for bit, as one that was not.
#include "common.h"

#include "platform.h"
#include "random.h"

#include <thread>

#ifndef _WIN32
#include <cerrno>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

static json run_config(const std::string & loss, const std::string & name) {
    json config = golden_config("", loss);
    config["adapter_out"] = tmp_file(name + ".gguf");
    config["max_steps"] = 150;
    config["learning_rate"] = 1e-3;
    config["schedule"] = "cosine";
    config["warmup_steps"] = 3;
    config["weight_decay"] = 0.01;
    config["lora"] = {{"dropout", 0.1}};
    config["checkpoint"] = {{"path", tmp_file(name + ".checkpoint")}, {"every_steps", 1}};
    config["resume"] = true;
    return config;
}

// Starts the trainer and ends it after a while: with SIGKILL, or with the command "stop". Returns its exit code, 137 when killed.
static int run_interrupted(const json & config, int after_ms, bool kill_it) {
    const std::string path = tmp_file("interrupted.json");
    write_text(path, config.dump());
    int to_child[2];
    if (pipe(to_child) != 0) {
        return -1;
    }
    fflush(stdout); // else the child prints it again
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(to_child[0], 0);
        close(to_child[1]);
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) {
            _exit(1);
        }
        execl(TEST_TRAINER, "native-trainer", "train", path.c_str(), (char *) nullptr);
        _exit(127);
    }
    close(to_child[0]);
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    if (kill_it) {
        kill(pid, SIGKILL);
    } else {
        const char stop[] = "{\"command\":\"stop\"}\n";
        signal(SIGPIPE, SIG_IGN);
        if (write(to_child[1], stop, sizeof(stop) - 1) < 0) {
            check(errno == EPIPE, "only a trainer that is done leaves its stdin");
        }
    }
    int status = 0;
    waitpid(pid, &status, 0);
    close(to_child[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_loss(const std::string & loss) {
    const trainer_output whole = run_trainer("train", run_config(loss, loss + "-whole"));
    check(whole.exit == EXIT_DONE, loss + ": the uninterrupted run: " + whole.text.substr(0, 300));
    const json config = run_config(loss, loss + "-interrupted");
    int n_killed = 0, n_stopped = 0;
    for (int i = 0; i < 12; i++) {
        const bool kill_it = i % 3 != 2;
        const int rc = run_interrupted(config, 5 + (int) (random_unit(1, 0, (uint64_t) i)*120), kill_it);
        n_killed  += rc == 128 + SIGKILL;
        n_stopped += rc == EXIT_STOPPED;
        check(rc == EXIT_DONE || rc == EXIT_STOPPED || rc == 128 + SIGKILL, loss + ": exit code " + std::to_string(rc));
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
    check(run_interrupted(config, 300, /*kill_it =*/ false) == EXIT_STOPPED, "stop exits 4");
    check(checkpoint_exists(tmp_file("stopped.checkpoint")), "stop leaves a checkpoint");
    check(!checkpoint_exists(tmp_file("stopped.gguf")), "and no adapter");
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
    refused("pairs", fixture("pairs-masked.jsonl"), "pairs differ");
    json other_model = config;
    other_model["model"] = fixture("model-tied-f32.gguf");
    const trainer_output out = run_trainer("train", other_model);
    check(out.exit == EXIT_INPUT && out.text.find("base model differs") != std::string::npos, "a checkpoint of another model is refused: " + out.text);
}

int main() {
    test_loss("orpo");
    test_loss("exo");
    test_stop();
    test_refusals();
    return test_result();
}

#else
int main() {
    printf("not run on Windows: needs fork and SIGKILL\n");
    return 0;
}
#endif
