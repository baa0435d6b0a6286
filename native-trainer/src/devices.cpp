// devices: what this machine can compute on.
#include "run.h"

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
    });
    return EXIT_DONE;
}
