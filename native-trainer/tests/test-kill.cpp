// kill -9 at random moments: test-kill [KILLS [SEED]]. A run that is killed again and again, at its start, while it computes
// references, in its steps and their checkpoints, and in its last writes, ends with the adapter of one that was not, byte for
// byte; after each kill the checkpoint is absent or readable and holds every step that was announced as saved.
//
// test-resume.cpp asks what is refused and what "stop" does; this test asks for many moments.
#include "common.h"
#include "loss-config.h"

#include "child.h"
#include "platform.h"
#include "random.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

enum moment { AT_START, IN_REFERENCES, IN_STEPS, AT_END, MOMENTS };
static const char * const MOMENT_NAMES[MOMENTS] = {"start", "references", "steps", "last writes"};

static json run_config(const std::string & loss, const std::string & name, int n_steps) {
    json config = golden_config("", loss);
    config["adapter_out"] = tmp_file(name + ".gguf");
    config["max_steps"] = n_steps;
    config["learning_rate"] = 1e-3;
    config["lora"] = {{"dropout", 0.1}};
    config["checkpoint"] = {{"path", tmp_file(name + ".checkpoint")}, {"every_steps", 1}};
    config["resume"] = true;
    return config;
}

// What a killed run has said until its end, and how far the next one must have got.
struct killed_run {
    bool    was_killed = false;
    int64_t resumed = -1, saved = -1;   // step of `hello` and of the last `checkpoint`, -1: none
};

// Ends the trainer `delay_us` after it has said `event` for the nth time; an empty event is the start itself.
static killed_run run_and_kill(const json & config, const std::string & event, int n, int delay_us) {
    child c = child_start(config);
    killed_run result;
    std::string line;
    bool armed = event.empty();
    std::thread killer;
    const auto arm = [&] {
        killer = std::thread([&c, delay_us] {
            std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
            child_kill(c);
        });
    };
    if (armed) {
        arm();
    }
    while (child_line(c, line)) {
        const json said = json::parse(line, nullptr, false);
        std::string name = said.is_object() ? said.value("event", "") : "";
        check(!name.empty(), "a killed trainer leaves no half line that is read as whole: " + line.substr(0, 200));
        if (name == "hello") {
            result.resumed = said.at("resumed_step");
        } else if (name == "checkpoint") {
            result.saved = said.at("step");
            name = said.at("reason"); // "interval" or "finished": then the adapter is written
        }
        const bool past_references = event == "reference" && name == "step"; // a checkpoint had them all
        if (!armed && ((name == event && --n == 0) || past_references)) {
            armed = true;
            arm();
        }
    }
    if (!armed) {
        arm(); // it was over before
    }
    killer.join();
    result.was_killed = child_wait(c) == CHILD_KILLED;
    return result;
}

static bool is_absent_or_readable(const std::string & path) {
    if (platform_file_size(path) < 0) {
        return true;
    }
    gguf_file g;
    try {
        gguf_file_open(g, path, "file");
    } catch (const failure & f) {
        printf("%s\n", f.message.c_str());
    }
    const bool readable = !g.tensors.empty();
    gguf_file_close(g);
    return readable;
}

// The kills of the references come first, as long as none is saved; those of the last writes last. The start may be that of a
// fresh or a resumed run.
static moment moment_of(const std::string & loss, int i, int n_kills, int64_t reached) {
    if (loss_needs_reference(loss_from_json(golden_loss(loss))) && i < n_kills/5 && reached == 0) {
        return IN_REFERENCES;
    }
    if (i % 5 == 0) {
        return AT_START;
    }
    return i < n_kills*3/4 ? IN_STEPS : AT_END;
}

// The last checkpoint, the adapter after it, or both as a run writes them whose steps were done before.
static killed_run kill_last_writes(const json & config, int64_t n_left, const std::function<double()> & random) {
    const double which = random();
    if (which < 0.3 && n_left > 0) {
        return run_and_kill(config, "step", (int) n_left, (int) (random()*10000));
    }
    return which < 0.7 ? run_and_kill(config, "finished", 1, (int) (random()*4000)) : run_and_kill(config, "hello", 1, (int) (random()*20000));
}

static killed_run kill_at(moment m, const json & config, int64_t n_left, const std::function<double()> & random) {
    const int64_t n_steps = std::max<int64_t>(1, std::min<int64_t>(n_left, 6));
    switch (m) {
        case AT_START:      return run_and_kill(config, "", 1, (int) (random()*60000));
        case IN_REFERENCES: return run_and_kill(config, "reference", 1 + (int) (random()*8), (int) (random()*500));
        case IN_STEPS:      return run_and_kill(config, "step", 1 + (int) (random()*(double) n_steps), (int) (random()*12000));
        default:            return kill_last_writes(config, n_left, random);
    }
}

static void test_loss(const std::string & loss, int n_kills, uint64_t seed) {
    const int n_steps = 10 + 3*n_kills; // a kill in the steps takes about four of them
    const trainer_output whole = run_trainer("train", run_config(loss, loss + "-whole", n_steps));
    check(whole.exit == EXIT_DONE, loss + ": the uninterrupted run: " + whole.text.substr(0, 300));
    const json config = run_config(loss, loss + "-killed", n_steps);
    const std::string checkpoint = config["checkpoint"]["path"], adapter = config["adapter_out"];
    uint64_t draws = 0;
    const auto random = [&] { return random_unit(seed, loss_needs_reference(loss_from_json(golden_loss(loss))), draws++); };
    int64_t saved = 0, reached = 0; // steps that were announced as saved; that a next start went on from
    int tried[MOMENTS] = {}, killed[MOMENTS] = {}, temporary = 0;
    int i = 0, over = 0; // kills; runs in a row that were over before theirs
    const std::string expected = read_text(tmp_file(loss + "-whole.gguf"));
    for (int tries = 0; i < n_kills && tries < 8*n_kills; tries++) {
        // a busy machine kills late: what has come to its end is looked at and begun anew, so that there are steps to be killed in
        if (saved == n_steps && over > (i < n_kills*3/4 ? 0 : 3)) {
            check(read_text(adapter) == expected, loss + ": the same adapter, byte for byte, before it is begun anew");
            std::remove(checkpoint.c_str());
            std::remove(adapter.c_str());
            saved = reached = over = 0;
        }
        const moment m = moment_of(loss, i, n_kills, reached);
        const killed_run r = kill_at(m, config, n_steps - saved, random);
        const std::string what = loss + ", kill " + std::to_string(i) + " (" + MOMENT_NAMES[m] + "): ";
        i += r.was_killed;
        over = r.was_killed ? 0 : over + 1;
        tried[m]++;
        killed[m] += r.was_killed;
        check(r.resumed == -1 || r.resumed >= saved, what + "goes on from step " + std::to_string(r.resumed) + ", step " + std::to_string(saved) + " was saved");
        saved = std::max(saved, r.saved);
        reached = std::max({reached, saved, r.resumed});
        check(is_absent_or_readable(checkpoint), what + "the checkpoint is absent or readable");
        check(saved == 0 || checkpoint_exists(checkpoint), what + "a checkpoint that was announced is there");
        check(is_absent_or_readable(adapter), what + "the adapter is absent or readable");
        temporary += checkpoint_exists(checkpoint + ".tmp") || checkpoint_exists(adapter + ".tmp");
    }
    const trainer_output rest = run_trainer("train", config);
    check(rest.exit == EXIT_DONE, loss + ": the run after the last kill: " + rest.text.substr(0, 300));
    check(rest.of("hello").at(0).at("resumed_step") >= saved, loss + ": it goes on from the last checkpoint");
    check(expected == read_text(adapter), loss + ": the same adapter, byte for byte");
    check(!checkpoint_exists(checkpoint + ".tmp") && !checkpoint_exists(adapter + ".tmp"), loss + ": no temporary file is left");
    for (int m = 0; m < MOMENTS; m++) {
        printf("%-7s %-12s %2d runs, %2d killed\n", loss.c_str(), MOMENT_NAMES[m], tried[m], killed[m]);
    }
    printf("%-7s %d kills, %d times a temporary file stayed until the next start, saved up to step %d\n", loss.c_str(), i, temporary, (int) saved);
    check(i == n_kills, loss + ": so many runs were killed");
}

int main(int argc, char ** argv) {
    const int      n_kills = argc > 1 ? atoi(argv[1]) : 30;
    const uint64_t seed    = argc > 2 ? strtoull(argv[2], nullptr, 10) : 1;
    test_loss("orpo", n_kills, seed);
    test_loss("exo", n_kills, seed);
    test_loss("dpo-sft", n_kills/2, seed + 1);
    return test_result();
}
