#ifndef _WIN32
#include "child.h"

#include "common.h"

#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

child child_start(const json & config) {
    const std::string path = tmp_file("child.json");
    write_text(path, config.dump());
    child c;
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) {
        return c;
    }
    fflush(stdout); // else the child prints it again
    c.pid = fork();
    if (c.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        if (!freopen("/dev/null", "w", stderr)) {
            _exit(1);
        }
        execl(TEST_TRAINER, "native-trainer", "train", path.c_str(), (char *) nullptr);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    c.to   = in[1];
    c.from = fdopen(out[0], "r");
    return c;
}

bool child_line(const child & c, std::string & line) {
    line.clear();
    for (int byte; (byte = getc(c.from)) != EOF;) {
        if (byte == '\n') {
            return true;
        }
        line += (char) byte;
    }
    return false;
}

int child_wait(child & c) {
    int status = 0;
    waitpid(c.pid, &status, 0);
    close(c.to);
    fclose(c.from);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
#endif
