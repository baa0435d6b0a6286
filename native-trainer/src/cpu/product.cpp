#include "product.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

// ---- scratch

struct scratch_block {
    char *  memory = nullptr;
    int64_t bytes  = 0;
    ~scratch_block() { ::operator delete[](memory, std::align_val_t(CACHE_LINE)); }
};

void * workspace(int ith, workspace_slot slot, int64_t bytes) {
    static scratch_block blocks[GGML_MAX_N_THREADS][SLOT_COUNT]; // a thread touches its own row only
    scratch_block & b = blocks[ith][slot];
    if (b.bytes < bytes) {
        ::operator delete[](b.memory, std::align_val_t(CACHE_LINE));
        b.memory = static_cast<char *>(::operator new[]((size_t) round_up(bytes, 4096), std::align_val_t(CACHE_LINE)));
        b.bytes  = round_up(bytes, 4096);
    }
    return b.memory;
}

// ---- weights

static const char * weight_at(const ggml_tensor * w, int64_t row, int64_t column) {
    return (const char *) w->data + (size_t) row*w->nb[1] + (size_t) (column/ggml_blck_size(w->type))*ggml_type_size(w->type);
}

static void dequantize_row(const cpu_kernels & k, ggml_type type, const void * from, int64_t n, void * to) {
    if (k.dequantize(type, from, n, to)) {
        return;
    }
    const int64_t piece = 256; // a multiple of every block size
    float values[piece];
    for (int64_t i = 0; i < n; i += piece) {
        const int64_t count = std::min(piece, n - i);
        ggml_get_type_traits(type)->to_float((const char *) from + (size_t) (i/ggml_blck_size(type))*ggml_type_size(type), values, count);
        k.to_product(values, 1.0f, count, elements(k, to, i));
    }
}

const void * weight_rows(const cpu_kernels & k, const ggml_tensor * w, int64_t row, int64_t n, int64_t column, int64_t count, void * scratch, int64_t & ld) {
    if (w->type == k.product) {
        ld = (int64_t) w->nb[1]/product_size(k);
        return weight_at(w, row, column);
    }
    ld = count;
    for (int64_t i = 0; i < n; i++) {
        dequantize_row(k, w->type, weight_at(w, row + i, column), count, elements(k, scratch, i*count));
    }
    return scratch;
}

static int64_t summed_length(const weight_matrix & w) {
    return w.rows_are_columns ? w.tensor->ne[0] : w.tensor->ne[1];
}

// Packs W for columns [column, column + n) and the stretch [k0, k0 + k) of the summed dimension; panels k_padded*panel apart.
static void pack(const cpu_kernels & kernels, const weight_matrix & w, int64_t column, int64_t n, int64_t k0, int64_t k, int64_t k_padded, void * panels, int ith) {
    const int64_t panel_size = k_padded*kernels.panel;
    int64_t ld;
    if (w.rows_are_columns) {
        void * scratch = workspace(ith, SLOT_ROWS, kernels.panel*k*product_size(kernels));
        for (int64_t j = 0; j < n; j += kernels.panel) {
            const int64_t count = std::min(kernels.panel, n - j);
            const void * rows = weight_rows(kernels, w.tensor, column + j, count, k0, k, scratch, ld);
            kernels.pack_columns(rows, ld, count, k, k_padded, elements(kernels, panels, j/kernels.panel*panel_size));
        }
        return;
    }
    const int64_t piece = 64; // rows dequantised at a time; a multiple of k_align
    void * scratch = workspace(ith, SLOT_ROWS, piece*n*product_size(kernels));
    for (int64_t i = 0; i < k; i += piece) {
        const int64_t count = std::min(piece, k - i);
        const int64_t padded = i + piece >= k ? k_padded - i : piece;
        const void * rows = weight_rows(kernels, w.tensor, k0 + i, count, column, n, scratch, ld);
        for (int64_t j = 0; j < n; j += kernels.panel) {
            void * panel = elements(kernels, panels, j/kernels.panel*panel_size + i*kernels.panel);
            kernels.pack_rows(elements(kernels, rows, j), ld, count, std::min(kernels.panel, n - j), padded, panel);
        }
    }
}

// ---- products

static const int64_t MAX_STRETCH = 1536;     // of the summed dimension in one pass: a panel of it stays in the L2 cache
static const int64_t STRIP_BYTES = 1 << 19;  // of all panels of a strip, for the same reason

int64_t product_strip(const cpu_kernels & k, const product & prod, int64_t n_strips, int n_packed) {
    int64_t unit = k.panel, summed = 0;
    for (int i = 0; i < prod.n_segments; i++) {
        const weight_matrix & w = prod.segments[i].w;
        summed += padded_k(k, summed_length(w));
        if (!w.rows_are_columns) {
            unit = std::max(unit, (int64_t) ggml_blck_size(w.tensor->type)); // both are powers of two
        }
    }
    const int64_t in_cache = STRIP_BYTES/(n_packed*std::min(summed, 2*MAX_STRETCH)*product_size(k));
    return std::max(unit, std::min(in_cache, prod.n/n_strips)/unit*unit);
}

int64_t product_rows_of_task(int64_t m, int64_t n_strips, int64_t n_tasks) {
    const int64_t n_blocks = std::max<int64_t>(1, std::min(m/64, (n_tasks + n_strips - 1)/n_strips));
    return round_up((m + n_blocks - 1)/n_blocks, 32);
}

// C += bias and plus, c at [row, column]
static void add_terms(const cpu_kernels & k, const product & prod, int64_t column, int64_t n, int64_t row, int64_t rows, float * c, int64_t ldc) {
    for (int64_t i = 0; i < rows; i++) {
        if (prod.bias) {
            k.add_scaled(c + i*ldc, prod.bias + column, n, 1.0f);
        }
        if (prod.plus) {
            k.add_scaled(c + i*ldc, prod.plus + (row + i)*prod.ldc + column, n, 1.0f);
        }
    }
}

int64_t packed_bytes(const cpu_kernels & k, const product & prod, int64_t n) {
    int64_t summed = 0;
    for (int i = 0; i < prod.n_segments; i++) {
        summed += padded_k(k, summed_length(prod.segments[i].w));
    }
    return round_up(n, k.panel)*summed*product_size(k);
}

packed_columns product_pack(const cpu_kernels & k, const product & prod, int64_t column, int64_t n, void * panels, int ith) {
    packed_columns packed;
    packed.column = column;
    packed.n = n;
    char * to = (char *) panels;
    for (int s = 0; s < prod.n_segments; s++) {
        const product_segment & segment = prod.segments[s];
        const int64_t count = summed_length(segment.w), padded = padded_k(k, count);
        pack(k, segment.w, column, n, 0, count, padded, to, ith);
        for (const void * a : {segment.a, segment.low}) {
            if (a) {
                packed.segments[packed.n_segments++] = {a, segment.lda, to, padded*k.panel, padded};
            }
        }
        to = elements(k, to, padded*round_up(n, k.panel));
    }
    return packed;
}

void packed_run(const cpu_kernels & k, const product & prod, const packed_columns & packed, int64_t row, int64_t rows, float * values, int64_t ld) {
    gemm_segment segments[2*MAX_SEGMENTS];
    for (int s = 0; s < packed.n_segments; s++) {
        segments[s] = packed.segments[s];
        segments[s].a = elements(k, segments[s].a, row*segments[s].lda);
    }
    k.gemm(rows, packed.n, segments, packed.n_segments, values, ld, false);
    add_terms(k, prod, packed.column, packed.n, row, rows, values, ld);
}

void product_run(const cpu_kernels & k, const product & prod, int64_t column, int64_t n, int64_t row, int64_t rows, int ith) {
    const int64_t n_padded = round_up(n, k.panel);
    char * panels = (char *) workspace(ith, SLOT_PANELS, n_padded*(2*MAX_STRETCH)*product_size(k));
    gemm_segment ready[2*MAX_SEGMENTS];
    int n_ready = 0;
    int64_t length = 0;     // of the stretches in `ready`
    bool add = false;
    float * c = prod.c + row*prod.ldc + column;
    const auto flush = [&]() {
        k.gemm(rows, n, ready, n_ready, c, prod.ldc, add);
        add = true;
        n_ready = 0;
        length = 0;
    };
    for (int s = 0; s < prod.n_segments; s++) {
        const product_segment & segment = prod.segments[s];
        const int64_t total = summed_length(segment.w);
        for (int64_t k0 = 0; k0 < total; k0 += MAX_STRETCH) {
            const int64_t count = std::min(MAX_STRETCH, total - k0), padded = padded_k(k, count);
            if (n_ready > 0 && (length + padded > 2*MAX_STRETCH || n_ready > 2*MAX_SEGMENTS - 2)) {
                flush();
            }
            char * panel = elements(k, panels, length*n_padded);
            pack(k, segment.w, column, n, k0, count, padded, panel, ith);
            for (const void * a : {segment.a, segment.low}) {
                if (a) {
                    ready[n_ready++] = {elements(k, a, row*segment.lda + k0), segment.lda, panel, padded*k.panel, padded};
                }
            }
            length += padded;
        }
    }
    flush();
    add_terms(k, prod, column, n, row, rows, c, prod.ldc);
}
