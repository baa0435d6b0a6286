#include "platform.h"

#include <filesystem>

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#include <shellapi.h>
#include <psapi.h>
#include <fcntl.h>
#include <io.h>

namespace fs = std::filesystem;

static std::wstring wide(const std::string & s) {
    return fs::u8path(s).wstring();
}

static std::string narrow(const wchar_t * s) {
    return fs::path(s).u8string();
}

static std::string system_error(DWORD code) {
    return "Windows error " + std::to_string(code);
}

// ---- the process

std::string platform_executable_dir() {
    std::wstring buffer(32768, L'\0');
    buffer.resize(GetModuleFileNameW(nullptr, &buffer[0], (DWORD) buffer.size()));
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

// getenv() answers in the ANSI code page
std::string platform_env(const char * name) {
    std::wstring value(32768, L'\0');
    value.resize(GetEnvironmentVariableW(wide(name).c_str(), &value[0], (DWORD) value.size()));
    return narrow(value.c_str());
}

// Libraries that are loaded later see it: a C runtime copies the environment when it starts.
void platform_env_default(const char * name, const char * value) {
    if (platform_env(name).empty()) {
        SetEnvironmentVariableW(wide(name).c_str(), wide(value).c_str());
    }
}

static void (*terminate_handler)(int) = nullptr;

// Windows runs this in a thread of its own. For Ctrl-C and Ctrl-Break the program goes on after it; for a closed console, the end of
// the session and shutdown it ends when this returns, or some seconds later: time to finish a step and write a checkpoint.
static BOOL WINAPI on_console_event(DWORD event) {
    terminate_handler((int) event);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
        Sleep(INFINITE);
    }
    return TRUE;
}

void platform_on_terminate(void (*handler)(int)) {
    terminate_handler = handler;
    SetConsoleCtrlHandler(on_console_event, TRUE);
}

// Windows 11 and Server 2022; before them AMX is not there.
bool platform_permit_amx() {
    typedef BOOL (WINAPI * enable_features)(DWORD64);
    const auto enable = (enable_features) (void *) GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "EnableProcessOptionalXStateFeatures");
    return enable && enable((DWORD64) 1 << 18); // XSTATE_MASK_AMX_TILE_DATA
}

// ---- files

// Nobody else may open the file, and Windows removes it when the handle is closed, by this program or by its end.
bool platform_lock(file_lock & lock, const std::string & path) {
    const HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, 0, nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        return GetLastError() != ERROR_SHARING_VIOLATION; // whether the folder can be written is asked elsewhere
    }
    lock.handle = (intptr_t) file;
    lock.path   = path;
    return true;
}

void platform_unlock(file_lock & lock) {
    if (lock.handle != -1) {
        CloseHandle((HANDLE) lock.handle);
        lock.handle = -1;
    }
}

FILE * platform_open_file(const std::string & path, const char * mode) {
    return _wfopen(wide(path).c_str(), wide(mode).c_str());
}

// A virus scanner or an indexer may hold a new file for a moment.
static bool rename_patiently(const std::wstring & from, const std::wstring & to) {
    for (int tries = 0; !MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH); tries++) {
        const DWORD code = GetLastError();
        if (tries == 20 || (code != ERROR_SHARING_VIOLATION && code != ERROR_ACCESS_DENIED)) {
            SetLastError(code);
            return false;
        }
        Sleep(100);
    }
    return true;
}

std::string platform_sync_and_rename(const std::string & from, const std::string & to) {
    const HANDLE file = CreateFileW(wide(from).c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    const bool synced = file != INVALID_HANDLE_VALUE && FlushFileBuffers(file);
    const DWORD code = GetLastError();
    if (file != INVALID_HANDLE_VALUE) {
        CloseHandle(file);
    }
    if (!synced) {
        return "cannot flush " + from + ": " + system_error(code);
    }
    return rename_patiently(wide(from), wide(to)) ? "" : "cannot rename to " + to + ": " + system_error(GetLastError());
}

// ---- libraries

// Windows says only that something is missing (error 126); the library's own table of imports says what.
static std::string missing_imports(const fs::path & path) {
    HMODULE library = LoadLibraryExW(path.c_str(), nullptr, DONT_RESOLVE_DLL_REFERENCES);
    if (!library) {
        return "";
    }
    const char * base = (const char *) library;
    const auto * dos = (const IMAGE_DOS_HEADER *) base;
    const auto * nt  = (const IMAGE_NT_HEADERS *) (base + dos->e_lfanew);
    const DWORD imports = nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
    std::string names;
    for (const auto * entry = (const IMAGE_IMPORT_DESCRIPTOR *) (base + imports); imports != 0 && entry->Name != 0; entry++) {
        const char * name = base + entry->Name;
        if (!platform_library_exists(name) && !LoadLibraryExW((path.parent_path()/name).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH)) {
            names += (names.empty() ? "" : ", ") + std::string(name);
        }
    }
    FreeLibrary(library);
    return names;
}

void * platform_library_open(const std::string & path, std::string & error) {
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX); // no dialog when a library needs another that is missing
    std::error_code ec;
    const fs::path full = fs::absolute(fs::u8path(path), ec).make_preferred(); // what this search order asks for
    HMODULE library = LoadLibraryExW(full.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (!library) {
        error = system_error(GetLastError());
        const std::string missing = missing_imports(full);
        error += missing.empty() ? "" : "; missing: " + missing;
    }
    return (void *) library;
}

void * platform_library_symbol(void * library, const char * name) {
    return (void *) GetProcAddress((HMODULE) library, name);
}

void platform_library_close(void * library) {
    FreeLibrary((HMODULE) library);
}

bool platform_library_exists(const char * name) {
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
    return LoadLibraryA(name) != nullptr;
}

// ---- standard streams

void platform_binary_stdio() {
    _setmode(_fileno(stdin),  _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
}

// While one thread waits in ReadFile on a pipe, any other that asks for the type of that handle waits, too, and C run-time libraries
// ask when they are loaded: loading a backend would hang. So a pipe is read only when there is something in it.
static void wait_for_input(HANDLE in) {
    DWORD ready = 0;
    // it fails when the other end is closed, as reading then does, and where it is not supported (a Unix pipe under wine)
    while (GetFileType(in) == FILE_TYPE_PIPE && PeekNamedPipe(in, nullptr, 0, nullptr, &ready, nullptr) && ready == 0) {
        Sleep(20);
    }
}

int platform_read_stdin(char * buffer, int size) {
    const HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    wait_for_input(in);
    DWORD n = 0;
    return ReadFile(in, buffer, (DWORD) size, &n, nullptr) ? (int) n : -1;
}

// ---- memory

static PROCESS_MEMORY_COUNTERS memory_counters() {
    PROCESS_MEMORY_COUNTERS counters = {};
    K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters));
    return counters;
}

void platform_prefer_huge_pages(void *, size_t) {} // would need a privilege that users do not have

double platform_memory_mb() {
    return (double) memory_counters().WorkingSetSize/1048576.0;
}

double platform_peak_memory_mb() {
    return (double) memory_counters().PeakWorkingSetSize/1048576.0;
}

double platform_available_memory_mb() {
    MEMORYSTATUSEX status = {};
    status.dwLength = sizeof(status);
    GlobalMemoryStatusEx(&status);
    return (double) status.ullAvailPhys/1048576.0;
}
