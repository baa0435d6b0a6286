// run-measured SECONDS PROGRAM [ARGUMENT...]: runs a program and writes to descriptor 3 how it ended, one JSON object:
// exit code or signal, seconds, largest resident memory. Only the parent of a process can ask for the memory of one that is
// gone, and Node does not. A program that takes longer is killed (signal 9).
#ifdef _WIN32
#error needs fork and wait4
#endif
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child = -1;

static double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec/1e9;
}

int main(int argc, char ** argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: run-measured SECONDS PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    const double start = now();
    child = fork();
    if (child == 0) {
        close(3);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    signal(SIGALRM, [](int) { kill(child, SIGKILL); });
    alarm((unsigned) atoi(argv[1]));
    int status = 0;
    rusage usage = {};
    if (wait4(child, &status, 0, &usage) != child) {
        return 1;
    }
    dprintf(3, "{\"exit\":%d,\"signal\":%d,\"seconds\":%.3f,\"memoryMb\":%.1f}\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        WIFSIGNALED(status) ? WTERMSIG(status) : 0, now() - start, (double) usage.ru_maxrss/1024);
    return 0;
}
