#include "platform.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#include <shellapi.h>
#include <psapi.h>
#include <fcntl.h>
#include <io.h>
#else
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace fs = std::filesystem;

static fs::path path_from_utf8(const std::string & path) {
    return fs::u8path(path);
}

std::string platform_join(const std::string & dir, const std::string & name) {
    return (path_from_utf8(dir) / path_from_utf8(name)).u8string();
}

std::vector<std::string> platform_list_dir(const std::string & dir) {
    std::vector<std::string> names;
    std::error_code ec;
    for (fs::directory_iterator it(path_from_utf8(dir), ec), end; !ec && it != end; it.increment(ec)) {
        names.push_back(it->path().filename().u8string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string platform_env(const char * name) {
    const char * value = std::getenv(name);
    return value ? value : "";
}

int64_t platform_file_size(const std::string & path) {
    std::error_code ec;
    const fs::path p = path_from_utf8(path);
    if (!fs::is_regular_file(p, ec) || ec) {
        return -1;
    }
    const auto size = fs::file_size(p, ec);
    return ec ? -1 : (int64_t) size;
}

bool platform_is_dir(const std::string & path) {
    std::error_code ec;
    return fs::is_directory(path_from_utf8(path), ec);
}

bool platform_same_file(const std::string & a, const std::string & b) {
    std::error_code ec;
    return a == b || fs::equivalent(path_from_utf8(a), path_from_utf8(b), ec);
}

bool platform_remove(const std::string & path) {
    std::error_code ec;
    return fs::remove(path_from_utf8(path), ec) && !ec;
}

int64_t platform_free_bytes(const std::string & path) {
    std::error_code ec;
    fs::path dir = path_from_utf8(path).parent_path();
    const fs::space_info space = fs::space(dir.empty() ? fs::path(".") : dir, ec);
    return ec ? INT64_MAX : (int64_t) space.available;
}

#ifdef _WIN32

static std::wstring wide(const std::string & s) {
    return path_from_utf8(s).wstring();
}

static std::string narrow(const wchar_t * s) {
    return fs::path(s).u8string();
}

std::string platform_executable_dir() {
    wchar_t buffer[32768];
    GetModuleFileNameW(nullptr, buffer, 32768);
    return fs::path(buffer).parent_path().u8string();
}

std::vector<std::string> platform_arguments(int, char **) {
    int n = 0;
    wchar_t ** wide_args = CommandLineToArgvW(GetCommandLineW(), &n);
    std::vector<std::string> args;
    for (int i = 0; i < n; i++) {
        args.push_back(narrow(wide_args[i]));
    }
    LocalFree(wide_args);
    return args;
}

FILE * platform_open_file(const std::string & path, const char * mode) {
    return _wfopen(wide(path).c_str(), wide(mode).c_str());
}

std::string platform_sync_and_rename(const std::string & from, const std::string & to) {
    FILE * file = platform_open_file(from, "rb+");
    const bool synced = file && _commit(_fileno(file)) == 0;
    if (file) {
        fclose(file);
    }
    if (!synced) {
        return "cannot flush " + from;
    }
    if (!MoveFileExW(wide(from).c_str(), wide(to).c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        return "cannot rename to " + to + " (error " + std::to_string(GetLastError()) + ")";
    }
    return "";
}

void * platform_library_open(const std::string & path, std::string & error) {
    HMODULE library = LoadLibraryExW(wide(path).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (!library) {
        error = "error " + std::to_string(GetLastError());
    }
    return (void *) library;
}

void * platform_library_symbol(void * library, const char * name) {
    return (void *) GetProcAddress((HMODULE) library, name);
}

void platform_binary_stdio() {
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
}

int platform_read_stdin(char * buffer, int size) {
    return _read(0, buffer, (unsigned) size);
}

double platform_memory_mb() {
    PROCESS_MEMORY_COUNTERS counters = {};
    K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters));
    return counters.WorkingSetSize / 1048576.0;
}

double platform_peak_memory_mb() {
    PROCESS_MEMORY_COUNTERS counters = {};
    K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters));
    return counters.PeakWorkingSetSize / 1048576.0;
}

double platform_available_memory_mb() {
    MEMORYSTATUSEX status = {};
    status.dwLength = sizeof(status);
    GlobalMemoryStatusEx(&status);
    return status.ullAvailPhys / 1048576.0;
}

#else

std::string platform_executable_dir() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec).parent_path().u8string();
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
    const std::string dir = path_from_utf8(to).parent_path().u8string();
    sync_path(dir.empty() ? "." : dir, O_RDONLY);
    return "";
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

void platform_binary_stdio() {
}

int platform_read_stdin(char * buffer, int size) {
    return (int) read(0, buffer, (size_t) size);
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

#endif

void platform_on_terminate(void (*handler)(int)) {
    std::signal(SIGINT,  handler);
    std::signal(SIGTERM, handler);
}
