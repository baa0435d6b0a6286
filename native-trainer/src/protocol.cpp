#include "protocol.h"

#include "ggml.h"
#include "platform.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

const char * const TRAINER_VERSION = "0.1.0";

static std::atomic<bool> stop_requested{false};
static std::mutex        stdout_mutex;

void fail_input(const std::string & code, const std::string & message, const std::string & hint) {
    throw failure{EXIT_INPUT, code, message, hint};
}

void fail_resource(const std::string & code, const std::string & message, const std::string & hint) {
    throw failure{EXIT_RESOURCE, code, message, hint};
}

static bool is_deep(const std::string & text) {
    const int max_depth = 64;
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < text.size(); i++) {
        const char c = text[i];
        if (in_text) {
            i += c == '\\'; // the next character is no end of the text
            in_text = c != '"';
        } else {
            in_text = c == '"';
            depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        }
        if (depth > max_depth) {
            return true;
        }
    }
    return false;
}

json json_parse(const std::string & text) {
    return is_deep(text) ? json(json::value_t::discarded) : json::parse(text, nullptr, /*allow_exceptions =*/ false);
}

void emit(const json & event) {
    // names in a damaged file may be no UTF-8: they are shown with replacement characters
    const std::string line = event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    std::lock_guard<std::mutex> lock(stdout_mutex);
    fwrite(line.data(), 1, line.size(), stdout);
    fflush(stdout);
}

void emit_warning(const std::string & code, const std::string & message) {
    emit({{"event", "warning"}, {"code", code}, {"message", message}});
}

int emit_error(const failure & f) {
    emit({{"event", "error"}, {"code", f.code}, {"message", f.message}, {"hint", f.hint}});
    return f.exit;
}

static void handle_line(const std::string & line) {
    const json command = json_parse(line);
    if (command.is_object() && command.value("command", json()) == "stop") {
        stop_requested = true;
    } else if (line.find_first_not_of(" \t\r") != std::string::npos) {
        emit_warning("UNKNOWN_COMMAND", "stdin: expected {\"command\":\"stop\"}");
    }
}

static void listen_to_stdin() {
    const size_t max_line_bytes = 65536;
    std::string line;
    char buffer[256];
    for (int n; (n = platform_read_stdin(buffer, sizeof(buffer))) > 0;) {
        for (int i = 0; i < n; i++) {
            if (buffer[i] == '\n') {
                handle_line(line);
                line.clear();
            } else if (line.size() < max_line_bytes) {
                line += buffer[i];
            }
        }
    }
}

void protocol_listen() {
    platform_on_terminate([](int) { stop_requested = true; });
    std::thread(listen_to_stdin).detach();
}

bool protocol_stop_requested() {
    return stop_requested;
}

failure abort_failure(const std::string & message, const std::string & logged) {
    const std::string text = logged.empty() ? message : message + ": " + logged;
    const auto says = [&](const char * words) { return text.find(words) != std::string::npos; };
    if (says("out of memory") || message.find("alloc") != std::string::npos) {
        return {EXIT_RESOURCE, "OUT_OF_MEMORY", "ggml gave up: " + text, "Use a smaller max_length, a smaller model or another device."};
    }
    // CUDA's words when the library holds no code for the card that this driver can use
    if (says("PTX") || says("no kernel image") || says("driver version is insufficient")) {
        return {EXIT_RESOURCE, "DRIVER_TOO_OLD", "the graphics driver cannot run ggml's code for this card: " + text,
            "Update the graphics driver, or choose another device: \"cpu\", or Vulkan's with its libraries."};
    }
    return {EXIT_RESOURCE, "GGML_ABORT", "ggml gave up: " + text, "The run goes on from its last checkpoint with resume:true."};
}

static std::string last_error; // what ggml logged before it gave up says more than its last words, "CUDA error"
static std::mutex  last_error_mutex;

static void on_abort(const char * message) {
    std::unique_lock<std::mutex> lock(last_error_mutex, std::try_to_lock);
    std::_Exit(emit_error(abort_failure(message, lock ? last_error : "")));
}

static void keep_error(std::string text) {
    text.erase(text.find_last_not_of(" \n") + 1);
    std::lock_guard<std::mutex> lock(last_error_mutex);
    const size_t max_bytes = 400;
    last_error = last_error.empty() || last_error.size() > max_bytes ? text : last_error + ";" + text;
}

static void on_log(enum ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
    if (level == GGML_LOG_LEVEL_ERROR) {
        keep_error(text);
    }
}

void protocol_catch_aborts() {
    ggml_set_abort_callback(on_abort);
    ggml_log_set(on_log, nullptr);
}
