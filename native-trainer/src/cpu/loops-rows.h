// What is done to rows of numbers: norms, gated units, RoPE, softmax, AdamW. Included by loops.h.
#pragma once

namespace {

float dot_product(const float * x, const void * y, int64_t n) {
    const element * b = (const element *) y;
    vf sum = vset(0);
    in_vectors(n, [&](int64_t i) { sum = vfma(vload(x + i), punload(b + i), sum); },
        [&](int64_t i, int64_t count) { sum = vadd(sum, vmul(vload_part(x + i, count), punload_part(b + i, count))); });
    return vsum(sum);
}

float sum_of_squares(const float * x, int64_t n) {
    vf sum = vset(0);
    in_vectors(n, [&](int64_t i) { const vf v = vload(x + i); sum = vfma(v, v, sum); },
        [&](int64_t i, int64_t count) { const vf v = vload_part(x + i, count); sum = vfma(v, v, sum); });
    return vsum(sum);
}

float inverse_root(float x) {
#if defined(_MSC_VER) && !defined(__clang__)
    return (float) (1/sqrt((double) x));
#else
    return (float) (1/__builtin_sqrt((double) x));
#endif
}

void norm(const float * x, const float * w, int64_t n, float eps, void * y, bool product) {
    const vf inverse = vset(inverse_root(sum_of_squares(x, n)/(float) n + eps));
    if (product) {
        element * to = (element *) y;
        in_vectors(n, [&](int64_t i) { pstore(to + i, vmul(vmul(vload(x + i), inverse), vload(w + i))); },
            [&](int64_t i, int64_t count) { pstore_part(to + i, vmul(vmul(vload_part(x + i, count), inverse), vload_part(w + i, count)), count); });
        return;
    }
    float * to = (float *) y;
    in_vectors(n, [&](int64_t i) { vstore(to + i, vmul(vmul(vload(x + i), inverse), vload(w + i))); },
        [&](int64_t i, int64_t count) { vstore_part(to + i, vmul(vmul(vload_part(x + i, count), inverse), vload_part(w + i, count)), count); });
}

// y = w x r, r = 1/sqrt(mean(x^2) + eps):  dx = r (w dy - x r^2 mean(w dy x))
void norm_back(const float * dy, const float * x, const float * w, int64_t n, float eps, float * dx) {
    const float inverse = inverse_root(sum_of_squares(x, n)/(float) n + eps);
    vf dots = vset(0);
    in_vectors(n, [&](int64_t i) { dots = vfma(vmul(vload(dy + i), vload(w + i)), vload(x + i), dots); },
        [&](int64_t i, int64_t count) { dots = vfma(vmul(vload_part(dy + i, count), vload_part(w + i, count)), vload_part(x + i, count), dots); });
    const vf along = vset(-vsum(dots)/(float) n*inverse*inverse*inverse), factor = vset(inverse);
    in_vectors(n, [&](int64_t i) { vstore(dx + i, vfma(vload(x + i), along, vmul(vmul(vload(dy + i), vload(w + i)), factor))); },
        [&](int64_t i, int64_t count) {
            const vf g = vmul(vmul(vload_part(dy + i, count), vload_part(w + i, count)), factor);
            vstore_part(dx + i, vfma(vload_part(x + i, count), along, g), count);
        });
}

// exp to 1e-7 relative: x = n ln 2 + r, |r| <= ln 2 / 2, polynomial of Cephes' expf
vf exponential(vf x) {
    x = vmin(vset(88.3f), vmax(vset(-87.3f), x)); // in this order a NaN stays one
    const vf n = vround(vmul(x, vset(1.44269504f)));
    vf r = vfma(n, vset(-0.693359375f), x);
    r = vfma(n, vset(2.12194440e-4f), r);
    vf sum = vset(1.9875691500e-4f);
    sum = vfma(sum, r, vset(1.3981999507e-3f));
    sum = vfma(sum, r, vset(8.3334519073e-3f));
    sum = vfma(sum, r, vset(4.1665795894e-2f));
    sum = vfma(sum, r, vset(1.6666665459e-1f));
    sum = vfma(sum, r, vset(5.0000001201e-1f));
    sum = vadd(vfma(vmul(sum, r), r, r), vset(1));
    return vscale2(sum, n);
}

vf sigmoid(vf x) {
    return vdiv(vset(1), vadd(vset(1), exponential(vsub(vset(0), x))));
}

struct product_reader {
    static vf whole(const element * at)           { return punload(at); }
    static vf part(const element * at, int64_t n) { return punload_part(at, n); }
};

struct f32_writer {
    typedef float number;
    static void whole(float * at, vf v)             { vstore(at, v); }
    static void part(float * at, vf v, int64_t n)   { vstore_part(at, v, n); }
};

struct product_writer {
    typedef element number;
    static void whole(element * at, vf v)           { pstore(at, v); }
    static void part(element * at, vf v, int64_t n) { pstore_part(at, v, n); }
};

// Both activations are g sigmoid(u(g)): for GELU 1 + tanh z = 2 sigmoid(2 z).
struct silu_inner {
    static vf value(vf g) { return g; }
    static vf slope(vf)   { return vset(1); }
};

struct gelu_inner { // u = a g + b g^3, a = 2 sqrt(2/pi), b = 0.044715 a
    static vf value(vf g) { return vmul(g, vfma(vmul(g, g), vset(0.0713548163f), vset(1.5957691216f))); }
    static vf slope(vf g) { return vfma(vmul(g, g), vset(3*0.0713548163f), vset(1.5957691216f)); }
};

template <typename U, typename W>
void glu_to(const float * gate, const float * up, int64_t n, typename W::number * y) {
    const auto value = [](vf g, vf u) { return vmul(vmul(g, sigmoid(U::value(g))), u); };
    in_vectors(n, [&](int64_t i) { W::whole(y + i, value(vload(gate + i), vload(up + i))); },
        [&](int64_t i, int64_t count) { W::part(y + i, value(vload_part(gate + i, count), vload_part(up + i, count)), count); });
}

void glu_f32(const float * gate, const float * up, bool gelu, int64_t n, float * y) {
    gelu ? glu_to<gelu_inner, f32_writer>(gate, up, n, y) : glu_to<silu_inner, f32_writer>(gate, up, n, y);
}

void glu(const float * gate, const float * up, bool gelu, int64_t n, void * y) {
    gelu ? glu_to<gelu_inner, product_writer>(gate, up, n, (element *) y) : glu_to<silu_inner, product_writer>(gate, up, n, (element *) y);
}

template <typename U>
void glu_back_with(const void * gate, const void * up, const float * dy, int64_t n, void * dgate, void * dup, void * y) {
    typedef product_reader R;
    typedef product_writer W;
    const element * gates = (const element *) gate, * ups = (const element *) up;
    element * to_gate = (element *) dgate, * to_up = (element *) dup, * to_y = (element *) y;
    const auto slope = [](vf g, vf s) { return vmul(s, vfma(vmul(g, U::slope(g)), vsub(vset(1), s), vset(1))); }; // of g sigmoid(u), s = sigmoid(u)
    in_vectors(n, [&](int64_t i) {
            const vf g = R::whole(gates + i), u = R::whole(ups + i), s = sigmoid(U::value(g)), act = vmul(g, s), d = vload(dy + i);
            W::whole(to_gate + i, vmul(vmul(d, u), slope(g, s)));
            W::whole(to_up + i, vmul(d, act));
            W::whole(to_y + i, vmul(act, u));
        }, [&](int64_t i, int64_t count) {
            const vf g = R::part(gates + i, count), u = R::part(ups + i, count), s = sigmoid(U::value(g)), act = vmul(g, s), d = vload_part(dy + i, count);
            W::part(to_gate + i, vmul(vmul(d, u), slope(g, s)), count);
            W::part(to_up + i, vmul(d, act), count);
            W::part(to_y + i, vmul(act, u), count);
        });
}

void glu_back(const void * gate, const void * up, bool gelu, const float * dy, int64_t n, void * dgate, void * dup, void * y) {
    gelu ? glu_back_with<gelu_inner>(gate, up, dy, n, dgate, dup, y) : glu_back_with<silu_inner>(gate, up, dy, n, dgate, dup, y);
}

void rope(const float * x, const float * cosines, const float * sines, int64_t n, bool neox, float sign, float * y) {
    if (!neox) {
        rope_pairs(x, cosines, sines, n, sign, y);
        return;
    }
    const int64_t half = n/2;
    for (int64_t i = 0; i < half; i++) {
        const float a = x[i], b = x[i + half], c = cosines[i], s = sign*sines[i];
        y[i]        = a*c - b*s;
        y[i + half] = a*s + b*c;
    }
}

float maximum(const float * x, int64_t n) {
    vf top = vset(-3.4e38f);
    float rest = -3.4e38f;
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        top = vmax(vload(x + i), top); // skips NaN; the exponentials do not
    }
    for (; i < n; i++) {
        rest = x[i] > rest ? x[i] : rest;
    }
    const float t = vtop(top);
    return t > rest ? t : rest;
}

template <typename W>
float exp_row_to(const float * s, int64_t n, float scale, float shift, typename W::number * to) {
    const vf factor = vset(scale), minus = vset(-shift);
    vf sum = vset(0);
    float rest = 0;
    in_vectors(n, [&](int64_t i) {
            const vf e = exponential(vfma(vload(s + i), factor, minus));
            W::whole(to + i, e);
            sum = vadd(sum, e);
        }, [&](int64_t i, int64_t count) {
            float values[WIDTH];
            const vf e = exponential(vfma(vload_part(s + i, count), factor, minus));
            W::part(to + i, e, count);
            vstore(values, e);
            for (int64_t j = 0; j < count; j++) {
                rest += values[j];
            }
        });
    return vsum(sum) + rest;
}

float exp_row(const float * s, int64_t n, float scale, float shift, void * y) {
    return exp_row_to<product_writer>(s, n, scale, shift, (element *) y);
}

float exp_row_f32(const float * s, int64_t n, float scale, float shift, float * y) {
    return exp_row_to<f32_writer>(s, n, scale, shift, y);
}

void scale_row(float * x, int64_t n, float factor) {
    const vf f = vset(factor);
    in_vectors(n, [&](int64_t i) { vstore(x + i, vmul(vload(x + i), f)); },
        [&](int64_t i, int64_t count) { vstore_part(x + i, vmul(vload_part(x + i, count), f), count); });
}

void add_scaled(float * x, const float * y, int64_t n, float factor) {
    const vf f = vset(factor);
    in_vectors(n, [&](int64_t i) { vstore(x + i, vfma(vload(y + i), f, vload(x + i))); },
        [&](int64_t i, int64_t count) { vstore_part(x + i, vfma(vload_part(y + i, count), f, vload_part(x + i, count)), count); });
}

void multiply_row(void * x, const float * y, int64_t n) {
    element * to = (element *) x;
    in_vectors(n, [&](int64_t i) { pstore(to + i, vmul(punload(to + i), vload(y + i))); },
        [&](int64_t i, int64_t count) { pstore_part(to + i, vmul(punload_part(to + i, count), vload_part(y + i, count)), count); });
}

void softmax_back(const float * s, const float * d_prob, const float * lse, const float * delta, int stride, int64_t n, float scale, void * prob, void * ds) {
    element * to_prob = (element *) prob, * to_ds = (element *) ds;
    const vf factor = vset(scale), one_lse = vset(lse[0]), one_delta = vset(delta[0]);
    in_vectors(n, [&](int64_t i) {
            const vf e = exponential(vsub(vmul(vload(s + i), factor), stride ? vload(lse + i) : one_lse));
            if (to_prob) {
                pstore(to_prob + i, e);
            }
            pstore(to_ds + i, vmul(vmul(e, factor), vsub(vload(d_prob + i), stride ? vload(delta + i) : one_delta)));
        }, [&](int64_t i, int64_t count) {
            const vf e = exponential(vsub(vmul(vload_part(s + i, count), factor), stride ? vload_part(lse + i, count) : one_lse));
            if (to_prob) {
                pstore_part(to_prob + i, e, count);
            }
            pstore_part(to_ds + i, vmul(vmul(e, factor), vsub(vload_part(d_prob + i, count), stride ? vload_part(delta + i, count) : one_delta)), count);
        });
}

// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w (1 - rate decay) - rate m^ / (sqrt(v^) + eps)
void adamw(const adamw_step & s, int64_t n, float * w, float * gradient, float * m, float * v) {
    const vf beta1 = vset(s.beta1), rest1 = vset(1 - s.beta1), beta2 = vset(s.beta2), rest2 = vset(1 - s.beta2), clip = vset(s.clip);
    const vf keep = vset(1 - s.rate*s.decay), minus_rate = vset(-s.rate), eps = vset(s.eps), c1 = vset(s.correction1), c2 = vset(s.correction2);
    const auto step = [&](vf g, vf & m_here, vf & v_here, vf & w_here) {
        g = vmul(g, clip);
        m_here = vadd(vmul(m_here, beta1), vmul(g, rest1));
        v_here = vadd(vmul(v_here, beta2), vmul(vmul(g, g), rest2));
        const vf direction = vdiv(vmul(m_here, c1), vadd(vsqrt(vmul(v_here, c2)), eps));
        w_here = vadd(vmul(w_here, keep), vmul(direction, minus_rate));
    };
    in_vectors(n, [&](int64_t i) {
            vf m_here = vload(m + i), v_here = vload(v + i), w_here = vload(w + i);
            step(vload(gradient + i), m_here, v_here, w_here);
            vstore(m + i, m_here);
            vstore(v + i, v_here);
            vstore(w + i, w_here);
            vstore(gradient + i, vset(0));
        }, [&](int64_t i, int64_t count) {
            vf m_here = vload_part(m + i, count), v_here = vload_part(v + i, count), w_here = vload_part(w + i, count);
            step(vload_part(gradient + i, count), m_here, v_here, w_here);
            vstore_part(m + i, m_here, count);
            vstore_part(v + i, v_here, count);
            vstore_part(w + i, w_here, count);
            vstore_part(gradient + i, vset(0), count);
        });
}

} // namespace
