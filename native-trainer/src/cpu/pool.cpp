#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
static void spin_pause() { _mm_pause(); }
#else
static void spin_pause() { std::this_thread::yield(); }
#endif

static const int SPINS = 2000;      // about a tenth of a millisecond: most operators follow each other sooner

struct pool {
    std::mutex              mutex;
    std::condition_variable wake;
    std::atomic<uint64_t>   round{0};           // grows with every job
    std::atomic<bool>       open{false};        // helpers may join
    std::atomic<int>        inside{0};          // helpers that joined, or are looking whether they may
    std::atomic<int>        asleep{0};
    int                     n_helpers = 0;
    std::atomic<int>        n_wanted{0};
    const std::function<void(int)> * work = nullptr;
};

static void wait_for_round(pool & team, uint64_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (team.round.load() != seen) {
            return;
        }
        spin_pause();
    }
    std::unique_lock<std::mutex> lock(team.mutex);
    team.asleep++;
    team.wake.wait(lock, [&] { return team.round.load() != seen; });
    team.asleep--;
}

static void help(pool & team, int ith) {
    for (uint64_t seen = 0;;) {
        wait_for_round(team, seen);
        team.inside++;
        seen = team.round.load();
        if (team.open.load() && ith < team.n_wanted.load()) { // in this order: who finds it open holds up its closing
            (*team.work)(ith);
        }
        team.inside--;
    }
}

static pool & the_pool() {
    static pool * team = new pool; // never destroyed: helpers sleep in it until the program ends
    return *team;
}

void pool_run(int n_threads, const std::function<void(int)> & work) {
    if (n_threads <= 1) {
        work(0);
        return;
    }
    pool & team = the_pool();
    team.work = &work;
    team.n_wanted = n_threads;
    team.open = true;
    team.round++;
    {
        std::lock_guard<std::mutex> lock(team.mutex);
        for (; team.n_helpers < n_threads - 1; team.n_helpers++) {
            std::thread(help, std::ref(team), team.n_helpers + 1).detach();
        }
    }
    if (team.asleep.load() > 0) {
        team.wake.notify_all();
    }
    work(0);
    team.open = false;
    for (int i = 0; team.inside.load() > 0; i++) {
        if (i < SPINS) {
            spin_pause();
        } else {
            std::this_thread::yield();
        }
    }
}
