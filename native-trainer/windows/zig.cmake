# zig's clang, libc++ and Windows headers as CMake's compiler for 64-bit Windows. ZIG is the path of its executable.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG)

set(CMAKE_C_COMPILER "${ZIG}" cc)
set(CMAKE_CXX_COMPILER "${ZIG}" c++)
set(CMAKE_C_COMPILER_TARGET x86_64-windows-gnu)
set(CMAKE_CXX_COMPILER_TARGET x86_64-windows-gnu)
set(CMAKE_RC_COMPILER "${ZIG}") # must be one word; nothing here has resources

# stripped, all of them: zig compiles its C and C++ libraries anew for what is not
foreach (kind EXE MODULE SHARED)
    set(CMAKE_${kind}_LINKER_FLAGS_INIT -s)
endforeach()

# CMAKE_AR must be one word, too
foreach (language C CXX)
    set(CMAKE_${language}_ARCHIVE_CREATE "\"${ZIG}\" ar qc <TARGET> <OBJECTS>")
    set(CMAKE_${language}_ARCHIVE_APPEND "\"${ZIG}\" ar q <TARGET> <OBJECTS>")
    set(CMAKE_${language}_ARCHIVE_FINISH "\"${ZIG}\" ranlib <TARGET>")
endforeach()
