// A trainer at work, whose lines are read while it runs and which may be stopped or killed. Not on Windows: fork.
#pragma once

#include "protocol.h"

#include <cstdio>
#include <string>

struct child {
    int    pid = -1;
    int    to = -1;             // its stdin
    FILE * from = nullptr;      // its stdout
};

child child_start(const json & config);               // native-trainer train
bool  child_line(const child & c, std::string & line); // the next whole line; false at the end
int   child_wait(child & c);                          // its exit code, 128 + the signal when one ended it
