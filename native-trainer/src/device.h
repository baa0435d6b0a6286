// ggml's libraries at run time, the chosen device, and graphs that run on it.
#pragma once

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml.h"
#include "protocol.h"

#include <string>
#include <vector>

// Only libggml-base is linked. The registry library has another file name in each of node-llama-cpp's packages, so it is
// opened at run time, from PREFLEXOR_GGML_DIR, else the executable's folder, else the folder the trainer was built with.
// PREFLEXOR_GGML_FALLBACK_DIR may hold a second build of a backend, for an older runtime (CUDA 12 beside CUDA 13).
struct ggml_libraries {
    std::string dir, fallback_dir;
    std::vector<ggml_backend_dev_t> devices;
};

const ggml_libraries & ggml_libraries_load();

// The graphics backends whose libraries lie in the folders: how many devices each gave and, when none, what the system's
// loader says of its library (null: it loads, and finds no device).
json ggml_backends_describe(const ggml_libraries & libraries);

struct device {
    ggml_backend_dev_t dev     = nullptr;
    ggml_backend_t     backend = nullptr;
    ggml_gallocr_t     galloc  = nullptr;   // scratch memory of one graph at a time
    std::string        name;                // "CPU", "CUDA0", ...
    bool               is_cpu  = false;
    int                threads = 0;
    bool               precision_f32 = false; // every product in F32
    bool               own_threads = false;   // the binding has threads of its own, ggml's operators run in one
    std::vector<uint8_t> graph_memory;      // ggml's own records of nodes and tensors
    bool               measures = false;    // device_alloc counts and allocates nothing: the graphs are only measured
    size_t             measured_bytes = 0;
};

void device_init(device & d, const std::string & choice, bool precision_f32);
void device_probe(device & d); // one operation: a driver that cannot run the library's code says so before a large model is loaded
void device_set_threads(device & d, int threads); // CPU; nothing on other devices
void device_free(device & d);
json device_describe(ggml_backend_dev_t dev);

double device_free_mb(const device & d);
double device_scratch_mb(const device & d);

// Fails with OUT_OF_MEMORY when so much is not free: the system may promise memory and end the process when it is used.
void device_memory_check(const device & d, double mb, const char * what);

// Allocates all tensors of a context on the device; fails with OUT_OF_MEMORY naming `what`. Null on a device that only measures.
ggml_backend_buffer_t device_alloc(device & d, ggml_context * ctx, const char * what);
size_t                device_alloc_size(const device & d, ggml_context * ctx);

// One graph: build nodes in ctx, expand the results into nodes, run.
struct graph {
    device *       dev   = nullptr;
    ggml_context * ctx   = nullptr;
    ggml_cgraph *  nodes = nullptr;
};

graph  graph_begin(device & d);
void   graph_expand(graph & g, ggml_tensor * result);
void   graph_run(graph & g);       // checks every node against the device, allocates, computes, frees the context
size_t device_conversion_bytes(const graph & g); // what its largest product needs besides, where a device converts the factors
void   graph_reserve(graph & g);   // allocates scratch memory for a graph of this size without running it
