#include "attention-forms.h"

#include <cstring>

places places_of(const pass & p, const cpu_kernels & k, int64_t n_tokens) {
    places s;
    s.n_tokens = n_tokens;
    const int64_t ends[3] = {p.n_prompt > 0 ? p.n_prompt : n_tokens, p.n_prompt + p.n_chosen, n_tokens};
    for (int64_t end : ends) {
        const int64_t token = s.n_segments > 0 ? s.segments[s.n_segments - 1].token + s.segments[s.n_segments - 1].n : 0;
        if (end <= token) {
            continue;
        }
        s.segments[s.n_segments++] = {token, s.n, end - token};
        s.n += round_up(end - token, k.panel);
    }
    for (int i = 0; i < s.n_segments; i++) {
        for (int64_t first = 0; first < s.segments[i].n; first += STRIP) {
            s.strips.push_back({i, first, std::min(STRIP, s.segments[i].n - first)});
        }
    }
    return s;
}

head_forms forms_of(const cpu_kernels & k, int64_t head_dim, const places & s) {
    return {head_dim, padded_k(k, head_dim), (head_dim + k.panel - 1)/k.panel, s.n, k.panel};
}

turning turning_of(const pass & p, const rope_params & r, int64_t n_tokens) {
    return {rope_table_for(*p.base, r, n_tokens), p.pos};
}

static int64_t plan_forms(const head_forms & h, std::vector<formed> & list) {
    int64_t n = 0;
    for (formed & f : list) {
        for (int i = 0; i < 3; i++) {
            f.offset[i] = n;
            n += f.wanted[i] ? h.size((form) i)*f.source->ne[1] : 0;
        }
    }
    return n;
}

// One panel of places of all heads: its tokens are read in the order in which they lie in memory.
static void make_forms(const cpu_kernels & k, const places & s, const head_forms & h, const formed & f, const turning & turn, int64_t place, void * data, int ith) {
    const int64_t heads = f.source->ne[1], panel_size = k.panel*h.dim_padded;
    char * rows = (char *) workspace(ith, SLOT_A, heads*panel_size*product_size(k)); // (dim_padded, panel, heads)
    memset(rows, 0, (size_t) (heads*panel_size*product_size(k)));
    void * rounded = workspace(ith, SLOT_B, h.dim_padded*product_size(k));
    float * turned = (float *) workspace(ith, SLOT_C, h.head_dim*(int64_t) sizeof(float));
    int64_t n = 0;
    const int64_t token = s.token_at(place, k.panel, n);
    for (int64_t j = 0; j < n; j++) {
        for (int64_t head = 0; head < heads; head++) {
            const float * from = (const float *) ((const char *) f.source->data + (size_t) head*f.source->nb[1] + (size_t) (token + j)*f.source->nb[2]);
            void * to = elements(k, rows, head*panel_size + j*h.dim_padded);
            if (f.turned && turn.table) {
                rope_row(k, *turn.table, turn.position(token + j), from, h.head_dim, 1.0f, turned);
                from = turned;
            }
            if (f.low) {
                k.split(from, 1.0f, h.head_dim, rounded, to);
            } else {
                k.to_product(from, 1.0f, h.head_dim, to);
            }
        }
    }
    for (int64_t head = 0; head < heads; head++) {
        const void * own = elements(k, rows, head*panel_size);
        if (f.wanted[FORM_ROWS]) {
            memcpy(elements(k, form_at(k, h, f, FORM_ROWS, head, data), place*h.dim_padded), own, (size_t) (panel_size*product_size(k)));
        }
        if (f.wanted[FORM_COLUMN_PANELS]) {
            k.pack_columns(own, h.dim_padded, k.panel, h.dim_padded, h.dim_padded, elements(k, form_at(k, h, f, FORM_COLUMN_PANELS, head, data), place*h.dim_padded));
        }
        for (int64_t i = 0; f.wanted[FORM_ROW_PANELS] && i < h.dim_panels; i++) {
            k.pack_rows(elements(k, own, i*k.panel), h.dim_padded, k.panel, std::min(k.panel, h.head_dim - i*k.panel), k.panel,
                elements(k, form_at(k, h, f, FORM_ROW_PANELS, head, data), (i*s.n + place)*k.panel));
        }
    }
}

ggml_tensor * add_forms(pass & p, const places & s, const head_forms & h, std::vector<formed> & list, const turning & turn) {
    const cpu_kernels & k = kernels_of(p);
    std::vector<ggml_tensor *> inputs = {p.pos};
    const int64_t size = plan_forms(h, list);
    for (const formed & f : list) {
        inputs.push_back(f.source);
    }
    const std::vector<formed> all = list;
    return op_add(p, k.product, size, 1, inputs, [=, &k](const worker & w, ggml_tensor * dst) {
        const int64_t n_panels = s.n/k.panel;
        for (int64_t task; w.take(n_panels*(int64_t) all.size(), task);) {
            make_forms(k, s, h, all[(size_t) (task/n_panels)], turn, task%n_panels*k.panel, dst->data, w.ith);
        }
    });
}
