// The few things that differ between Linux (platform-posix.cpp) and Windows (platform-windows.cpp), and paths, which are UTF-8
// everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

std::string              platform_executable_dir();
std::string              platform_join(const std::string & dir, const std::string & name);
std::vector<std::string> platform_list_dir(const std::string & dir);       // file names, sorted; empty when unreadable
std::vector<std::string> platform_arguments(int argc, char ** argv);       // UTF-8
std::string              platform_env(const char * name);                  // empty when unset
void                     platform_env_default(const char * name, const char * value); // set, unless the user has

FILE *  platform_open_file(const std::string & path, const char * mode);
int64_t platform_file_size(const std::string & path);                      // -1 when it is not a readable regular file
bool    platform_is_dir(const std::string & path);
bool    platform_same_file(const std::string & a, const std::string & b);  // also by links; false when either is absent, unless the names are the same
bool    platform_remove(const std::string & path);
int64_t platform_free_bytes(const std::string & path);                     // of the disk that the file is or would be on

// Makes `from` durable and puts it in the place of `to` in one step. Returns an empty string, or what went wrong.
std::string platform_sync_and_rename(const std::string & from, const std::string & to);

// A file that one process at a time holds, until it releases it or ends in whatever way.
struct file_lock {
    intptr_t    handle = -1;                                               // -1: not held
    std::string path;
};
bool platform_lock(file_lock & lock, const std::string & path);            // false: another process holds it
void platform_unlock(file_lock & lock);                                    // removes the file

void * platform_library_open(const std::string & path, std::string & error);
void * platform_library_symbol(void * library, const char * name);
void   platform_library_close(void * library);
bool   platform_library_exists(const char * name);                         // where the system looks for libraries

void platform_binary_stdio();                                              // no newline translation on Windows
int  platform_read_stdin(char * buffer, int size);                         // bytes read, 0 at the end, -1 on error
void platform_on_terminate(void (*handler)(int));                          // SIGINT, SIGTERM; on Windows Ctrl-C, a closed console, shutdown

bool platform_permit_amx();                                                // asks the system for the tile registers

void platform_prefer_huge_pages(void * memory, size_t bytes);              // before it is first written to; a hint, nothing on Windows

double platform_memory_mb();                                               // resident now
double platform_peak_memory_mb();                                          // largest so far
double platform_available_memory_mb();                                     // of the machine, without swapping
