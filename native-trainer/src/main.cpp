// native-trainer: preference training of LoRA adapters on GGUF models. README.md describes the protocol.
#include "ggml.h"
#include "platform.h"
#include "protocol.h"
#include "run.h"

#include <cstdlib>
#include <new>

static const char * const USAGE =
    "usage: native-trainer train CONFIG.json    train an adapter\n"
    "       native-trainer score CONFIG.json    log-probabilities and losses, no update\n"
    "       native-trainer selftest [--device NAME] [DIR]    golden losses and gradients of a tiny model\n"
    "       native-trainer devices              what this machine can compute on\n"
    "       native-trainer inspect [--device NAME] MODEL.gguf   facts of a model or adapter; the memory that training takes\n"
    "       native-trainer dequantise MODEL.gguf OUT.gguf  the same model with its weights in F32\n"
    "       native-trainer --version\n";

static int run_command(const std::vector<std::string> & args) {
    const std::string command  = args.size() > 1 ? args[1] : "";
    const std::string argument = args.size() > 2 ? args[2] : "";
    const bool one = args.size() == 3, none = args.size() == 2;
    if (command == "train"    && one)           { protocol_listen(); return command_train(argument); }
    if (command == "score"    && one)           { protocol_listen(); return command_score(argument); }
    const bool on_device = command == "selftest" && args.size() >= 4 && argument == "--device";
    if (on_device && args.size() <= 5) { return command_selftest(args.size() == 5 ? args[4] : "", args[3]); }
    if (command == "selftest" && (one || none)) { return command_selftest(argument, "cpu"); }
    if (command == "devices"  && none)          { return command_devices(); }
    if (command == "inspect"  && one)           { return command_inspect(argument, ""); }
    if (command == "inspect"  && args.size() == 5 && argument == "--device") { return command_inspect(args[4], args[3]); }
    if (command == "dequantise" && args.size() == 4) { protocol_listen(); return command_dequantise(argument, args[3]); }
    if (command == "--version" && none)         { printf("%s\n", TRAINER_VERSION); return EXIT_DONE; }
    if (command == "--help"   && none)          { fputs(USAGE, stdout); return EXIT_DONE; }
    fputs(USAGE, stderr);
    fail_input("USAGE", "unknown command line", "Run native-trainer --help.");
}

static int run_guarded(const std::vector<std::string> & args) {
    try {
        return run_command(args);
    } catch (const failure & f) {
        return emit_error(f);
    } catch (const std::bad_alloc &) {
        return emit_error({EXIT_RESOURCE, "OUT_OF_MEMORY", "no memory left", "Close other programs, or use a smaller max_length or model."});
    } catch (const std::exception & e) {
        return emit_error({EXIT_BUG, "INTERNAL", e.what(), "This is a fault of the program; please report it."});
    }
}

int main(int argc, char ** argv) {
    ggml_time_init(); // without it ggml's clock divides by zero on Windows
    platform_binary_stdio();
    protocol_catch_aborts();
    const int rc = run_guarded(platform_arguments(argc, argv));
    fflush(stdout);
    std::_Exit(rc); // the thread that reads stdin may still wait there
}
