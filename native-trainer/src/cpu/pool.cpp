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

static void wait_for_round(pool & p, uint64_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (p.round.load() != seen) {
            return;
        }
        spin_pause();
    }
    std::unique_lock<std::mutex> lock(p.mutex);
    p.asleep++;
    p.wake.wait(lock, [&] { return p.round.load() != seen; });
    p.asleep--;
}

static void help(pool & p, int ith) {
    for (uint64_t seen = 0;;) {
        wait_for_round(p, seen);
        p.inside++;
        seen = p.round.load();
        if (p.open.load() && ith < p.n_wanted.load()) { // in this order: who finds it open holds up its closing
            (*p.work)(ith);
        }
        p.inside--;
    }
}

static pool & the_pool() {
    static pool * p = new pool; // never destroyed: helpers sleep in it until the program ends
    return *p;
}

void pool_run(int n_threads, const std::function<void(int)> & work) {
    if (n_threads <= 1) {
        work(0);
        return;
    }
    pool & p = the_pool();
    p.work = &work;
    p.n_wanted = n_threads;
    p.open = true;
    p.round++;
    {
        std::lock_guard<std::mutex> lock(p.mutex);
        for (; p.n_helpers < n_threads - 1; p.n_helpers++) {
            std::thread(help, std::ref(p), p.n_helpers + 1).detach();
        }
    }
    if (p.asleep.load() > 0) {
        p.wake.notify_all();
    }
    work(0);
    p.open = false;
    for (int i = 0; p.inside.load() > 0; i++) {
        if (i < SPINS) {
            spin_pause();
        } else {
            std::this_thread::yield();
        }
    }
}
