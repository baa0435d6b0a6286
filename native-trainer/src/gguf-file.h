// Reading GGUF without trust: every count, length, type, offset and size is compared with the file before it is used.
// ggml's own reader asserts (and so ends the process) on some damaged files, which must be an answer to the user here.
#pragma once

#include "ggml.h"
#include "gguf.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

struct gguf_value {
    gguf_type   type       = GGUF_TYPE_COUNT;
    gguf_type   array_type = GGUF_TYPE_COUNT;
    uint64_t    array_n    = 0;     // arrays are skipped, only their type and length are kept
    double      number     = 0;     // every scalar type
    std::string text;
};

struct gguf_tensor_entry {
    std::string name;
    ggml_type   type   = GGML_TYPE_COUNT;
    int         n_dims = 0;
    int64_t     ne[GGML_MAX_DIMS] = {1, 1, 1, 1};
    uint64_t    offset = 0;         // from the start of the file
    uint64_t    nbytes = 0;
};

struct gguf_file {
    std::string path;
    FILE *      file       = nullptr;
    uint64_t    size_bytes = 0;
    std::map<std::string, gguf_value> values;
    std::vector<gguf_tensor_entry>    tensors;
    std::map<std::string, size_t>     tensor_index;
};

void gguf_file_open(gguf_file & g, const std::string & path, const char * what); // what = "model", "adapter", ... for messages
void gguf_file_close(gguf_file & g);

const gguf_tensor_entry * gguf_file_find(const gguf_file & g, const std::string & name);
void gguf_file_read(const gguf_file & g, const gguf_tensor_entry & t, uint64_t offset, void * data, size_t size);

bool        gguf_file_has   (const gguf_file & g, const std::string & key);
std::string gguf_file_text  (const gguf_file & g, const std::string & key, const std::string & otherwise);
double      gguf_file_number(const gguf_file & g, const std::string & key, double otherwise);   // fails on a wrong type
int64_t     gguf_file_int   (const gguf_file & g, const std::string & key, int64_t low, int64_t high); // required

std::string gguf_shape(const gguf_tensor_entry & t); // "[576, 1536]"
