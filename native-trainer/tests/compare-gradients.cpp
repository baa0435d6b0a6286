// What products in BF16 do to the gradient of real pairs: precision "auto" and "fine" beside "f32", pair by pair, with the same
// weights.
//
//   compare-gradients MODEL.gguf PAIRS.jsonl N [ADAPTER.gguf]      the first N pairs; without an adapter a random one
//
// PAIRS.jsonl are token ids for that model, as every run of a workspace keeps them (runs/<id>/pairs.jsonl).
//
// Prints for each loss the median and the largest of |g - g_f32| / |g_f32|, of 1 - cosine, and of the difference of the norms.
#include "common.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

typedef std::map<std::string, std::vector<float>> tensors;

static std::vector<tensors> gradients(const json & config, size_t n) {
    test_policy t;
    test_policy_open(t, config);
    if (!config.contains("adapter_in")) {
        fill_b(t.p.lora, 0.01f);
    }
    std::vector<tensors> list;
    for (size_t i = 0; i < std::min(n, t.set.pairs.size()); i++) {
        policy_loss(t.p, t.config, t.set.pairs[i], true);
        list.push_back(gradients_of(t.p));
    }
    test_policy_close(t);
    return list;
}

static void print_line(const char * what, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    printf("    %-24s median %8.2e, largest %8.2e\n", what, values[values.size()/2], values.back());
}

static void compare(const char * loss, const char * precision, const std::vector<tensors> & exact, const std::vector<tensors> & rounded) {
    std::vector<double> distance, angle, norm;
    for (size_t i = 0; i < exact.size(); i++) {
        const double length = norm_of(exact[i]);
        distance.push_back(distance_of(rounded[i], exact[i])/length);
        angle.push_back(1 - cosine_of(rounded[i], exact[i]));
        norm.push_back(fabs(norm_of(rounded[i])/length - 1));
    }
    printf("%s, %s, %zu pairs\n", loss, precision, exact.size());
    print_line("|g - g_f32| / |g_f32|", distance);
    print_line("1 - cosine", angle);
    print_line("||g| / |g_f32| - 1|", norm);
}

int main(int argc, char ** argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: compare-gradients MODEL.gguf PAIRS.jsonl N [ADAPTER.gguf]\n");
        return 2;
    }
    const size_t n = (size_t) atoi(argv[3]);
    for (const char * loss : {"orpo", "exo", "dpo", "ipo", "simpo", "sft"}) {
        json config = {{"model", argv[1]}, {"pairs", argv[2]}, {"device", "cpu"}, {"loss", loss}, {"precision", "f32"}};
        if (argc > 4) {
            config["adapter_in"] = argv[4];
        }
        const std::vector<tensors> exact = gradients(config, n);
        for (const char * precision : {"auto", "fine"}) {
            config["precision"] = precision;
            compare(loss, precision, exact, gradients(config, n));
        }
    }
    return 0;
}
