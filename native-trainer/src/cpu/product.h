// Products of activations with weights as they lie in the file: a task packs one strip of the weight into panels, dequantising
// on the way, and multiplies a block of rows with it. Forward and backward read the same plain weight.
#pragma once

#include "kernels.h"

// Scratch of thread `ith` that lives as long as the program; contents are lost with the next call of the same slot.
enum workspace_slot { SLOT_PANELS, SLOT_ROWS, SLOT_SUMS, SLOT_A, SLOT_B, SLOT_C, SLOT_D, SLOT_COUNT };
void * workspace(int ith, workspace_slot slot, int64_t bytes);

struct weight_matrix {
    const ggml_tensor * tensor;         // (n_cols, n_rows)
    bool rows_are_columns;              // true: y = W x, a row gives one column of y; false: dx = W^T dy, rows are summed over
};

static const int MAX_SEGMENTS = 6;      // q, k, v and their LoRA parts

struct product_segment {
    const void *  a;                    // product numbers, (m, k padded)
    int64_t       lda;
    weight_matrix w;
    const void *  low = nullptr;        // the second plane of a, [Note: fine products]
};

// C (m, n) F32 = sum over segments of A W  (+ bias) (+ plus)
struct product {
    int64_t         m = 0, n = 0;
    product_segment segments[MAX_SEGMENTS];
    int             n_segments = 0;
    const float *   bias = nullptr;
    const float *   plus = nullptr;     // (m, n), rows ldc apart
    float *         c = nullptr;
    int64_t         ldc = 0;
};

// Columns that one task takes: whole panels and whole quantisation blocks. The wider, the less often A is read; at most as wide
// as the L2 cache holds, and as n_strips (at least, if there are so many) allow.
int64_t product_strip(const cpu_kernels & k, const product & prod, int64_t n_strips, int n_packed); // n_packed: such weights at a time
// Rows that one task takes, so that strips times blocks of rows make about n_tasks.
int64_t product_rows_of_task(int64_t m, int64_t n_strips, int64_t n_tasks);
// Columns [column, column + n) of rows [row, row + rows)
void    product_run(const cpu_kernels & k, const product & prod, int64_t column, int64_t n, int64_t row, int64_t rows, int ith);

// The right-hand side of some columns, packed over the whole summed dimension, for operators that do something of their own with C.
struct packed_columns {
    gemm_segment segments[2*MAX_SEGMENTS];  // A from row 0
    int          n_segments = 0;
    int64_t      column, n;
};

int64_t        packed_bytes(const cpu_kernels & k, const product & prod, int64_t n);
packed_columns product_pack(const cpu_kernels & k, const product & prod, int64_t column, int64_t n, void * panels, int ith);
// values (rows, n, ld apart) = rows [row, row + rows) of the packed columns, with the bias
void           packed_run(const cpu_kernels & k, const product & prod, const packed_columns & packed, int64_t row, int64_t rows, float * values, int64_t ld);

// Rows [row, row + n) of a weight, columns [column, column + count), as product numbers: a pointer into the weight when it has
// them, else dequantised into `scratch` (n*count elements). ld is set to the distance of the rows.
const void * weight_rows(const cpu_kernels & k, const ggml_tensor * w, int64_t row, int64_t n, int64_t column, int64_t count, void * scratch, int64_t & ld);
