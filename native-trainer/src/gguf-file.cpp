#include "gguf-file.h"

#include "platform.h"
#include "protocol.h"

#include <cmath>
#include <cstring>

static const uint64_t MAX_NAME_BYTES  = 64;        // ggml's GGML_MAX_NAME
static const uint64_t MAX_KEY_BYTES   = 65535;     // GGUF's own limit
static const uint64_t MAX_TEXT_BYTES  = 1 << 16;   // kept of a text; longer ones are licences and templates, which nobody asks for here
static const uint64_t MAX_ENTRIES     = 1 << 16;   // of each kind: many times what any model has, and little memory

[[noreturn]] static void fail_damaged(const gguf_file & g, const std::string & why) {
    fail_input("GGUF_DAMAGED", g.path + " is not a complete GGUF file: " + why, "Copy or download the file again.");
}

// ---- a cursor that cannot leave the file

struct gguf_cursor {
    gguf_file & g;
    uint64_t    position = 0;

    uint64_t left() const {
        return g.size_bytes - position;
    }

    void bytes(void * data, uint64_t n, const char * what) {
        if (n > left() || fread(data, 1, n, g.file) != n) {
            fail_damaged(g, std::string("it ends within ") + what);
        }
        position += n;
    }

    void skip(uint64_t n, const char * what) {
        if (n > left()) {
            fail_damaged(g, std::string("it ends within ") + what);
        }
        char buffer[4096];
        while (n > 0) {
            const uint64_t part = n < sizeof(buffer) ? n : sizeof(buffer);
            bytes(buffer, part, what);
            n -= part;
        }
    }

    template <typename T>
    T scalar(const char * what) {
        T value;
        bytes(&value, sizeof(T), what);
        return value;
    }

    // What is longer than `keep` is cut.
    std::string text(uint64_t keep, const char * what) {
        const uint64_t n = scalar<uint64_t>(what);
        if (n > left()) {
            fail_damaged(g, std::string("a string in ") + what + " is longer than the file");
        }
        std::string s((size_t) (n < keep ? n : keep), '\0');
        bytes(&s[0], s.size(), what);
        skip(n - s.size(), what);
        return s;
    }
};

static size_t scalar_size(uint32_t type) {
    switch (type) {
        case GGUF_TYPE_UINT8: case GGUF_TYPE_INT8: case GGUF_TYPE_BOOL: return 1;
        case GGUF_TYPE_UINT16: case GGUF_TYPE_INT16: return 2;
        case GGUF_TYPE_UINT32: case GGUF_TYPE_INT32: case GGUF_TYPE_FLOAT32: return 4;
        case GGUF_TYPE_UINT64: case GGUF_TYPE_INT64: case GGUF_TYPE_FLOAT64: return 8;
        default: return 0;
    }
}

static double read_number(gguf_cursor & c, uint32_t type) {
    switch (type) {
        case GGUF_TYPE_UINT8:   return c.scalar<uint8_t>("a value");
        case GGUF_TYPE_INT8:    return c.scalar<int8_t>("a value");
        case GGUF_TYPE_BOOL:    return c.scalar<uint8_t>("a value") != 0;
        case GGUF_TYPE_UINT16:  return c.scalar<uint16_t>("a value");
        case GGUF_TYPE_INT16:   return c.scalar<int16_t>("a value");
        case GGUF_TYPE_UINT32:  return c.scalar<uint32_t>("a value");
        case GGUF_TYPE_INT32:   return c.scalar<int32_t>("a value");
        case GGUF_TYPE_FLOAT32: return c.scalar<float>("a value");
        case GGUF_TYPE_UINT64:  return (double) c.scalar<uint64_t>("a value");
        case GGUF_TYPE_INT64:   return (double) c.scalar<int64_t>("a value");
        default:                return c.scalar<double>("a value");
    }
}

static void skip_array(gguf_cursor & c, gguf_value & value) {
    const uint32_t type = c.scalar<uint32_t>("an array");
    const uint64_t n    = c.scalar<uint64_t>("an array");
    value.array_type = (gguf_type) type;
    value.array_n    = n;
    if (type == GGUF_TYPE_STRING) {
        for (uint64_t i = 0; i < n; i++) {
            c.skip(c.scalar<uint64_t>("an array"), "an array of strings");
        }
    } else if (scalar_size(type) > 0) {
        if (n > c.left() / scalar_size(type)) {
            fail_damaged(c.g, "an array is longer than the file");
        }
        c.skip(n * scalar_size(type), "an array");
    } else {
        fail_damaged(c.g, "an array has the unknown type " + std::to_string(type));
    }
}

static void read_value(gguf_cursor & c) {
    const std::string key = c.text(MAX_KEY_BYTES, "a key");
    gguf_value value;
    const uint32_t type = c.scalar<uint32_t>("a value");
    value.type = (gguf_type) type;
    if (type == GGUF_TYPE_STRING) {
        value.text = c.text(MAX_TEXT_BYTES, "a value");
    } else if (type == GGUF_TYPE_ARRAY) {
        skip_array(c, value);
    } else if (scalar_size(type) > 0) {
        value.number = read_number(c, type);
    } else {
        fail_damaged(c.g, "the value of " + key.substr(0, 80) + " has the unknown type " + std::to_string(type));
    }
    if (!c.g.values.emplace(key, value).second) {
        fail_damaged(c.g, "the key " + key.substr(0, 80) + " occurs twice");
    }
}

static void read_tensor_entry(gguf_cursor & c) {
    gguf_tensor_entry t;
    t.name = c.text(MAX_NAME_BYTES, "a tensor name");
    if (t.name.empty() || t.name.size() >= MAX_NAME_BYTES) {
        fail_damaged(c.g, "a tensor name is empty or too long");
    }
    const uint32_t n_dims = c.scalar<uint32_t>("the tensor list");
    if (n_dims < 1 || n_dims > GGML_MAX_DIMS) {
        fail_damaged(c.g, "tensor " + t.name + " has " + std::to_string(n_dims) + " dimensions");
    }
    t.n_dims = (int) n_dims;
    uint64_t n_elements = 1;
    for (int d = 0; d < t.n_dims; d++) {
        const uint64_t ne = c.scalar<uint64_t>("the tensor list");
        // the count stays below 2^40, so that no later product overflows
        if (ne < 1 || ne > (UINT64_C(1) << 40) / n_elements) {
            fail_damaged(c.g, "tensor " + t.name + " has an impossible shape");
        }
        n_elements *= ne;
        t.ne[d] = (int64_t) ne;
    }
    const uint32_t type = c.scalar<uint32_t>("the tensor list");
    if (type >= GGML_TYPE_COUNT || ggml_blck_size((ggml_type) type) <= 0 || ggml_type_size((ggml_type) type) == 0) {
        fail_damaged(c.g, "tensor " + t.name + " has the unknown type " + std::to_string(type));
    }
    t.type = (ggml_type) type;
    if (t.ne[0] % ggml_blck_size(t.type) != 0) {
        fail_damaged(c.g, "tensor " + t.name + " has rows that are no multiple of its block size");
    }
    t.nbytes = n_elements / (uint64_t) ggml_blck_size(t.type) * ggml_type_size(t.type);
    t.offset = c.scalar<uint64_t>("the tensor list");
    if (!c.g.tensor_index.emplace(t.name, c.g.tensors.size()).second) {
        fail_damaged(c.g, "the tensor " + t.name + " occurs twice");
    }
    c.g.tensors.push_back(t);
}

// Offsets in the file are relative to the data section; they become absolute here.
static void place_tensors(gguf_cursor & c) {
    gguf_file & g = c.g;
    const double alignment_value = gguf_file_number(g, "general.alignment", 32);
    const uint64_t alignment = alignment_value >= 1 && alignment_value <= (1 << 20) ? (uint64_t) alignment_value : 0;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        fail_damaged(g, "general.alignment is no power of two");
    }
    const uint64_t data_start = (c.position + alignment - 1) / alignment * alignment;
    uint64_t end = 0; // of the tensors so far
    for (gguf_tensor_entry & t : g.tensors) {
        const uint64_t data_bytes = data_start < g.size_bytes ? g.size_bytes - data_start : 0;
        // ggml asks for the same. Tensors that share bytes could add up to many times the file.
        if (t.offset != end) {
            fail_damaged(g, "tensor " + t.name + " does not begin where the one before it ends");
        }
        if (t.offset > data_bytes || t.nbytes > data_bytes - t.offset) {
            fail_damaged(g, "tensor " + t.name + " lies beyond the end of the file");
        }
        end = (t.offset + t.nbytes + alignment - 1) / alignment * alignment;
        t.offset += data_start;
    }
}

static void read_header(gguf_file & g) {
    gguf_cursor c{g};
    char magic[4];
    c.bytes(magic, 4, "the header");
    if (memcmp(magic, GGUF_MAGIC, 4) != 0) {
        fail_input("NOT_GGUF", g.path + " is not a GGUF file", "Choose a model in GGUF format.");
    }
    const uint32_t version = c.scalar<uint32_t>("the header");
    if (version == 0x02000000 || version == 0x03000000) {
        fail_input("UNSUPPORTED_BYTE_ORDER", g.path + " is a big-endian file: its numbers are stored in the byte order of another kind of processor", "Choose the little-endian file of this model, which most are.");
    }
    if (version != 2 && version != 3) {
        fail_input("GGUF_VERSION", g.path + " has GGUF version " + std::to_string(version) + ", known are 2 and 3", "Convert the file again with a current llama.cpp.");
    }
    const uint64_t n_tensors = c.scalar<uint64_t>("the header");
    const uint64_t n_values  = c.scalar<uint64_t>("the header");
    // the smallest entries are 8+1+4+8+4+8 and 8+4+1 bytes: larger counts cannot be true
    if (n_tensors > g.size_bytes / 33 || n_values > g.size_bytes / 13 || n_tensors > MAX_ENTRIES || n_values > MAX_ENTRIES) {
        fail_damaged(g, "its header counts more entries than the file can hold");
    }
    for (uint64_t i = 0; i < n_values; i++) {
        read_value(c);
    }
    for (uint64_t i = 0; i < n_tensors; i++) {
        read_tensor_entry(c);
    }
    place_tensors(c);
}

void gguf_file_open(gguf_file & g, const std::string & path, const char * what) {
    g.path = path;
    const int64_t size = platform_file_size(path);
    if (size < 0) {
        fail_input("FILE_NOT_FOUND", std::string(what) + " file not found: " + path, "Check the path in the config.");
    }
    g.size_bytes = (uint64_t) size;
    g.file = platform_open_file(path, "rb");
    if (!g.file) {
        fail_input("FILE_UNREADABLE", std::string(what) + " file cannot be opened: " + path, "Check the permissions of the file.");
    }
    read_header(g);
}

void gguf_file_close(gguf_file & g) {
    if (g.file) {
        fclose(g.file);
        g.file = nullptr;
    }
}

const gguf_tensor_entry * gguf_file_find(const gguf_file & g, const std::string & name) {
    const auto it = g.tensor_index.find(name);
    return it == g.tensor_index.end() ? nullptr : &g.tensors[it->second];
}

void gguf_file_read(const gguf_file & g, const gguf_tensor_entry & t, uint64_t offset, void * data, size_t size) {
#ifdef _WIN32
    const int seek = _fseeki64(g.file, (int64_t) (t.offset + offset), SEEK_SET);
#else
    const int seek = fseeko(g.file, (off_t) (t.offset + offset), SEEK_SET);
#endif
    if (seek != 0 || fread(data, 1, size, g.file) != size) {
        fail_damaged(g, "tensor " + t.name + " cannot be read");
    }
}

bool gguf_file_has(const gguf_file & g, const std::string & key) {
    return g.values.count(key) > 0;
}

std::string gguf_file_text(const gguf_file & g, const std::string & key, const std::string & otherwise) {
    const auto it = g.values.find(key);
    if (it == g.values.end()) {
        return otherwise;
    }
    if (it->second.type != GGUF_TYPE_STRING) {
        fail_input("GGUF_DAMAGED", g.path + ": " + key + " is not a text", "Copy or download the file again.");
    }
    return it->second.text;
}

double gguf_file_number(const gguf_file & g, const std::string & key, double otherwise) {
    const auto it = g.values.find(key);
    if (it == g.values.end()) {
        return otherwise;
    }
    if (scalar_size(it->second.type) == 0 || !std::isfinite(it->second.number)) {
        fail_input("GGUF_DAMAGED", g.path + ": " + key + " is not one finite number", "Copy or download the file again.");
    }
    return it->second.number;
}

int64_t gguf_file_int(const gguf_file & g, const std::string & key, int64_t low, int64_t high) {
    if (!gguf_file_has(g, key)) {
        fail_input("GGUF_INCOMPLETE", g.path + " does not say " + key, "The file is not a complete model.");
    }
    const double value = gguf_file_number(g, key, 0);
    if (!(value >= (double) low && value <= (double) high) || value != std::floor(value)) {
        fail_input("GGUF_DAMAGED", g.path + ": " + key + " is out of range", "Copy or download the file again.");
    }
    return (int64_t) value;
}

std::string gguf_shape(const gguf_tensor_entry & t) {
    std::string s = "[";
    for (int d = 0; d < t.n_dims; d++) {
        s += (d ? ", " : "") + std::to_string(t.ne[d]);
    }
    return s + "]";
}
