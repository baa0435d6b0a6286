#include "device.h"

#include "platform.h"

#include <algorithm>
#include <cctype>
#include <cstring>

static const size_t GRAPH_NODES = 4096;

// ---- the registry library

struct registry_functions {
    void               (*load_all_from_path)(const char * dir);
    size_t             (*dev_count)(void);
    ggml_backend_dev_t (*dev_get)(size_t index);
    ggml_backend_reg_t (*load)(const char * path);
};

static bool is_library(const std::string & name, const std::string & start) {
#if defined(_WIN32)
    return name.rfind(start, 0) == 0 && name.size() > 4 && name.substr(name.size() - 4) == ".dll";
#else
    return name.rfind("lib" + start, 0) == 0 && (name.find(".so") != std::string::npos || name.find(".dylib") != std::string::npos);
#endif
}

static std::string library_in(const std::string & dir, const std::string & start) {
    for (const std::string & name : platform_list_dir(dir)) {
        if (is_library(name, start)) {
            return platform_join(dir, name);
        }
    }
    return "";
}

// libggml.so, libggml.v0.4.0.so, libggml.cuda.v0.4.0.so, ggml.v0.4.0.dll ... but not libggml-base.so
static std::string registry_library_in(const std::string & dir) {
    return library_in(dir, "ggml.");
}

static std::string libraries_dir() {
    const std::string from_env = platform_env("PREFLEXOR_GGML_DIR");
    if (!from_env.empty()) {
        return from_env;
    }
    const std::string beside = platform_executable_dir();
    const std::string built_with = TRAINER_GGML_DIR;
    return built_with.empty() || !registry_library_in(beside).empty() ? beside : built_with;
}

static void version_check(const char * version, const char * commit, const std::string & where) {
    const std::string found = std::string(version) + " (" + commit + ")";
    const std::string built = std::string(TRAINER_GGML_VERSION) + " (" + TRAINER_GGML_COMMIT + ")";
    if (found != built) {
        fail_resource("GGML_VERSION", where + " is ggml " + found + ", the trainer was built for " + built,
            "Build the trainer again (npm run build:native), or set PREFLEXOR_GGML_DIR to the libraries of that version.");
    }
}

template <typename F>
static void load_symbol(void * library, const char * name, F & function) {
    function = (F) platform_library_symbol(library, name);
    if (!function) {
        fail_resource("GGML_LIBRARY", std::string("ggml's registry library has no ") + name, "Install the program again.");
    }
}

// The linked libggml-base may come from another folder than the backends: that folder's own base library says of which version
// its backends are.
static void folder_version_check(const std::string & dir) {
    const std::string path = library_in(dir, "ggml-base");
    std::string error;
    void * base = path.empty() ? nullptr : platform_library_open(path, error);
    if (!base) {
        return; // backends without it beside them use the linked one
    }
    const char * (*version)(void), * (*commit)(void);
    load_symbol(base, "ggml_version", version);
    load_symbol(base, "ggml_commit", commit);
    version_check(version(), commit(), path);
    platform_library_close(base); // not a second copy beside the linked one
}

static std::string lower_case(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return (char) std::tolower(c); });
    return s;
}

static int64_t count_devices(const std::vector<ggml_backend_dev_t> & devices, const std::string & backend) {
    return std::count_if(devices.begin(), devices.end(), [&](ggml_backend_dev_t dev) {
        return lower_case(ggml_backend_reg_name(ggml_backend_dev_backend_reg(dev))) == backend;
    });
}

static const char * const GPU_BACKENDS[] = {"cuda", "vulkan", "metal"};

static std::vector<ggml_backend_dev_t> list_devices(const registry_functions & f) {
    std::vector<ggml_backend_dev_t> devices;
    for (size_t i = 0; i < f.dev_count(); i++) {
        devices.push_back(f.dev_get(i));
    }
    return devices;
}

const ggml_libraries & ggml_libraries_load() {
    static ggml_libraries libraries;
    if (!libraries.devices.empty()) {
        return libraries;
    }
    version_check(ggml_version(), ggml_commit(), "the loaded libggml-base");
    libraries.dir = libraries_dir();
    libraries.fallback_dir = platform_env("PREFLEXOR_GGML_FALLBACK_DIR");
    folder_version_check(libraries.dir);
    const std::string path = registry_library_in(libraries.dir);
    const char * hint = "Set PREFLEXOR_GGML_DIR to the folder with ggml's libraries, or install the program again.";
    if (path.empty()) {
        fail_resource("GGML_LIBRARY", "no ggml registry library in " + libraries.dir, hint);
    }
    std::string error;
    void * library = platform_library_open(path, error);
    if (!library) {
        fail_resource("GGML_LIBRARY", "cannot load " + path + ": " + error, hint);
    }
    registry_functions f;
    load_symbol(library, "ggml_backend_load_all_from_path", f.load_all_from_path);
    load_symbol(library, "ggml_backend_dev_count", f.dev_count);
    load_symbol(library, "ggml_backend_dev_get", f.dev_get);
    load_symbol(library, "ggml_backend_load", f.load);
    f.load_all_from_path(libraries.dir.c_str());
    libraries.devices = list_devices(f);
    for (const char * backend : GPU_BACKENDS) {
        const std::string second = library_in(libraries.fallback_dir, std::string("ggml-") + backend);
        if (!second.empty() && count_devices(libraries.devices, backend) == 0) {
            f.load(second.c_str());
        }
    }
    libraries.devices = list_devices(f);
    if (libraries.devices.empty()) {
        fail_resource("NO_DEVICE", "ggml found no device it can compute on in " + libraries.dir, hint);
    }
    return libraries;
}

// ---- devices

static const char * device_type_name(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU:  return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU:  return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU: return "integrated gpu";
        default:                            return "accelerator";
    }
}

// A processor that plays a graphics card, for tests: slower than the same processor as "cpu".
static bool is_software(ggml_backend_dev_t dev) {
    const std::string description = lower_case(ggml_backend_dev_description(dev));
    for (const char * renderer : {"llvmpipe", "lavapipe", "swiftshader", "microsoft basic render"}) {
        if (description.find(renderer) != std::string::npos) {
            return true;
        }
    }
    return false;
}

json ggml_backends_describe(const ggml_libraries & libraries) {
    json list = json::array();
    for (const char * backend : GPU_BACKENDS) {
        const int64_t n = count_devices(libraries.devices, backend);
        for (const std::string & dir : {libraries.dir, libraries.fallback_dir}) {
            const std::string path = library_in(dir, std::string("ggml-") + backend);
            if (path.empty()) {
                continue;
            }
            std::string error;
            if (n == 0) {
                platform_library_open(path, error); // stays open: some drivers do not survive being closed
            }
            list.push_back({{"name", backend}, {"library", path}, {"devices", n}, {"problem", error.empty() ? json(nullptr) : json(error)}});
        }
    }
    return list;
}

json device_describe(ggml_backend_dev_t dev) {
    size_t free_bytes = 0, total_bytes = 0;
    ggml_backend_dev_memory(dev, &free_bytes, &total_bytes);
    if (ggml_backend_dev_type(dev) == GGML_BACKEND_DEVICE_TYPE_CPU) {
        free_bytes = (size_t) (platform_available_memory_mb()*1048576.0);
    }
    return {
        {"name", lower_case(ggml_backend_dev_name(dev))},
        {"description", ggml_backend_dev_description(dev)},
        {"backend", lower_case(ggml_backend_reg_name(ggml_backend_dev_backend_reg(dev)))},
        {"type", is_software(dev) ? "software" : device_type_name(ggml_backend_dev_type(dev))},
        {"memory_free_mb", free_bytes / 1048576},
        {"memory_total_mb", total_bytes / 1048576},
    };
}

static ggml_backend_dev_t device_find(const std::string & choice) {
    const auto & devices = ggml_libraries_load().devices;
    const auto of_type = [&](enum ggml_backend_dev_type type) -> ggml_backend_dev_t {
        for (ggml_backend_dev_t dev : devices) {
            if (ggml_backend_dev_type(dev) == type && !is_software(dev)) {
                return dev;
            }
        }
        return nullptr;
    };
    if (choice == "auto") {
        // an integrated GPU shares the memory of the CPU and is seldom faster here: only on request
        ggml_backend_dev_t gpu = of_type(GGML_BACKEND_DEVICE_TYPE_GPU);
        return gpu ? gpu : of_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    }
    for (ggml_backend_dev_t dev : devices) {
        if (lower_case(ggml_backend_dev_name(dev)) == lower_case(choice)) {
            return dev;
        }
    }
    return nullptr;
}

void device_set_threads(device & d, int threads) {
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(d.dev);
    auto set_n_threads = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
    if (set_n_threads && d.is_cpu) {
        set_n_threads(d.backend, d.own_threads ? 1 : threads);
        d.threads = threads;
    }
}

void device_init(device & d, const std::string & choice, bool precision_f32) {
    d.precision_f32 = precision_f32;
    if (precision_f32) { // both round the factors of F32 products to 10 bits, and read this when the device is opened
        platform_env_default("NVIDIA_TF32_OVERRIDE", "0"); // cuBLAS, to TF32
        platform_env_default("GGML_VK_DISABLE_F16", "1");  // ggml's Vulkan, to F16
    }
    d.dev = device_find(choice);
    if (!d.dev) {
        std::string names;
        for (ggml_backend_dev_t dev : ggml_libraries_load().devices) {
            names += (names.empty() ? "" : ", ") + lower_case(ggml_backend_dev_name(dev));
        }
        fail_resource("DEVICE_NOT_FOUND", "there is no device \"" + choice + "\" here; there are: " + names,
            "Choose one of these, or install the driver of the graphics card.");
    }
    d.name    = ggml_backend_dev_name(d.dev);
    d.is_cpu  = ggml_backend_dev_type(d.dev) == GGML_BACKEND_DEVICE_TYPE_CPU;
    d.backend = ggml_backend_dev_init(d.dev, nullptr);
    if (!d.backend) {
        fail_resource("DEVICE_FAILED", "the device " + d.name + " cannot be used", "Another program may hold it; close it or choose device \"cpu\".");
    }
    d.galloc = ggml_gallocr_new(ggml_backend_get_default_buffer_type(d.backend));
    d.graph_memory.resize(ggml_tensor_overhead() * GRAPH_NODES + ggml_graph_overhead_custom(GRAPH_NODES, false));
}

void device_free(device & d) {
    ggml_gallocr_free(d.galloc);
    ggml_backend_free(d.backend);
    d = device();
}

double device_free_mb(const device & d) {
    if (d.is_cpu) {
        return platform_available_memory_mb(); // ggml says "all of it" for the CPU
    }
    size_t free_bytes = 0, total_bytes = 0;
    ggml_backend_dev_memory(d.dev, &free_bytes, &total_bytes);
    return free_bytes/1048576.0;
}

double device_scratch_mb(const device & d) {
    return ggml_gallocr_get_buffer_size(d.galloc, 0) / 1048576.0;
}

// ---- memory

static const char * const MEMORY_HINT = "Use a smaller max_length, a smaller or more quantised model, or a device with more memory.";

[[noreturn]] static void fail_memory(const device & d, double mb, const char * what) {
    fail_resource("OUT_OF_MEMORY", std::string("no memory on ") + d.name + " for " + what + " (" + std::to_string((int64_t) mb) + " MB)", MEMORY_HINT);
}

void device_memory_check(const device & d, double mb, const char * what) {
    const double free_mb = device_free_mb(d);
    if (d.is_cpu && free_mb > 0 && mb > free_mb) { // other devices refuse by themselves; 0: the system does not say
        fail_memory(d, mb, what);
    }
}

// With pages of 4 KB a CPU looks up addresses for a tenth of the time.
static void prefer_huge_pages(const device & d, ggml_backend_buffer_t buffer) {
    if (d.is_cpu) {
        platform_prefer_huge_pages(ggml_backend_buffer_get_base(buffer), ggml_backend_buffer_get_size(buffer));
    }
}

// Graphs take what has an address for memory that is there, and do not count it as scratch. It is never read.
static void pretend_alloc(device & d, ggml_context * ctx) {
    d.measured_bytes += device_alloc_size(d, ctx);
    for (ggml_tensor * t = ggml_get_first_tensor(ctx); t; t = ggml_get_next_tensor(ctx, t)) {
        t->data = d.graph_memory.data();
    }
}

ggml_backend_buffer_t device_alloc(device & d, ggml_context * ctx, const char * what) {
    if (d.measures) {
        pretend_alloc(d, ctx);
        return nullptr;
    }
    const double mb = device_alloc_size(d, ctx)/1048576.0;
    device_memory_check(d, mb, what);
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(ctx, d.backend);
    if (!buffer) {
        fail_memory(d, mb, what);
    }
    prefer_huge_pages(d, buffer);
    return buffer;
}

size_t device_alloc_size(const device & d, ggml_context * ctx) {
    return ggml_backend_alloc_ctx_tensors_from_buft_size(ctx, ggml_backend_get_default_buffer_type(d.backend));
}

// ---- graphs

graph graph_begin(device & d) {
    graph g;
    g.dev   = &d;
    g.ctx   = ggml_init({d.graph_memory.size(), d.graph_memory.data(), /*no_alloc =*/ true});
    g.nodes = ggml_new_graph_custom(g.ctx, GRAPH_NODES, /*grads =*/ false);
    return g;
}

void graph_expand(graph & g, ggml_tensor * result) {
    ggml_build_forward_expand(g.nodes, result);
}

// A backend scheduler would move an unsupported node to the CPU in silence; here it is a named error.
static void supported_check(const graph & g) {
    for (int i = 0; i < ggml_graph_n_nodes(g.nodes); i++) {
        const ggml_tensor * node = ggml_graph_node(g.nodes, i);
        if (!ggml_backend_dev_supports_op(g.dev->dev, node)) {
            const ggml_tensor * a = node->src[0], * b = node->src[1];
            fail_resource("OP_UNSUPPORTED", "the device " + g.dev->name + " cannot compute " + ggml_op_desc(node) + " on "
                + (a ? ggml_type_name(a->type) : "-") + " and " + (b ? ggml_type_name(b->type) : "-"), "Choose another device, or device \"cpu\".");
        }
    }
}

void graph_run(graph & g) {
    supported_check(g);
    if (!ggml_gallocr_alloc_graph(g.dev->galloc, g.nodes)) {
        fail_resource("OUT_OF_MEMORY", "no memory on " + g.dev->name + " for intermediate results", MEMORY_HINT);
    }
    const enum ggml_status status = ggml_backend_graph_compute(g.dev->backend, g.nodes);
    if (status == GGML_STATUS_ALLOC_FAILED) {
        fail_resource("OUT_OF_MEMORY", "no memory on " + g.dev->name + " for a computation", MEMORY_HINT);
    }
    if (status != GGML_STATUS_SUCCESS) {
        fail_resource("DEVICE_FAILED", "the device " + g.dev->name + " failed: " + ggml_status_to_string(status),
            "The run goes on from its last checkpoint with resume:true.");
    }
    ggml_free(g.ctx);
    g.ctx = nullptr;
}

void graph_reserve(graph & g) {
    supported_check(g);
    if (!ggml_gallocr_alloc_graph(g.dev->galloc, g.nodes)) {
        fail_resource("OUT_OF_MEMORY", "no memory on " + g.dev->name + " for intermediate results", MEMORY_HINT);
    }
    ggml_backend_buffer_t scratch = nullptr; // the allocator shows it by its tensors alone
    for (int i = 0; i < ggml_graph_n_nodes(g.nodes); i++) {
        const ggml_tensor * node = ggml_graph_node(g.nodes, i);
        if (!node->view_src && node->buffer && node->buffer != scratch) {
            scratch = node->buffer;
            prefer_huge_pages(*g.dev, scratch);
        }
    }
    ggml_free(g.ctx);
    g.ctx = nullptr;
}

// ggml's CUDA turns factors into the type that it multiplies in, in memory of its own, which grows to the largest need and stays:
// activations to BF16 or Q8_1 for weights of that kind, F16 weights to F32 because their products ask for sums in F32.
size_t device_conversion_bytes(const graph & g) {
    if (g.dev->name.rfind("CUDA", 0) != 0) {
        return 0;
    }
    size_t largest = 0;
    for (int i = 0; i < ggml_graph_n_nodes(g.nodes); i++) {
        const ggml_tensor * node = ggml_graph_node(g.nodes, i);
        if (node->op != GGML_OP_MUL_MAT) {
            continue;
        }
        const ggml_tensor * w = node->src[0];
        const size_t n_w = (size_t) ggml_nelements(w), n_x = (size_t) ggml_nelements(node->src[1]);
        largest = std::max(largest, w->type == GGML_TYPE_F32 ? 0 : w->type == GGML_TYPE_F16 ? n_w*sizeof(float)
            : w->type == GGML_TYPE_BF16 ? n_x*sizeof(ggml_bf16_t) : n_x/32*36); // a block of Q8_1: 32 numbers in 36 bytes
    }
    return largest;
}

void device_probe(device & d) {
    ggml_context * ctx = ggml_init({ggml_tensor_overhead(), nullptr, /*no_alloc =*/ true});
    ggml_tensor * number = ggml_new_tensor_1d(ctx, GGML_TYPE_F32, 1);
    ggml_backend_buffer_t buffer = device_alloc(d, ctx, "a first operation");
    float value = 3;
    ggml_backend_tensor_set(number, &value, 0, sizeof(value));
    graph g = graph_begin(d);
    graph_expand(g, ggml_scale_inplace(g.ctx, number, 2.0f));
    graph_run(g);
    ggml_backend_tensor_get(number, &value, 0, sizeof(value));
    ggml_backend_buffer_free(buffer);
    ggml_free(ctx);
    if (value != 6) {
        fail_resource("DEVICE_FAILED", "the device " + d.name + " computes that 3 times 2 is " + std::to_string(value), "Update its driver, or choose another device.");
    }
}
