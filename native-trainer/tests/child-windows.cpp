#include "child.h"

#include <filesystem>

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#include <fcntl.h>
#include <io.h>

static std::wstring wide(const std::string & s) {
    return std::filesystem::u8path(s).wstring();
}

// Both ends of a pipe; only the child's is inherited.
static bool make_pipe(HANDLE & read, HANDLE & write, HANDLE & ours) {
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), nullptr, TRUE};
    return CreatePipe(&read, &write, &inherited, 0) && SetHandleInformation(ours, HANDLE_FLAG_INHERIT, 0);
}

bool child_spawn(child & c, const std::string & program, const std::vector<std::string> & args) {
    HANDLE in_read, in_write, out_read, out_write;
    if (!make_pipe(in_read, in_write, in_write) || !make_pipe(out_read, out_write, out_read)) {
        return false;
    }
    std::wstring line = L"\"" + wide(program) + L"\"";
    for (const std::string & arg : args) {
        line += L" \"" + wide(arg) + L"\"";
    }
    STARTUPINFOW startup = {};
    startup.cb         = sizeof(startup);
    startup.dwFlags    = STARTF_USESTDHANDLES;
    startup.hStdInput  = in_read;
    startup.hStdOutput = out_write;
    PROCESS_INFORMATION process = {};
    const bool started = CreateProcessW(nullptr, &line[0], nullptr, nullptr, TRUE, 0, nullptr, nullptr, &startup, &process);
    CloseHandle(in_read);
    CloseHandle(out_write);
    CloseHandle(process.hThread);
    c.process = process.hProcess;
    c.to      = in_write;
    c.from    = _fdopen(_open_osfhandle((intptr_t) out_read, _O_RDONLY | _O_BINARY), "rb");
    return started;
}

void child_write(child & c, const std::string & text) {
    DWORD n = 0;
    WriteFile(c.to, text.data(), (DWORD) text.size(), &n, nullptr);
}

void child_kill(child & c) {
    TerminateProcess(c.process, CHILD_KILLED);
}

int child_wait(child & c) {
    DWORD code = 0;
    WaitForSingleObject(c.process, INFINITE);
    GetExitCodeProcess(c.process, &code);
    CloseHandle(c.process);
    CloseHandle(c.to);
    fclose(c.from);
    return (int) code;
}
