#include "threads.h"

#include "ggml.h"

#include <algorithm>
#include <thread>

static const int    TRY_EVERY      = 8;    // layers: another number that was not far behind
static const int    TRY_SLOW_EVERY = 128;  // layers: one that was more than twice as slow
static const double KEEP           = 0.7;  // of the moving average

void thread_tuner_init(thread_tuner & t, int wanted) {
    t = thread_tuner();
    // ggml and the kernels have room for so many. More threads than cores only wait for each other: eight of ggml's on two
    // busy cores took two minutes for what one did in a fifth of a second
    const int n_cores = (int) std::min<unsigned>(GGML_MAX_N_THREADS, std::max(1u, std::thread::hardware_concurrency()));
    const std::vector<int> numbers = wanted > 0 ? std::vector<int>{std::min(wanted, n_cores)} : std::vector<int>{n_cores, n_cores - 1, (n_cores + 1)/2, 1};
    for (int threads : numbers) {
        const bool known = std::any_of(t.choices.begin(), t.choices.end(), [&](const thread_choice & c) { return c.threads == threads; });
        if (threads > 0 && !known) {
            t.choices.emplace_back();
            t.choices.back().threads = threads;
        }
    }
}

static size_t best_choice(const thread_tuner & t, layer_kind kind) {
    size_t best = 0;
    for (size_t i = 1; i < t.choices.size(); i++) {
        if (t.choices[i].cost[kind] < t.choices[best].cost[kind]) { // one that was not measured yet costs 0
            best = i;
        }
    }
    return best;
}

thread_choice & thread_tuner_next(thread_tuner & t, layer_kind kind) {
    const size_t best = best_choice(t, kind);
    const int64_t n = t.n_layers++;
    if (n % TRY_EVERY == TRY_EVERY - 1) {
        thread_choice & other = t.choices[(size_t) (n/TRY_EVERY) % t.choices.size()];
        const bool slow = other.cost[kind] > 2*t.choices[best].cost[kind];
        if (!slow || n/TRY_EVERY % (TRY_SLOW_EVERY/TRY_EVERY) < (int64_t) t.choices.size()) {
            return other;
        }
    }
    return t.choices[best];
}

void thread_tuner_report(thread_choice & choice, layer_kind kind, double seconds_per_token) {
    double & cost = choice.cost[kind];
    cost = cost == 0 ? seconds_per_token : KEEP*cost + (1 - KEEP)*seconds_per_token;
}

int thread_tuner_best(const thread_tuner & t) {
    return t.choices[best_choice(t, LAYER_FORWARD)].threads;
}
