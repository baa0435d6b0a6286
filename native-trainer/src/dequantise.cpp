// dequantise: the same model with all its weights in F32. Quantised products round their other factor as well, each library in
// its own way; on F32 weights only adding up rounds, so that a check sees what an adapter does and nothing else.
#include "gguf-file.h"
#include "platform.h"
#include "run.h"

#include <algorithm>
#include <cstring>

static const size_t PIECE_BYTES = 4 << 20;

// Types without a dequantisation (integers) and F32 itself stay what they are.
static ggml_type written_type(const gguf_tensor_entry & t) {
    return ggml_get_type_traits(t.type)->to_float ? GGML_TYPE_F32 : t.type;
}

static void write_bytes(FILE * file, const void * data, size_t size, const std::string & path) {
    if (size > 0 && fwrite(data, 1, size, file) != size) {
        const bool full = platform_free_bytes(path) < (int64_t) size;
        fail_input(full ? "DISK_FULL" : "WRITE_FAILED", "cannot write to " + path, full ? "Free some space." : "Check the folder and its permissions.");
    }
}

// In pieces of whole rows. Returns the bytes written.
static size_t write_tensor(const gguf_file & g, const gguf_tensor_entry & t, FILE * file, const std::string & path) {
    const size_t row_bytes = ggml_row_size(t.type, t.ne[0]);
    const int64_t n_rows = t.ne[1]*t.ne[2]*t.ne[3];
    const int64_t piece_rows = std::max<int64_t>(1, (int64_t) (PIECE_BYTES/row_bytes));
    const bool converts = written_type(t) != t.type;
    std::vector<uint8_t> piece((size_t) std::min(piece_rows, n_rows)*row_bytes);
    std::vector<float> values;
    size_t written = 0;
    for (int64_t row = 0; row < n_rows; row += piece_rows) {
        const int64_t rows = std::min(piece_rows, n_rows - row);
        gguf_file_read(g, t, (uint64_t) row*row_bytes, piece.data(), (size_t) rows*row_bytes);
        const void * data = piece.data();
        size_t size = (size_t) rows*row_bytes;
        if (converts) {
            values.resize((size_t) (rows*t.ne[0]));
            ggml_get_type_traits(t.type)->to_float(piece.data(), values.data(), (int64_t) values.size());
            data = values.data();
            size = values.size()*sizeof(float);
        }
        write_bytes(file, data, size, path);
        written += size;
    }
    return written;
}

// False when it was asked to stop.
static bool write_model(const gguf_file & g, const gguf_context * meta, FILE * file, const std::string & path) {
    const size_t alignment = gguf_get_alignment(meta);
    const std::vector<uint8_t> zeros(alignment);
    std::vector<uint8_t> head(gguf_get_meta_size(meta));
    gguf_get_meta_data(meta, head.data());
    write_bytes(file, head.data(), head.size(), path);
    for (const gguf_tensor_entry & t : g.tensors) {
        if (protocol_stop_requested()) {
            return false;
        }
        const size_t written = write_tensor(g, t, file, path);
        write_bytes(file, zeros.data(), (alignment - written % alignment) % alignment, path);
    }
    return true;
}

struct dequantised {
    gguf_file      source;
    gguf_context * source_meta = nullptr;
    gguf_context * meta        = nullptr;
    ggml_context * ctx         = nullptr;
    FILE *         file        = nullptr;

    ~dequantised() {
        if (file) {
            fclose(file);
        }
        gguf_free(source_meta);
        gguf_free(meta);
        ggml_free(ctx);
        gguf_file_close(source);
    }
};

// All that stands before the weights.
static void make_meta(dequantised & d, const std::string & from) {
    d.source_meta = gguf_init_from_file(from.c_str(), {/*no_alloc =*/ true, /*ctx =*/ nullptr});
    if (!d.source_meta) {
        fail_input("GGUF_DAMAGED", from + " cannot be read by ggml", "Copy or download the file again.");
    }
    d.meta = gguf_init_empty();
    gguf_set_kv(d.meta, d.source_meta);
    gguf_remove_key(d.meta, "general.alignment"); // ggml writes with its own
    gguf_set_val_u32(d.meta, "general.file_type", 0); // llama.cpp's number of "all F32"
    d.ctx = ggml_init({ggml_tensor_overhead()*(d.source.tensors.size() + 1), nullptr, /*no_alloc =*/ true});
    for (const gguf_tensor_entry & t : d.source.tensors) {
        ggml_tensor * tensor = ggml_new_tensor(d.ctx, written_type(t), t.n_dims, t.ne);
        ggml_set_name(tensor, t.name.c_str());
        gguf_add_tensor(d.meta, tensor);
    }
}

int command_dequantise(const std::string & from, const std::string & to) {
    if (platform_same_file(from, to)) {
        fail_input("CONFIG", "the F32 model would overwrite " + from, "Choose another name.");
    }
    dequantised d;
    gguf_file_open(d.source, from, "model");
    make_meta(d, from);
    d.file = platform_is_dir(to) ? nullptr : platform_open_file(to, "wb");
    if (!d.file) {
        fail_input("WRITE_FAILED", "cannot write to " + to, "Check that the folder exists and can be written to.");
    }
    bool whole = false;
    try {
        whole = write_model(d.source, d.meta, d.file, to);
        if (fflush(d.file) != 0) {
            fail_input("WRITE_FAILED", "cannot write to " + to, "Check that the disk has room.");
        }
    } catch (...) {
        platform_remove(to);
        throw;
    }
    if (!whole) {
        platform_remove(to);
        return EXIT_STOPPED;
    }
    emit({{"event", "done"}, {"model", to}, {"size_bytes", platform_file_size(to)}});
    return EXIT_DONE;
}
