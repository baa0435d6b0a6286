#include "child.h"

#include <csignal>
#include <cstdint>
#include <sys/wait.h>
#include <unistd.h>

static int number(void * handle) {
    return (int) (intptr_t) handle;
}

static void * handle(int number) {
    return (void *) (intptr_t) number;
}

[[noreturn]] static void become(const std::string & program, const std::vector<std::string> & args, const int * in, const int * out) {
    std::vector<char *> argv{const_cast<char *>(program.c_str())};
    for (const std::string & arg : args) {
        argv.push_back(const_cast<char *>(arg.c_str()));
    }
    argv.push_back(nullptr);
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[1]);
    close(out[0]);
    if (freopen("/dev/null", "w", stderr)) {
        execv(program.c_str(), argv.data());
    }
    _exit(127);
}

bool child_spawn(child & c, const std::string & program, const std::vector<std::string> & args) {
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) {
        return false;
    }
    fflush(stdout); // else the child prints it again
    const pid_t pid = fork();
    if (pid == 0) {
        become(program, args, in, out);
    }
    close(in[0]);
    close(out[1]);
    c.process = handle(pid);
    c.to      = handle(in[1]);
    c.from    = fdopen(out[0], "r");
    return pid > 0;
}

void child_write(child & c, const std::string & text) {
    signal(SIGPIPE, SIG_IGN);
    if (write(number(c.to), text.data(), text.size()) < 0) {
        return; // the child is gone
    }
}

void child_kill(child & c) {
    kill(number(c.process), SIGKILL);
}

int child_wait(child & c) {
    int status = 0;
    waitpid(number(c.process), &status, 0);
    close(number(c.to));
    fclose(c.from);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
