// Threads that help with the tasks of an operator.
//
// ggml's own threads share the work in equal parts and wait for each other by spinning after every operator: when other programs
// use a core, all of them run at the pace of the slowest. Here the calling thread works through the tasks itself, helpers that
// are awake take some of them, and nobody waits for a helper that has not begun.
#pragma once

#include <functional>

// Calls work(ith) in the calling thread (ith 0) and in up to n_threads - 1 helpers; returns when all calls that began are done.
void pool_run(int n_threads, const std::function<void(int ith)> & work);
