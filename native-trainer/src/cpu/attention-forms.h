// The tokens of a packed pair as attention sees them, and q, k, v and do in the forms that its products read.
//
// Segments begin on panel borders ("places": positions with that padding).
#pragma once

#include "op.h"
#include "rope.h"

#include <algorithm>
#include <memory>
#include <vector>

static const int64_t STRIP = 64;             // a multiple of every panel

struct segment {
    int64_t token, place, n;                 // first token, first place, length
};

struct places {
    segment segments[3];
    int     n_segments = 0;
    int64_t n_tokens = 0, n = 0;             // n: places

    struct strip { int segment; int64_t first, n; }; // first: within the segment
    std::vector<strip> strips;

    // the token at a place, and how many of those that follow it, at most n_max, are in its segment
    int64_t token_at(int64_t place, int64_t n_max, int64_t & n_here) const {
        int i = 0;
        while (i + 1 < n_segments && segments[i + 1].place <= place) {
            i++;
        }
        n_here = std::min(n_max, segments[i].place + segments[i].n - place);
        return segments[i].token + place - segments[i].place;
    }
};

places places_of(const pass & p, const cpu_kernels & k, int64_t n_tokens);

enum form { FORM_ROWS, FORM_COLUMN_PANELS, FORM_ROW_PANELS }; // left-hand side; rows become columns; rows are summed over

struct head_forms {
    int64_t head_dim, dim_padded, dim_panels, n_places, panel;

    int64_t size(form f) const {
        return f == FORM_ROW_PANELS ? dim_panels*n_places*panel : dim_padded*n_places;
    }
};

head_forms forms_of(const cpu_kernels & k, int64_t head_dim, const places & s);

// One tensor (head_dim, heads, n_tokens) F32 in some of its forms; all heads of a form are side by side.
struct formed {
    ggml_tensor * source;
    bool          wanted[3];
    int64_t       offset[3] = {};            // elements in the destination
    bool          low = false;               // what rounding lost, [Note: fine products]
    bool          turned = false;            // by RoPE
};

// How q and k are turned on the way into their forms and their gradients on the way out; without a table they are not.
struct turning {
    std::shared_ptr<const rope_table> table;
    const ggml_tensor * pos;

    int64_t position(int64_t token) const { return ((const int32_t *) pos->data)[token]; }
};

turning turning_of(const pass & p, const rope_params & r, int64_t n_tokens);

inline void * form_at(const cpu_kernels & k, const head_forms & h, const formed & f, form which, int64_t head, void * data) {
    return elements(k, data, f.offset[which] + head*h.size(which));
}

// All forms of all tensors of the list; sets their offsets.
ggml_tensor * add_forms(pass & p, const places & s, const head_forms & h, std::vector<formed> & list, const turning & turn);
