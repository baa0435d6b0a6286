// Each loop of each instruction set that this CPU can run, against plain loops in double. Lengths are chosen so that every
// kernel meets its tail: rows that fill no register block, columns that fill no panel, sums that end inside a vector.
#include "common.h"
#include "cpu/dispatch.h"
#include "cpu/product.h"
#include "random.h"

#include <cmath>
#include <cstring>

typedef std::vector<double> doubles;

static std::vector<float> random_floats(size_t n, uint64_t stream, double bound = 1) {
    std::vector<float> values(n);
    for (size_t i = 0; i < n; i++) {
        values[i] = (float) (bound*(2*random_unit(7, stream, i) - 1));
    }
    return values;
}

static float from_bf16(uint16_t x) {
    const uint32_t bits = (uint32_t) x << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

// numbers in product type, with their exact values
struct products {
    std::vector<char> bytes;
    doubles values;
};

static products to_products(const cpu_kernels & k, const std::vector<float> & x) {
    products p;
    p.bytes.resize(x.size()*(size_t) product_size(k) + 64);
    k.to_product(x.data(), 1.0f, (int64_t) x.size(), p.bytes.data());
    for (size_t i = 0; i < x.size(); i++) {
        p.values.push_back(k.product == GGML_TYPE_BF16 ? from_bf16(((const uint16_t *) p.bytes.data())[i]) : ((const float *) p.bytes.data())[i]);
    }
    return p;
}

static doubles read_products(const cpu_kernels & k, const void * p, size_t n) {
    doubles values(n);
    for (size_t i = 0; i < n; i++) {
        values[i] = k.product == GGML_TYPE_BF16 ? from_bf16(((const uint16_t *) p)[i]) : ((const float *) p)[i];
    }
    return values;
}

template <typename A>
static double distance(const A & a, const doubles & expected) {
    double error = 0, norm = 0;
    for (size_t i = 0; i < expected.size(); i++) {
        error += (a[i] - expected[i])*(a[i] - expected[i]);
        norm  += expected[i]*expected[i];
    }
    return std::sqrt(error/norm); // NaN when something is
}

// Relative rms of a result rounded to product numbers
static double rounding(const cpu_kernels & k) { return k.product == GGML_TYPE_BF16 ? 3e-3 : 3e-7; }

// C = A W for both ways of packing, twice (the second time added), and a second segment
static void test_gemm(const cpu_kernels & k, int64_t m, int64_t n, int64_t length) {
    const int64_t padded = padded_k(k, length);
    std::vector<float> x = random_floats((size_t) (m*padded), 1), w = random_floats((size_t) (n*length), 2);
    for (int64_t i = 0; i < m*padded; i++) {
        x[(size_t) i] = i % padded < length ? x[(size_t) i] : 0.0f;
    }
    const products a = to_products(k, x), b = to_products(k, w);
    const int64_t n_panels = (n + k.panel - 1)/k.panel, panel = padded*k.panel;
    std::vector<char> memory((size_t) (n_panels*panel*product_size(k) + 64));
    char * panels = memory.data() + (64 - (uintptr_t) memory.data() % 64) % 64;
    for (bool rows_are_columns : {true, false}) {
        for (int64_t j = 0; j < n; j += k.panel) {
            const int64_t count = std::min(k.panel, n - j);
            void * to = elements(k, panels, j/k.panel*panel);
            if (rows_are_columns) {
                k.pack_columns(elements(k, b.bytes.data(), j*length), length, count, length, padded, to);
            } else {
                k.pack_rows(elements(k, b.bytes.data(), j), n, length, count, padded, to);
            }
        }
        doubles expected((size_t) (m*n));
        for (int64_t i = 0; i < m; i++) {
            for (int64_t j = 0; j < n; j++) {
                for (int64_t l = 0; l < length; l++) {
                    expected[(size_t) (i*n + j)] += 3*a.values[(size_t) (i*padded + l)]*b.values[(size_t) (rows_are_columns ? j*length + l : l*n + j)];
                }
            }
        }
        const int64_t ld = n + 3;
        std::vector<float> c((size_t) (m*ld), 99.0f), packed;
        const gemm_segment segment = {a.bytes.data(), padded, panels, panel, padded}, twice[2] = {segment, segment};
        k.gemm(m, n, twice, 2, c.data(), ld, false);
        k.gemm(m, n, &segment, 1, c.data(), ld, true);
        bool untouched = true;
        for (int64_t i = 0; i < m; i++) {
            packed.insert(packed.end(), c.begin() + i*ld, c.begin() + i*ld + n);
            untouched = untouched && c[(size_t) (i*ld + n)] == 99.0f;
        }
        const std::string what = std::string(k.name) + " product " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(length) + (rows_are_columns ? ", columns" : ", rows");
        check_error(what, distance(packed, expected), 2e-6);
        check(untouched, what + ": nothing is written beside the result");
    }
}

static void test_rows(const cpu_kernels & k, int64_t n) {
    const size_t size = (size_t) n;
    const std::string name = std::string(k.name) + " n " + std::to_string(n) + " ";
    const std::vector<float> x = random_floats(size, 1, 3), w = random_floats(size, 2), dy = random_floats(size, 3), up = random_floats(size, 4);
    std::vector<float> y(size + 1, 99.0f);
    std::vector<char> p((size + 1)*4), p2((size + 1)*4);
    const double eps = 1e-5;

    double squares = 0, along = 0;
    for (size_t i = 0; i < size; i++) {
        squares += (double) x[i]*x[i];
        along   += (double) x[i]*w[i]*dy[i];
    }
    const double inverse = 1/std::sqrt(squares/(double) n + eps);
    doubles norm(size), norm_back(size), swiglu(size), geglu(size), exps(size), ds(size), neox(size), pairs(size);
    double sum = 0, dot = 0;
    for (size_t i = 0; i < size; i++) {
        norm[i]      = x[i]*inverse*w[i];
        norm_back[i] = inverse*(w[i]*dy[i] - x[i]*inverse*inverse*along/(double) n);
        const double s = 1/(1 + std::exp(-(double) x[i]));
        swiglu[i] = x[i]*s*up[i];
        const double g = x[i], c = std::sqrt(2/std::acos(-1.0)), t = std::tanh(c*(g + 0.044715*g*g*g));
        geglu[i]       = 0.5*g*(1 + t)*up[i];
        exps[i]   = std::exp(0.7*x[i] - 2.5);
        ds[i]     = 0.7*exps[i]*((double) dy[i] - 0.3);
        sum += exps[i];
    }
    k.norm(x.data(), w.data(), n, (float) eps, y.data(), false);
    check_error(name + "norm", distance(y, norm), 1e-6);
    k.norm(x.data(), w.data(), n, (float) eps, p.data(), true);
    check_error(name + "norm, rounded", distance(read_products(k, p.data(), size), norm), rounding(k)*2);
    k.norm_back(dy.data(), x.data(), w.data(), n, (float) eps, y.data());
    check_error(name + "norm backward", distance(y, norm_back), 2e-6);
    check(y[size] == 99.0f, name + "norm backward stays inside its row");
    k.glu(x.data(), up.data(), false, n, p.data());
    check_error(name + "swiglu", distance(read_products(k, p.data(), size), swiglu), rounding(k)*2);
    k.glu(x.data(), up.data(), true, n, p.data());
    check_error(name + "geglu", distance(read_products(k, p.data(), size), geglu), rounding(k)*2);

    k.glu_f32(x.data(), up.data(), false, n, y.data());
    check_error(name + "swiglu, F32", distance(y, swiglu), 2e-6);
    k.glu_f32(x.data(), up.data(), true, n, y.data());
    check_error(name + "geglu, F32", distance(y, geglu), 2e-6);
    check(y[size] == 99.0f, name + "geglu stays inside its row");
    k.split(x.data(), 1.0f, n, p.data(), p2.data());
    const doubles high = read_products(k, p.data(), size), low = read_products(k, p2.data(), size);
    doubles both(size), exact(x.begin(), x.begin() + (int64_t) size);
    for (size_t i = 0; i < size; i++) {
        both[i] = high[i] + low[i];
    }
    check_error(name + "high part", distance(high, exact), rounding(k)*2);
    check_error(name + "high and low part", distance(both, exact), k.product == GGML_TYPE_BF16 ? 2e-5 : 1e-7);
    check_error(name + "sum of exponentials, F32", relative_error(k.exp_row_f32(x.data(), n, 0.7f, 2.5f, y.data()), sum), 1e-6);
    check_error(name + "exponentials, F32", distance(y, exps), 1e-6);
    const float total = k.exp_row(x.data(), n, 0.7f, 2.5f, p.data());
    check_error(name + "sum of exponentials", relative_error(total, sum), 1e-6);
    check_error(name + "exponentials", distance(read_products(k, p.data(), size), exps), rounding(k)*2);
    check(k.maximum(x.data(), n) == *std::max_element(x.begin(), x.end()), name + "maximum");
    const float lse = 2.5f, delta = 0.3f;
    const std::vector<float> all_lse(size, lse), all_delta(size, delta);
    for (int stride : {0, 1}) {
        k.softmax_back(x.data(), dy.data(), stride ? all_lse.data() : &lse, stride ? all_delta.data() : &delta, stride, n, 0.7f, p2.data(), p.data());
        check_error(name + "softmax backward, p", distance(read_products(k, p2.data(), size), exps), rounding(k)*2);
        check_error(name + "softmax backward, ds", distance(read_products(k, p.data(), size), ds), rounding(k)*2);
    }
    const products v = to_products(k, dy);
    for (size_t i = 0; i < size; i++) {
        dot += x[i]*v.values[i];
    }
    check_error(name + "dot product", std::fabs(k.dot(x.data(), v.bytes.data(), n) - dot), 1e-5*std::sqrt((double) n));

    std::vector<float> nan = x;
    nan[size/2] = NAN;
    check(std::isnan(k.exp_row(nan.data(), n, 1.0f, 0.0f, p.data())), name + "a NaN stays one");
}

static void test_gated_backward(const cpu_kernels & k, int64_t n, bool gelu) {
    const size_t size = (size_t) n;
    const std::string name = std::string(k.name) + " n " + std::to_string(n) + (gelu ? " geglu" : " swiglu") + " backward, ";
    const products gate = to_products(k, random_floats(size, 1, 3)), up = to_products(k, random_floats(size, 4));
    const std::vector<float> dy = random_floats(size, 3);
    doubles expected_gate(size), expected_up(size), expected_y(size);
    for (size_t i = 0; i < size; i++) {
        const double g = gate.values[i], u = up.values[i], c = std::sqrt(2/std::acos(-1.0)), t = std::tanh(c*(g + 0.044715*g*g*g)), s = 1/(1 + std::exp(-g));
        const double act = gelu ? 0.5*g*(1 + t) : g*s, slope = gelu ? 0.5*(1 + t) + 0.5*g*(1 - t*t)*c*(1 + 3*0.044715*g*g) : s*(1 + g*(1 - s));
        expected_gate[i] = dy[i]*u*slope;
        expected_up[i]   = dy[i]*act;
        expected_y[i]    = act*u;
    }
    std::vector<char> d_gate((size + 1)*4), d_up((size + 1)*4), y((size + 1)*4);
    k.glu_back(gate.bytes.data(), up.bytes.data(), gelu, dy.data(), n, d_gate.data(), d_up.data(), y.data());
    check_error(name + "gate", distance(read_products(k, d_gate.data(), size), expected_gate), rounding(k)*2);
    check_error(name + "up", distance(read_products(k, d_up.data(), size), expected_up), rounding(k)*2);
    check_error(name + "the unit again", distance(read_products(k, y.data(), size), expected_y), rounding(k)*2);
}

// torch.optim.AdamW, in double precision
static void test_adamw(const cpu_kernels & k, int64_t n) {
    const size_t size = (size_t) n;
    const adamw_step step = {3e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 10.0f, 1000.0f, 0.25f};
    const std::vector<float> w = random_floats(size, 1), g = random_floats(size, 2), m = random_floats(size, 3, 0.1f);
    std::vector<float> v = random_floats(size, 4, 0.01f), new_w = w, new_g = g, new_m = m;
    double squares = 0;
    doubles expected_w(size), expected_m(size), expected_v(size);
    for (size_t i = 0; i < size; i++) {
        squares += (double) g[i]*g[i];
        v[i] = std::fabs(v[i]);
        const double gradient = 0.25*(double) g[i];
        expected_m[i] = 0.9*m[i] + 0.1*gradient;
        expected_v[i] = 0.999*v[i] + 0.001*gradient*gradient;
        expected_w[i] = w[i]*(1 - 3e-3*0.1) - 3e-3*expected_m[i]*10/(std::sqrt(expected_v[i]*1000) + 1e-8);
    }
    const std::string name = std::string(k.name) + " n " + std::to_string(n) + " AdamW, ";
    check_error(name + "sum of squares", relative_error(k.sum_of_squares(g.data(), n), squares), 1e-6);
    k.adamw(step, n, new_w.data(), new_g.data(), new_m.data(), v.data());
    check_error(name + "weights", distance(new_w, expected_w), 1e-6);
    check_error(name + "first moment", distance(new_m, expected_m), 1e-6);
    check_error(name + "second moment", distance(v, expected_v), 1e-6);
    check(std::all_of(new_g.begin(), new_g.end(), [](float x) { return x == 0; }), name + "the gradient is zero afterwards");
}

static void test_rope(const cpu_kernels & k, int64_t n) {
    const std::vector<float> x = random_floats((size_t) n, 1), angle = random_floats((size_t) n/2, 2, 6);
    std::vector<float> cosines, sines, y((size_t) n + 1, 99.0f), back((size_t) n);
    for (float a : angle) {
        cosines.push_back(std::cos(a));
        sines.push_back(std::sin(a));
    }
    for (bool neox : {false, true}) {
        doubles expected((size_t) n);
        for (int64_t i = 0; i < n/2; i++) {
            const size_t first = (size_t) (neox ? i : 2*i), second = (size_t) (neox ? i + n/2 : 2*i + 1);
            const double c = cosines[(size_t) i], s = sines[(size_t) i];
            expected[first]  = x[first]*c - x[second]*s;
            expected[second] = x[first]*s + x[second]*c;
        }
        const std::string name = std::string(k.name) + " rope " + std::to_string(n) + (neox ? " neox" : "");
        k.rope(x.data(), cosines.data(), sines.data(), n, neox, 1.0f, y.data());
        check_error(name, distance(y, expected), 1e-6);
        check(y[(size_t) n] == 99.0f, name + " stays inside its row");
        k.rope(y.data(), cosines.data(), sines.data(), n, neox, -1.0f, back.data());
        check_error(name + " and back", distance(back, doubles(x.begin(), x.end())), 1e-6);
    }
}

static void test_transpose(const cpu_kernels & k, int64_t m, int64_t n) {
    const std::vector<float> x = random_floats((size_t) (m*(n + 1)), 1);
    std::vector<char> y((size_t) (n*(m + 5)*4 + 64));
    k.transpose(x.data(), n + 1, m, n, 2.0f, y.data(), m + 5);
    const doubles values = read_products(k, y.data(), (size_t) (n*(m + 5)));
    double worst = 0;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            worst = std::max(worst, std::fabs(values[(size_t) (j*(m + 5) + i)] - 2.0*x[(size_t) (i*(n + 1) + j)]));
        }
    }
    check_error(std::string(k.name) + " transpose", worst, k.product == GGML_TYPE_BF16 ? 8e-3 : 0);
}

// every type, against ggml's own dequantisation
static void test_weight_rows(const cpu_kernels & k, ggml_type type) {
    const int64_t n = 512, rows = 3;
    const std::vector<float> x = random_floats((size_t) (n*rows), 1);
    ggml_context * ctx = ggml_init({1 << 20, nullptr, false});
    ggml_tensor * w = ggml_new_tensor_2d(ctx, type, n, rows);
    ggml_quantize_chunk(type, x.data(), w->data, 0, rows, n, nullptr);
    std::vector<float> expected((size_t) (n*rows));
    for (int64_t row = 0; row < rows; row++) {
        const char * from = (const char *) w->data + (size_t) row*w->nb[1];
        if (type == GGML_TYPE_F32) {
            memcpy(&expected[(size_t) (row*n)], from, (size_t) n*sizeof(float));
        } else {
            ggml_get_type_traits(type)->to_float(from, &expected[(size_t) (row*n)], n);
        }
    }
    std::vector<char> scratch((size_t) (n*rows*4));
    int64_t ld = 0;
    const void * got = weight_rows(k, w, 1, 2, 256, 256, scratch.data(), ld);
    double error = 0;
    for (int64_t row = 0; row < 2; row++) {
        const doubles values = read_products(k, elements(k, got, row*ld), 256);
        const std::vector<float> part(&expected[(size_t) ((row + 1)*n + 256)], &expected[(size_t) ((row + 1)*n + 256)] + 256);
        error = std::max(error, distance(values, doubles(part.begin(), part.end())));
    }
    check_error(std::string(k.name) + " reads " + ggml_type_name(type), error, rounding(k));
    ggml_free(ctx);
}

int main() {
    for (const cpu_kernels * k : cpu_kernels_available()) {
        for (int64_t m : {1, 7, 16, 29, 65}) {
            test_gemm(*k, m, 37, 45);
        }
        test_gemm(*k, 33, 64, 96);
        test_gemm(*k, 13, 5, 1);
        test_gemm(*k, 50, 80, 577);
        for (int64_t n : {3, 16, 31, 80, 577}) {
            test_rows(*k, n);
            test_gated_backward(*k, n, false);
            test_gated_backward(*k, n, true);
            test_adamw(*k, n);
        }
        for (int64_t n : {2, 10, 32, 64, 80, 128}) {
            test_rope(*k, n);
        }
        test_transpose(*k, 131, 17);
        for (ggml_type type : {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) {
            test_weight_rows(*k, type);
        }
    }
    return test_result();
}
