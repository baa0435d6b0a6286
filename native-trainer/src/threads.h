// The number of CPU threads, chosen while running.
//
// ggml's threads wait for each other by spinning after every operator: on a machine that is busy with other things, a thread
// on every core can be several times slower than one thread, and how busy a machine is changes. So each layer that is computed
// is also a measurement: mostly the number that was fastest lately is used, now and then another one is tried. The results
// of a run do not depend on the number of threads (the tests hold them together), only its speed does.
#pragma once

#include <cstdint>
#include <vector>

enum layer_kind { LAYER_FORWARD, LAYER_BACKWARD, LAYER_KINDS };

struct thread_choice {
    int    threads = 1;
    double cost[LAYER_KINDS] = {};  // seconds per token, moving average; 0 = not measured yet
};

struct thread_tuner {
    std::vector<thread_choice> choices;
    int64_t n_layers = 0;           // computed so far
};

// wanted > 0 fixes the number.
void thread_tuner_init(thread_tuner & t, int wanted);
// The choice for the next layer, and what it took.
thread_choice & thread_tuner_next(thread_tuner & t, layer_kind kind);
void thread_tuner_report(thread_choice & choice, layer_kind kind, double seconds_per_token);
// The number that was fastest lately, for everything that is no layer.
int thread_tuner_best(const thread_tuner & t);
