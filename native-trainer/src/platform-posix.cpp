#include "platform.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

namespace fs = std::filesystem;

std::string platform_env(const char * name) {
    const char * value = std::getenv(name);
    return value ? value : "";
}

void platform_env_default(const char * name, const char * value) {
    setenv(name, value, /*overwrite =*/ 0);
}

std::string platform_executable_dir() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec).parent_path().string();
}

std::vector<std::string> platform_arguments(int argc, char ** argv) {
    return std::vector<std::string>(argv, argv + argc);
}

FILE * platform_open_file(const std::string & path, const char * mode) {
    return fopen(path.c_str(), mode);
}

static bool sync_path(const std::string & path, int flags) {
    const int fd = open(path.c_str(), flags);
    if (fd < 0) {
        return false;
    }
    const bool synced = fsync(fd) == 0;
    return close(fd) == 0 && synced;
}

std::string platform_sync_and_rename(const std::string & from, const std::string & to) {
    if (!sync_path(from, O_RDONLY)) {
        return "cannot flush " + from + ": " + strerror(errno);
    }
    if (rename(from.c_str(), to.c_str()) != 0) {
        return "cannot rename to " + to + ": " + strerror(errno);
    }
    // the new name is durable only once its folder is; some file systems refuse this, which is no failure
    const std::string dir = fs::path(to).parent_path().string();
    sync_path(dir.empty() ? "." : dir, O_RDONLY);
    return "";
}

// The file may have been removed by its holder between open and lock: then the lock is on a file that nobody will find.
static bool is_file_of(int fd, const std::string & path) {
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

bool platform_lock(file_lock & lock, const std::string & path) {
    for (int tries = 0; tries < 100; tries++) {
        const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) {
            return true; // whether the folder can be written is asked elsewhere
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(fd);
            return false;
        }
        if (is_file_of(fd, path)) { // also on a file system without locks: then nothing is known
            lock.handle = fd;
            lock.path   = path;
            return true;
        }
        close(fd);
    }
    return false;
}

void platform_unlock(file_lock & lock) {
    if (lock.handle >= 0) {
        unlink(lock.path.c_str());
        close((int) lock.handle);
        lock.handle = -1;
    }
}

void * platform_library_open(const std::string & path, std::string & error) {
    void * library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        error = dlerror();
    }
    return library;
}

void * platform_library_symbol(void * library, const char * name) {
    return dlsym(library, name);
}

void platform_library_close(void * library) {
    dlclose(library);
}

bool platform_library_exists(const char * name) {
    return dlopen(name, RTLD_LAZY | RTLD_LOCAL) != nullptr; // stays open: some drivers do not survive being closed
}

void platform_binary_stdio() {
}

int platform_read_stdin(char * buffer, int size) {
    return (int) read(0, buffer, (size_t) size);
}

void platform_prefer_huge_pages(void * memory, size_t bytes) {
#if defined(MADV_HUGEPAGE)
    const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t) memory + page - 1)/page*page, end = ((uintptr_t) memory + bytes)/page*page;
    if (end > first) {
        madvise((void *) first, end - first, MADV_HUGEPAGE);
    }
#else
    (void) memory, (void) bytes;
#endif
}

double platform_memory_mb() {
    FILE * file = fopen("/proc/self/statm", "r");
    if (!file) {
        return 0;
    }
    long total = 0, resident = 0;
    const int n = fscanf(file, "%ld %ld", &total, &resident);
    fclose(file);
    return n == 2 ? resident * (double) sysconf(_SC_PAGESIZE) / 1048576.0 : 0;
}

double platform_available_memory_mb() {
    FILE * file = fopen("/proc/meminfo", "r");
    char line[256];
    long kb = 0;
    while (file && fgets(line, sizeof(line), file) && sscanf(line, "MemAvailable: %ld kB", &kb) != 1) {
    }
    if (file) {
        fclose(file);
    }
    return kb / 1024.0;
}

double platform_peak_memory_mb() {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024.0;
}

void platform_on_terminate(void (*handler)(int)) {
    std::signal(SIGINT,  handler);
    std::signal(SIGTERM, handler);
}

// Linux gives the tile registers only to processes that ask for them.
bool platform_permit_amx() {
#if defined(__linux__) && defined(__x86_64__)
    const long request_permission = 0x1023, tile_data = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}
