// stdout is the protocol: one JSON object a line, "event" first. stdin carries {"command":"stop"}. stderr is for people.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

using json = nlohmann::ordered_json;

extern const char * const TRAINER_VERSION;

// Exit codes of the program, DESIGN section 7.
enum exit_code {
    EXIT_DONE     = 0,
    EXIT_BUG      = 1,
    EXIT_INPUT    = 2, // bad config or data
    EXIT_RESOURCE = 3, // no device, no memory, device lost
    EXIT_STOPPED  = 4, // stopped with a checkpoint
};

// What the user can act on. Thrown by *_check helpers, turned into one `error` event by main.
struct failure {
    int         exit;
    std::string code;
    std::string message;
    std::string hint;
};

[[noreturn]] void fail_input   (const std::string & code, const std::string & message, const std::string & hint = "");
[[noreturn]] void fail_resource(const std::string & code, const std::string & message, const std::string & hint = "");

// Discarded when it is no JSON or nested deeper than any of the formats here: json copies and prints itself by recursion,
// which a file of brackets would drive beyond the end of the stack.
json json_parse(const std::string & text);

void emit(const json & event);
void emit_warning(const std::string & code, const std::string & message);
int  emit_error(const failure & f); // returns its exit code

// Sets the flag that the training loop looks at between steps when stdin says {"command":"stop"} or on SIGINT/SIGTERM.
void protocol_listen();
bool protocol_stop_requested();

// Turns ggml's aborts into an `error` event before the process ends.
void protocol_catch_aborts();
failure abort_failure(const std::string & message, const std::string & logged); // what it says, of ggml's last words and errors
