// Attention over a packed pair, without any tensor of n_tokens^2.
//
// Query i sees key j when j <= i and j is in the prompt or in the segment of i: for a strip of queries of one segment that is
// at most two ranges of keys, the prompt and the beginning of the segment. The scores of a strip are computed as a whole, so
// that the softmax needs no second pass.
//
// Backward goes twice over the visible pairs: strips of queries give dq, strips of keys (scores transposed) give dk and dv.
// So every result belongs to one task, in whatever order the threads take them.
//
//   s = scale q k^T    prob = exp(s - lse)    d_prob = do v^T    ds = prob (d_prob - delta), delta = do . o
//   dq = scale ds k    dk = scale ds^T q   dv = prob^T do
#include "attention-forms.h"

#include <algorithm>
#include <cmath>
#include <cstring>

// Places [place, place + n) of the summed or score dimension, at `column` of the strip's score rows.
struct range {
    int64_t place, n, column;
    bool    own;                             // of the strip's own segment
};

struct ranges {
    range   list[3];
    int     n = 0;
    int64_t width = 0;

    void add(const cpu_kernels & k, int64_t place, int64_t count, bool own) {
        list[n++] = {place, count, width, own};
        width += round_up(count, k.panel);
    }
};

static ranges keys_of(const cpu_kernels & k, const places & s, const places::strip & strip) {
    ranges r;
    if (strip.segment > 0) {
        r.add(k, 0, s.segments[0].n, false);
    }
    r.add(k, s.segments[strip.segment].place, strip.first + strip.n, true);
    return r;
}

static ranges queries_of(const cpu_kernels & k, const places & s, const places::strip & strip) {
    ranges r;
    const segment & own = s.segments[strip.segment];
    r.add(k, own.place + strip.first, own.n - strip.first, true);
    for (int i = 1; strip.segment == 0 && i < s.n_segments; i++) {
        r.add(k, s.segments[i].place, s.segments[i].n, false);
    }
    return r;
}

// ---- products of a strip

// The factors of a product, and the other two of a fine one: high high + low high + high low.
struct factors {
    const void * a, * panels;
    const void * a_low = nullptr, * panels_low = nullptr;

    int terms(const void * (*list)[2]) const {
        const void * all[3][2] = {{a, panels}, {a_low, panels}, {a, panels_low}};
        memcpy(list, all, sizeof(all));
        return a_low ? 3 : 1;
    }
};

// scores (rows, width) = A (rows, head_dim) times the panels of each range
static void score_product(const cpu_kernels & k, const head_forms & h, const factors & f, int64_t rows, const ranges & r, float * scores) {
    const void * terms[3][2];
    const int n = f.terms(terms);
    for (int i = 0; i < r.n; i++) {
        gemm_segment segments[3];
        for (int t = 0; t < n; t++) {
            segments[t] = {terms[t][0], h.dim_padded, elements(k, terms[t][1], r.list[i].place*h.dim_padded), h.dim_padded*k.panel, h.dim_padded};
        }
        k.gemm(rows, round_up(r.list[i].n, k.panel), segments, n, scores + r.list[i].column, r.width, false);
    }
}

// out (rows, head_dim) = or += weights (rows, width) times the row panels of each range
static void mix_product(const cpu_kernels & k, const head_forms & h, const factors & f, int64_t rows, const ranges & r, float * out, int64_t ld, bool add) {
    const void * terms[3][2];
    const int n = f.terms(terms);
    gemm_segment segments[3*3];
    int n_segments = 0;
    for (int t = 0; t < n; t++) {
        for (int i = 0; i < r.n; i++) {
            const range & here = r.list[i];
            segments[n_segments++] = {elements(k, terms[t][0], here.column), r.width, elements(k, terms[t][1], here.place*k.panel), h.n_places*k.panel, round_up(here.n, k.panel)};
        }
    }
    k.gemm(rows, h.head_dim, segments, n_segments, out, ld, add);
}

// ---- forward

// what the strip's row i sees of a range of keys
static int64_t visible_keys(const range & r, const places::strip & strip, int64_t i) {
    return r.own ? strip.first + i + 1 : r.n;
}

// scores -> exp(scale s - max) in product numbers, zero where nothing is seen; returns the sum and the logarithm of it. With
// prob_low the scores are lost.
static float softmax_row(const cpu_kernels & k, const ranges & r, const places::strip & strip, int64_t i, float * s, float scale, void * prob, void * prob_low, float & lse) {
    float top = -INFINITY, sum = 0;
    for (int j = 0; j < r.n; j++) {
        top = std::max(top, k.maximum(s + r.list[j].column, visible_keys(r.list[j], strip, i)));
    }
    for (int j = 0; j < r.n; j++) {
        const range & here = r.list[j];
        const int64_t n = visible_keys(here, strip, i);
        void * to = elements(k, prob, here.column);
        if (prob_low) {
            void * to_low = elements(k, prob_low, here.column);
            sum += k.exp_row_f32(s + here.column, n, scale, scale*top, s + here.column);
            k.split(s + here.column, 1.0f, n, to, to_low);
            zero_tail(k, to_low, n, round_up(here.n, k.panel));
        } else {
            sum += k.exp_row(s + here.column, n, scale, scale*top, to);
        }
        zero_tail(k, to, n, round_up(here.n, k.panel));
    }
    lse = scale*top + logf(sum);
    return sum;
}

struct forward_op {
    const cpu_kernels * k;
    places     s;
    head_forms h;
    formed     q, key, v, q_low, key_low, v_low; // the last three of fine products
    float      scale;
    int64_t    n_head, group, ld, plane;     // ld, plane: of the output
    bool       fine;

    const void * at(const formed & f, form which, int64_t head, const void * forms, int64_t place = 0) const {
        return elements(*k, form_at(*k, h, f, which, head, (void *) forms), place*h.dim_padded);
    }

    void run(int64_t head, const places::strip & strip, const void * forms, void * out, float * lse, int ith) const {
        const ranges r = keys_of(*k, s, strip);
        const segment & own = s.segments[strip.segment];
        const int64_t first = own.place + strip.first, kv = head/group;
        float * scores = (float *) workspace(ith, SLOT_A, STRIP*r.width*(int64_t) sizeof(float));
        char * weights = (char *) workspace(ith, SLOT_B, (fine ? 2 : 1)*STRIP*r.width*product_size(*k));
        char * weights_low = fine ? elements(*k, weights, STRIP*r.width) : nullptr;
        float * mixed  = (float *) workspace(ith, SLOT_C, STRIP*h.head_dim*(int64_t) sizeof(float));
        factors qk = {at(q, FORM_ROWS, head, forms, first), at(key, FORM_COLUMN_PANELS, kv, forms)}, pv = {weights, at(v, FORM_ROW_PANELS, kv, forms)};
        if (fine) {
            qk.a_low = at(q_low, FORM_ROWS, head, forms, first);
            qk.panels_low = at(key_low, FORM_COLUMN_PANELS, kv, forms);
            pv.a_low = weights_low;
            pv.panels_low = at(v_low, FORM_ROW_PANELS, kv, forms);
        }
        score_product(*k, h, qk, strip.n, r, scores);
        float sums[STRIP];
        for (int64_t i = 0; i < strip.n; i++) {
            void * row_low = fine ? elements(*k, weights_low, i*r.width) : nullptr;
            sums[i] = softmax_row(*k, r, strip, i, scores + i*r.width, scale, elements(*k, weights, i*r.width), row_low, lse[head*s.n + first + i]);
        }
        mix_product(*k, h, pv, strip.n, r, mixed, h.head_dim, false);
        for (int64_t i = 0; i < strip.n; i++) {
            write_output(mixed + i*h.head_dim, 1/sums[i], head, elements(*k, out, (own.token + strip.first + i)*ld));
        }
    }

    void write_output(const float * mixed, float factor, int64_t head, char * row) const {
        char * low = elements(*k, row, plane);
        if (fine) {
            k->split(mixed, factor, h.head_dim, elements(*k, row, head*h.head_dim), elements(*k, low, head*h.head_dim));
        } else {
            k->to_product(mixed, factor, h.head_dim, elements(*k, row, head*h.head_dim));
        }
        if (head == n_head - 1) {
            zero_tail(*k, row, n_head*h.head_dim, ld);
            if (fine) {
                zero_tail(*k, low, n_head*h.head_dim, ld);
            }
        }
    }
};

// The output's planes and, behind them, lse (n_places, n_head) F32, in one tensor of product numbers.
struct output_layout {
    int64_t ld, n_planes, plane, lse;        // in elements

    output_layout(const pass & p, int64_t width, int64_t n_tokens)
        : ld(padded_k(kernels_of(p), width)), n_planes(p.fine ? 2 : 1), plane(ld*n_tokens), lse(round_up(n_planes*plane, 64)) {}
};

ggml_tensor * cpu_attention_forward(pass & p, const rope_params & r, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, attention_tape & tape) {
    const cpu_kernels & kernels = kernels_of(p);
    const int64_t head_dim = q->ne[0], n_head = q->ne[1], n_tokens = q->ne[2];
    const places s = places_of(p, kernels, n_tokens);
    const head_forms h = forms_of(kernels, head_dim, s);
    std::vector<formed> list;
    for (int plane = 0; plane < (p.fine ? 2 : 1); plane++) {
        list.push_back({q, {true, false, false}, {}, plane == 1, true});
        list.push_back({k, {false, true, false}, {}, plane == 1, true});
        list.push_back({v, {false, false, true}, {}, plane == 1});
    }
    ggml_tensor * forms = add_forms(p, s, h, list, turning_of(p, r, n_tokens));
    const output_layout out(p, n_head*head_dim, n_tokens);
    const size_t low = p.fine ? 3 : 0;
    const forward_op op = {&kernels, s, h, list[0], list[1], list[2], list[low], list[low + 1], list[low + 2],
        p.base->hparams.attn_scale, n_head, n_head/k->ne[1], out.ld, out.plane, p.fine};
    const int64_t lse_elements = (n_tokens + 3*STRIP)*n_head*(int64_t) sizeof(float)/product_size(kernels); // whatever the segments are
    tape.q = q;
    tape.k = k;
    tape.v = v;
    tape.kept = op_add_saved(p, kernels.product, out.lse + lse_elements, 1, {forms}, [=](const worker & w, ggml_tensor * dst) {
        const int64_t n_strips = (int64_t) s.strips.size();
        for (int64_t task; w.take(n_strips*n_head, task);) { // the longest strips first
            op.run(task%n_head, s.strips[(size_t) (n_strips - 1 - task/n_head)], forms->data, dst->data, (float *) elements(*op.k, dst->data, out.lse), w.ith);
        }
    });
    const size_t row = (size_t) (out.ld*product_size(kernels));
    return ggml_view_3d(p.g.ctx, tape.kept, out.ld, n_tokens, out.n_planes, row, row*(size_t) n_tokens, 0);
}

// ---- backward

struct backward_op {
    const cpu_kernels * k;
    places     s;
    head_forms h;
    formed     q, key, v, d_out, q_low, key_low; // the last two of fine products
    turning    turn;
    float      scale;
    int64_t    n_head, n_kv;
    bool       fine;

    const void * at(const formed & f, form which, int64_t head, const void * forms, int64_t place = 0) const {
        return elements(*k, form_at(*k, h, f, which, head, (void *) forms), place*h.dim_padded);
    }

    // the same scores as in the forward pass, so that they fit to lse
    void scores_of(const formed & rows, const formed & rows_low, int64_t row_head, int64_t place, int64_t n_rows, const formed & columns, const formed & columns_low, int64_t column_head,
        const ranges & r, const void * forms, float * scores) const {
        factors f = {at(rows, FORM_ROWS, row_head, forms, place), at(columns, FORM_COLUMN_PANELS, column_head, forms)};
        if (fine) {
            f.a_low = at(rows_low, FORM_ROWS, row_head, forms, place);
            f.panels_low = at(columns_low, FORM_COLUMN_PANELS, column_head, forms);
        }
        score_product(*k, h, f, n_rows, r, scores);
    }

    // rows of the gradient of a head turned back
    void turn_back(int64_t token, int64_t n, int64_t ld, float * d, int ith) const {
        float * turned = (float *) workspace(ith, SLOT_C, h.head_dim*(int64_t) sizeof(float));
        for (int64_t i = 0; turn.table && i < n; i++) {
            rope_row(*k, *turn.table, turn.position(token + i), d + i*ld, h.head_dim, -1.0f, turned);
            std::copy(turned, turned + h.head_dim, d + i*ld);
        }
    }

    // dq of one head for a strip of queries
    void queries(int64_t head, const places::strip & strip, const void * forms, const float * lse, const float * delta, float * dq, int ith) const {
        const ranges r = keys_of(*k, s, strip);
        const segment & own = s.segments[strip.segment];
        const int64_t first = own.place + strip.first, kv = head/(n_head/n_kv), width = r.width;
        float * scores = (float *) workspace(ith, SLOT_A, 2*STRIP*width*(int64_t) sizeof(float)), * d_prob = scores + STRIP*width;
        char * ds = (char *) workspace(ith, SLOT_B, STRIP*width*product_size(*k));
        scores_of(q, q_low, head, first, strip.n, key, key_low, kv, r, forms, scores);
        score_product(*k, h, {at(d_out, FORM_ROWS, head, forms, first), at(v, FORM_COLUMN_PANELS, kv, forms)}, strip.n, r, d_prob);
        for (int64_t i = 0; i < strip.n; i++) {
            const int64_t place = head*s.n + first + i;
            for (int j = 0; j < r.n; j++) {
                const int64_t n = visible_keys(r.list[j], strip, i), column = i*width + r.list[j].column;
                k->softmax_back(scores + column, d_prob + column, lse + place, delta + place, 0, n, scale, nullptr, elements(*k, ds, column));
                zero_tail(*k, elements(*k, ds, column), n, round_up(r.list[j].n, k->panel));
            }
        }
        const int64_t ld = n_head*h.head_dim, token = own.token + strip.first;
        float * to = dq + token*ld + head*h.head_dim;
        mix_product(*k, h, {ds, at(key, FORM_ROW_PANELS, kv, forms)}, strip.n, r, to, ld, false);
        turn_back(token, strip.n, ld, to, ith);
    }

    // dk and dv of one kv head for a strip of keys, summed over the query heads that share it
    void keys(int64_t kv, const places::strip & strip, const void * forms, const float * lse, const float * delta, float * dk, float * dv, int ith) const {
        const ranges r = queries_of(*k, s, strip);
        const segment & own = s.segments[strip.segment];
        const int64_t first = own.place + strip.first, width = r.width, group = n_head/n_kv, ld = n_kv*h.head_dim;
        float * scores = (float *) workspace(ith, SLOT_A, 2*STRIP*width*(int64_t) sizeof(float)), * d_prob = scores + STRIP*width;
        char * weights = (char *) workspace(ith, SLOT_B, 2*STRIP*width*product_size(*k)), * ds = elements(*k, weights, STRIP*width);
        const int64_t to = (own.token + strip.first)*ld + kv*h.head_dim;
        for (int64_t head = kv*group; head < (kv + 1)*group; head++) {
            scores_of(key, key_low, kv, first, strip.n, q, q_low, head, r, forms, scores);
            score_product(*k, h, {at(v, FORM_ROWS, kv, forms, first), at(d_out, FORM_COLUMN_PANELS, head, forms)}, strip.n, r, d_prob);
            for (int64_t i = 0; i < strip.n; i++) {
                for (int j = 0; j < r.n; j++) {
                    key_row(r.list[j], i, i*width, head, scores, d_prob, lse, delta, weights, ds);
                }
            }
            mix_product(*k, h, {weights, at(d_out, FORM_ROW_PANELS, head, forms)}, strip.n, r, dv + to, ld, head > kv*group);
            mix_product(*k, h, {ds,      at(q,     FORM_ROW_PANELS, head, forms)}, strip.n, r, dk + to, ld, head > kv*group);
        }
        turn_back(own.token + strip.first, strip.n, ld, dk + to, ith);
    }

    // prob and ds of key i of the strip and the queries of one range; in its own segment those before it do not see it
    void key_row(const range & r, int64_t i, int64_t row, int64_t head, const float * scores, const float * d_prob, const float * lse, const float * delta, void * weights, void * ds) const {
        const int64_t hidden = r.own ? i : 0, column = row + r.column, place = head*s.n + r.place + hidden, n = r.n - hidden;
        for (void * to : {elements(*k, weights, column), elements(*k, ds, column)}) {
            memset(to, 0, (size_t) (hidden*product_size(*k)));
            zero_tail(*k, to, r.n, round_up(r.n, k->panel));
        }
        k->softmax_back(scores + column + hidden, d_prob + column + hidden, lse + place, delta + place, 1, n, scale,
            elements(*k, weights, column + hidden), elements(*k, ds, column + hidden));
    }
};

// delta (n_places, n_head) F32: do . o of each query and head
static ggml_tensor * add_delta(pass & p, const places & s, ggml_tensor * dy, ggml_tensor * out, int64_t n_head, int64_t head_dim) {
    const cpu_kernels & k = kernels_of(p);
    const int64_t ld = padded_k(k, n_head*head_dim);
    return op_add(p, GGML_TYPE_F32, s.n, n_head, {dy, out}, [=, &k](const worker & w, ggml_tensor * dst) {
        for (int64_t task; w.take((int64_t) s.strips.size(), task);) {
            const places::strip & strip = s.strips[(size_t) task];
            const segment & own = s.segments[strip.segment];
            for (int64_t i = strip.first; i < strip.first + strip.n; i++) {
                const float * row = (const float *) dy->data + (own.token + i)*n_head*head_dim;
                for (int64_t head = 0; head < n_head; head++) {
                    ((float *) dst->data)[head*s.n + own.place + i] = k.dot(row + head*head_dim, elements(k, out->data, (own.token + i)*ld + head*head_dim), head_dim);
                }
            }
        }
    });
}

void cpu_attention_backward(pass & p, const rope_params & r, const attention_tape & tape, ggml_tensor * dy, ggml_tensor ** dq, ggml_tensor ** dk, ggml_tensor ** dv) {
    const cpu_kernels & k = kernels_of(p);
    const int64_t head_dim = tape.q->ne[0], n_head = tape.q->ne[1], n_tokens = tape.q->ne[2], n_kv = tape.k->ne[1];
    const places s = places_of(p, k, n_tokens);
    const head_forms h = forms_of(k, head_dim, s);
    ggml_tensor * d_out = ggml_reshape_3d(p.g.ctx, dy, head_dim, n_head, n_tokens);
    std::vector<formed> list = {{tape.q, {true, true, true}, {}, false, true}, {tape.k, {true, true, true}, {}, false, true}, {tape.v, {true, true, false}, {}}, {d_out, {true, true, true}, {}}};
    if (p.fine) {
        list.push_back({tape.q, {true, true, false}, {}, true, true});
        list.push_back({tape.k, {true, true, false}, {}, true, true});
    }
    const turning turn = turning_of(p, r, n_tokens);
    ggml_tensor * forms = add_forms(p, s, h, list, turn);
    ggml_tensor * delta = add_delta(p, s, dy, tape.kept, n_head, head_dim), * out = tape.kept;
    const size_t low = p.fine ? 4 : 0;
    const backward_op op = {&k, s, h, list[0], list[1], list[2], list[3], list[low], list[low + 1], turn, p.base->hparams.attn_scale, n_head, n_kv, p.fine};
    const int64_t offset = output_layout(p, n_head*head_dim, n_tokens).lse, n_q = head_dim*n_head*n_tokens, n_k = head_dim*n_kv*n_tokens;
    ggml_tensor * all = op_add(p, GGML_TYPE_F32, n_q + 2*n_k, 1, {forms, delta, out}, [=, &k](const worker & w, ggml_tensor * dst) {
        const float * lse = (const float *) elements(k, out->data, offset), * deltas = (const float *) delta->data;
        float * d = (float *) dst->data;
        const int64_t n_strips = (int64_t) s.strips.size();
        for (int64_t task; w.take(n_strips*(n_kv + n_head), task);) { // keys first: longer tasks
            if (task < n_strips*n_kv) {
                op.keys(task%n_kv, s.strips[(size_t) (task/n_kv)], forms->data, lse, deltas, d + n_q, d + n_q + n_k, w.ith);
                continue;
            }
            const int64_t i = task - n_strips*n_kv;
            op.queries(i%n_head, s.strips[(size_t) (n_strips - 1 - i/n_head)], forms->data, lse, deltas, d, w.ith);
        }
    });
    const auto part = [&](int64_t heads, int64_t first) {
        const size_t row = (size_t) head_dim*sizeof(float);
        return ggml_view_3d(p.g.ctx, all, head_dim, heads, n_tokens, row, row*(size_t) heads, (size_t) first*sizeof(float));
    };
    *dq = part(n_head, 0);
    *dk = part(n_kv, n_q);
    *dv = part(n_kv, n_q + n_k);
}
