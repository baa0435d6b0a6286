// Run once by CMake: says which ggml the trainer is being built against.
#include "ggml.h"

#include <cstdio>

int main() {
    printf("%s;%s", ggml_version(), ggml_commit());
    return 0;
}
