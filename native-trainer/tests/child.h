// A trainer at work, whose lines are read while it runs and which may be stopped or killed.
#pragma once

#include "protocol.h"

#include <cstdio>
#include <string>
#include <vector>

const int CHILD_KILLED = 137;

struct child {
    void * process = nullptr;
    void * to      = nullptr;   // its stdin
    FILE * from    = nullptr;   // its stdout
};

child child_start(const json & config);                // native-trainer train
bool  child_line(const child & c, std::string & line); // the next whole line; false at the end

// child-posix.cpp, child-windows.cpp
bool  child_spawn(child & c, const std::string & program, const std::vector<std::string> & args);
void  child_write(child & c, const std::string & text); // one that is done has left its stdin, which is no failure
void  child_kill(child & c);                            // at any moment until child_wait
int   child_wait(child & c);                            // its exit code, CHILD_KILLED after a kill
