#include "rope.h"

#include <algorithm>
#include <cmath>

std::shared_ptr<const rope_table> rope_table_for(const model & m, const rope_params & r, int64_t n_positions) {
    if (!r.used) {
        return nullptr;
    }
    static std::shared_ptr<const rope_table> last[2]; // layers with and without a sliding window
    const int dims = m.hparams.rope_dims;
    const bool neox = m.hparams.arch->rope_mode == GGML_ROPE_TYPE_NEOX;
    for (const std::shared_ptr<const rope_table> & t : last) {
        if (t && t->base == r.base && t->scale == r.scale && t->dims == dims && t->neox == neox && t->freqs == m.rope_freqs && t->n_positions >= n_positions) {
            return t;
        }
    }
    auto t = std::make_shared<rope_table>();
    t->base = r.base, t->scale = r.scale, t->dims = dims, t->neox = neox, t->freqs = m.rope_freqs, t->n_positions = n_positions;
    const int64_t half = dims/2;
    t->cosines.resize((size_t) (half*n_positions));
    t->sines.resize((size_t) (half*n_positions));
    for (int64_t i = 0; i < half; i++) {
        const double divisor = m.rope_freqs ? ((const float *) m.rope_freqs->data)[i] : 1.0;
        const double frequency = pow((double) r.base, -2.0*(double) i/dims)*r.scale/divisor;
        for (int64_t position = 0; position < n_positions; position++) {
            t->cosines[(size_t) (position*half + i)] = (float) cos((double) position*frequency);
            t->sines  [(size_t) (position*half + i)] = (float) sin((double) position*frequency);
        }
    }
    last[1] = last[0];
    return last[0] = t;
}

void rope_row(const cpu_kernels & k, const rope_table & t, int64_t position, const float * x, int64_t head_dim, float sign, float * y) {
    const size_t first = (size_t) (position*t.dims/2);
    k.rope(x, &t.cosines[first], &t.sines[first], t.dims, t.neox, sign, y);
    std::copy(x + t.dims, x + head_dim, y + t.dims);
}
