#include "common.h"

#include "platform.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#ifdef _WIN32
#define popen  _popen
#define pclose _pclose
static int exit_code(int status) { return status; }
static const char * const NO_INPUT = " < NUL";
static const char * const READ_BYTES = "rb";
// cmd takes the outermost quotes away
static std::string shell_line(const std::string & line) { return "\"" + line + "\""; }
#else
#include <sys/wait.h>
static int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }
static const char * const NO_INPUT = " < /dev/null";
static const char * const READ_BYTES = "r";
static std::string shell_line(const std::string & line) { return line; }
#endif

static int n_passed = 0, n_failed = 0;

void check(bool ok, const std::string & what) {
    (ok ? n_passed : n_failed)++;
    if (!ok) {
        printf("FAILED  %s\n", what.c_str());
    }
}

void check_error(const std::string & what, double error, double limit) {
    const bool ok = error <= limit;
    printf("%s  %-60s %9.2e (limit %.0e)\n", ok ? "ok    " : "FAILED", what.c_str(), error, limit);
    fflush(stdout); // what a crash follows
    (ok ? n_passed : n_failed)++;
}

int test_result() {
    fflush(stdout);
    printf("%d passed, %d failed\n", n_passed, n_failed);
    return n_failed == 0 && n_passed > 0 ? 0 : 1;
}

double relative_error(double value, double expected, double scale) {
    return fabs(value - expected)/std::max(fabs(expected), scale);
}

std::string fixture(const std::string & name) {
    return platform_join(TEST_FIXTURES, name);
}

struct tmp_dir {
    std::filesystem::path path = std::filesystem::path(TEST_TMP)/std::to_string(std::chrono::system_clock::now().time_since_epoch().count());

    tmp_dir() {
        std::filesystem::create_directories(path);
    }
    ~tmp_dir() {
        std::error_code ec;
        std::filesystem::remove_all(path, ec);
    }
};

std::string tmp_file(const std::string & name) {
    static const tmp_dir dir;
    return (dir.path/name).u8string();
}

std::string read_text(const std::string & path) {
    FILE * file = platform_open_file(path, "rb");
    if (!file) {
        printf("FAILED  cannot open %s\n", path.c_str());
        exit(1);
    }
    std::string text((size_t) platform_file_size(path), '\0');
    text.resize(fread(&text[0], 1, text.size(), file));
    fclose(file);
    return text;
}

void write_text(const std::string & path, const std::string & text) {
    FILE * file = platform_open_file(path, "wb");
    fwrite(text.data(), 1, text.size(), file);
    fclose(file);
}

json read_json(const std::string & path) {
    return json::parse(read_text(path));
}

std::map<std::string, std::vector<float>> read_tensors(const std::string & path) {
    gguf_file g;
    gguf_file_open(g, path, "test");
    std::map<std::string, std::vector<float>> tensors;
    for (const gguf_tensor_entry & t : g.tensors) {
        std::vector<float> values(t.nbytes/sizeof(float));
        gguf_file_read(g, t, 0, values.data(), t.nbytes);
        tensors[t.name] = values;
    }
    gguf_file_close(g);
    return tensors;
}

std::string test_device() {
    const std::string device = platform_env("PREFLEXOR_TEST_DEVICE");
    return device.empty() ? "cpu" : device;
}

void skip_without_device() {
    for (ggml_backend_dev_t dev : ggml_libraries_load().devices) {
        std::string name = ggml_backend_dev_name(dev);
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return (char) std::tolower(c); });
        if (name == test_device()) {
            return;
        }
    }
    printf("skipped: there is no device \"%s\" here\n", test_device().c_str());
    exit(77); // CMakeLists.txt: SKIP_RETURN_CODE
}

static std::vector<const char *> first_sets(std::vector<const char *> sets) {
    const bool vulkan = test_device().rfind("vulkan", 0) == 0;
    const std::string limit = platform_env(vulkan ? "PREFLEXOR_TEST_VULKAN_SETS" : "PREFLEXOR_TEST_SETS");
    sets.resize(limit.empty() ? sets.size() : std::min(sets.size(), (size_t) atoi(limit.c_str())));
    return sets;
}

std::vector<const char *> golden_sets()        { return first_sets({"", "tied", "qwen2", "qwen3", "smollm3", "gemma3"}); }
std::vector<const char *> golden_exo_sets()    { return first_sets({"", "tied", "smollm3", "gemma3"}); }
std::vector<const char *> golden_losses_sets() { return first_sets({"", "tied"}); }
std::vector<const char *> golden_masked_sets() { return first_sets({"", "smollm3", "gemma3"}); }

double test_tolerance() {
    const std::string factor = platform_env("PREFLEXOR_TEST_TOLERANCE");
    return factor.empty() ? 1.0 : atof(factor.c_str());
}

bool uses_ggml_operators() {
    return test_device() != "cpu" || platform_env("PREFLEXOR_CPU_ISA") == "ggml";
}

std::vector<json> trainer_output::of(const std::string & event) const {
    std::vector<json> list;
    for (const json & e : events) {
        if (e.at("event") == event) {
            list.push_back(e);
        }
    }
    return list;
}

std::string trainer_output::error_code() const {
    return last() && last()->at("event") == "error" ? last()->at("code").get<std::string>() : "";
}

trainer_output run_trainer(const std::string & command, const std::string & argument, const std::string & shell) {
    trainer_output out;
    const std::string line = shell + "\"" + TEST_TRAINER + "\" " + command + (argument.empty() ? "" : " \"" + argument + "\"") + NO_INPUT + " 2> \"" + tmp_file("stderr.txt") + "\"";
    FILE * pipe = popen(shell_line(line).c_str(), READ_BYTES);
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
        out.text.append(buffer, n);
    }
    out.exit = exit_code(pclose(pipe));
    for (size_t start = 0, end; (end = out.text.find('\n', start)) != std::string::npos; start = end + 1) {
        const json event = json::parse(out.text.substr(start, end - start), nullptr, false);
        if (!event.is_object() || !event.contains("event")) {
            check(false, "stdout has a line that is no event: " + out.text.substr(start, end - start));
            continue;
        }
        out.events.push_back(event);
    }
    return out;
}

trainer_output run_trainer(const std::string & command, const json & config, const std::string & shell) {
    static int n = 0;
    const std::string path = tmp_file("config-" + std::to_string(n++) + ".json");
    write_text(path, config.dump(1));
    return run_trainer(command, path, shell);
}

std::string golden_name(const std::string & name, const std::string & set) {
    return set.empty() ? name : name + "-" + set;
}

json golden_runs(const std::string & set) {
    return read_json(fixture(golden_name("golden-losses", set) + ".json")).at("runs");
}

std::vector<std::string> golden_losses() {
    std::vector<std::string> tags;
    for (const json & run : golden_runs("")) {
        tags.push_back(run.at("tag"));
    }
    return tags;
}

json golden_loss(const std::string & loss) {
    static const json runs = golden_runs("");
    for (const json & run : runs) {
        if (run.at("tag") == loss) {
            return run.at("config");
        }
    }
    return {{"loss", loss}, {"beta", 0.1}, {"label_smoothing", 0.005}};
}

json golden_config(const std::string & set, const std::string & loss, bool masked) {
    json config = {
        {"model", fixture(golden_name("model", set) + "-f32.gguf")},
        {"adapter_in", fixture(golden_name("adapter-init", set) + ".gguf")},
        {"pairs", fixture(masked ? "pairs-masked.jsonl" : "pairs.jsonl")},
        {"device", test_device()},
        {"threads", 1},
        {"precision", "f32"},
    };
    config.update(golden_loss(loss));
    return config;
}

void test_policy_open(test_policy & t, const json & config) {
    const std::string path = tmp_file("policy-config.json");
    write_text(path, config.dump());
    t.config = config_read(path, config_use::score);
    gguf_file g;
    model base;
    model_open(base, g, t.config.model);
    t.set = pairs_read(t.config.pairs, base.hparams.n_vocab, t.config.max_length);
    policy_init(t.p, t.config, std::move(base), g, t.set.max_tokens, /*training =*/ true);
    gguf_file_close(g);
}

void test_policy_close(test_policy & t) {
    policy_free(t.p);
}

std::map<std::string, std::vector<float>> gradients_of(const policy & p) {
    std::map<std::string, std::vector<float>> gradients;
    for (const lora_pair & pair : p.lora.pairs) {
        gradients[pair.a->name] = tensor_values(pair.grad_a);
        gradients[pair.b->name] = tensor_values(pair.grad_b);
    }
    return gradients;
}

void fill_b(lora_adapter & adapter, float size) {
    for (lora_pair & pair : adapter.pairs) {
        std::vector<float> b(ggml_nelements(pair.b));
        for (size_t i = 0; i < b.size(); i++) {
            b[i] = size*sinf((float) (i + pair.index));
        }
        ggml_backend_tensor_set(pair.b, b.data(), 0, b.size()*sizeof(float));
    }
}

double norm_of(const std::map<std::string, std::vector<float>> & tensors) {
    double sum = 0;
    for (const auto & t : tensors) {
        for (float x : t.second) {
            sum += (double) x*x;
        }
    }
    return sqrt(sum);
}

double distance_of(const std::map<std::string, std::vector<float>> & a, const std::map<std::string, std::vector<float>> & b) {
    if (a.size() != b.size()) {
        return NAN;
    }
    double sum = 0;
    for (const auto & t : a) {
        const auto other = b.find(t.first);
        if (other == b.end() || other->second.size() != t.second.size()) {
            return NAN;
        }
        for (size_t i = 0; i < t.second.size(); i++) {
            const double d = (double) t.second[i] - other->second[i];
            sum += d*d;
        }
    }
    return sqrt(sum);
}

double cosine_of(const std::map<std::string, std::vector<float>> & a, const std::map<std::string, std::vector<float>> & b) {
    double product = 0;
    for (const auto & entry : a) {
        for (size_t i = 0; i < entry.second.size(); i++) {
            product += (double) entry.second[i]*b.at(entry.first)[i];
        }
    }
    return product/(norm_of(a)*norm_of(b));
}
