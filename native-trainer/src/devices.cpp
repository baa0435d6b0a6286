// devices: what this machine can compute on, and why not on more.
#include "platform.h"
#include "run.h"

// What a graphics card's driver brings: without it a backend's library cannot load, and nothing is wrong.
#if defined(_WIN32)
static const char * const CUDA_DRIVER = "nvcuda.dll", * const VULKAN_DRIVER = "vulkan-1.dll";
#else
static const char * const CUDA_DRIVER = "libcuda.so.1", * const VULKAN_DRIVER = "libvulkan.so.1";
#endif

int command_devices() {
    json devices = json::array();
    const ggml_libraries & libraries = ggml_libraries_load();
    for (ggml_backend_dev_t dev : libraries.devices) {
        devices.push_back(device_describe(dev));
    }
    emit({
        {"event", "devices"},
        {"version", TRAINER_VERSION},
        {"ggml", {{"version", ggml_version()}, {"commit", ggml_commit()}, {"dir", libraries.dir}}},
        {"devices", devices},
        {"backends", ggml_backends_describe(libraries)},
        {"drivers", {{"cuda", platform_library_exists(CUDA_DRIVER)}, {"vulkan", platform_library_exists(VULKAN_DRIVER)}}},
    });
    return EXIT_DONE;
}
