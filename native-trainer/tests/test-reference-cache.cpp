// Reference log-probabilities come from the cache with the same bits, and a cache that is damaged is never believed.
#include "common.h"

#include "platform.h"
#include "random.h"
#include "reference-cache.h"

#include <filesystem>
#include <thread>

namespace fs = std::filesystem;

static json run_config(const std::string & name, const std::string & cache) {
    json config = golden_config("", "exo");
    config["adapter_out"] = tmp_file(name + ".gguf");
    config["max_steps"] = 4;
    config["gradient_accumulation_steps"] = 3;
    config["learning_rate"] = 1e-3;
    if (!cache.empty()) {
        config["reference_cache"] = tmp_file(cache);
    }
    return config;
}

static std::map<std::string, std::vector<float>> train(const json & config, int n_cached, const std::string & what) {
    const trainer_output out = run_trainer("train", config);
    const std::vector<json> references = out.of("reference");
    check(out.exit == EXIT_DONE && !references.empty(), what + ": " + out.text.substr(0, 400));
    if (out.exit != EXIT_DONE || references.empty()) {
        return {};
    }
    const json & last = references.back();
    check(last.at("done") == last.at("pairs") && last.at("cached") == n_cached, what + ": " + last.dump());
    return read_tensors(config.at("adapter_out"));
}

static std::vector<std::string> cache_files(const std::string & cache) {
    std::vector<std::string> files;
    for (const std::string & name : platform_list_dir(tmp_file(cache))) {
        files.push_back(platform_join(tmp_file(cache), name));
    }
    return files;
}

static void test_reuse() {
    const auto without = train(run_config("without", ""), 0, "without a cache");
    const auto first   = train(run_config("first", "deep/cache"), 0, "an empty cache in a new folder");
    const auto second  = train(run_config("second", "deep/cache"), 12, "everything from the cache");
    check(first == without && second == without, "the same adapter, bit for bit, with and without the cache");
    const trainer_output again = run_trainer("train", run_config("again", "deep/cache"));
    check(again.of("reference").size() == 1 && again.of("hello").at(0).at("reference_cache").at("pairs") == 12, "hello counts the known pairs: " + again.text.substr(0, 2000));

    json masked = run_config("masked", "deep/cache");
    masked["pairs"] = fixture("pairs-masked.jsonl");
    train(masked, 3, "other masks are other pairs; three pairs have none");
    json adapter = run_config("adapter", "deep/cache");
    adapter["reference"] = "adapter_in";
    train(adapter, 0, "another reference has a file of its own");
    check(cache_files("deep/cache").size() == 2, "one file for each reference");
    adapter.erase("reference");
    adapter["reference_adapter"] = adapter.at("adapter_in");
    train(adapter, 12, "the same adapter as reference_adapter is the same reference");
    adapter["reference_adapter"] = fixture("final-adapter-orpo.gguf");
    train(adapter, 0, "another reference_adapter is not");
    json base = run_config("other-adapter", "deep/cache");
    base["adapter_in"] = fixture("final-adapter-orpo.gguf");
    train(base, 12, "the base model does not depend on adapter_in");
}

static void test_damage() {
    const auto expected = train(run_config("damage-whole", "damaged"), 0, "a cache to damage");
    const std::string path = cache_files("damaged").at(0), whole = read_text(path);
    const auto with = [&](const std::string & text, const std::string & what, bool warns) {
        write_text(path, text);
        const json config = run_config("damage", "damaged");
        const trainer_output out = run_trainer("train", config);
        bool warned = false;
        for (const json & warning : out.of("warning")) {
            warned = warned || warning.at("code") == "REFERENCE_CACHE";
        }
        check(out.exit == EXIT_DONE && warned == warns, what + ": " + out.text.substr(0, 400));
        check(read_tensors(config.at("adapter_out")) == expected, what + ": the same adapter");
        check(run_trainer("train", run_config("repaired", "damaged")).of("reference").back().at("cached") == 12, what + ": whole again after it");
    };
    with("", "an empty file", false);
    with(whole.substr(0, whole.size() - 30), "a last line cut short", false); // another run may be writing it
    with(std::string(5000, '\0') + "\n" + whole, "zeros", true);
    with("\n\n" + whole + whole, "lines that occur twice", false);
    for (uint64_t i = 0; i < 6; i++) {
        std::string text = whole;
        const size_t header = whole.find('\n') + 1; // after it, all but line ends counts
        size_t place = header + random_bits(11, i, 0) % (text.size() - header);
        place += text[place] == '\n' ? (text[place + 1] == '\n' ? 2 : 1) : 0;
        place = std::min(place, text.size() - 2);
        text[place] = text[place] == '7' ? '8' : '7';
        with(text, "a changed digit at " + std::to_string(place), true);
    }
    fs::rename(fs::u8path(path), fs::u8path(path + ".other"));
    json other = run_config("other-file", "damaged");
    other["reference"] = "adapter_in";
    train(other, 0, "another reference");
    for (const std::string & file : cache_files("damaged")) {
        if (file != path + ".other") {
            fs::copy_file(fs::u8path(path + ".other"), fs::u8path(file), fs::copy_options::overwrite_existing);
        }
    }
    train(other, 0, "the file of another reference under this one's name");
}

static void test_unwritable() {
    write_text(tmp_file("file"), "no folder");
    const trainer_output out = run_trainer("train", run_config("unwritable", "file"));
    check(out.exit == EXIT_DONE && out.text.find("REFERENCE_CACHE") != std::string::npos, "a cache that cannot be written is a warning: " + out.text.substr(0, 300));
}

// Several runs append to one file at a time, without waiting for each other.
static void test_two_runs() {
    const json identity = {{"of", "two runs"}};
    const int n_runs = 4, n_lines = 300;
    std::vector<std::thread> runs;
    for (int run = 0; run < n_runs; run++) {
        runs.emplace_back([&, run] {
            reference_cache c;
            reference_cache_open(c, tmp_file("shared"), identity);
            for (int i = 0; i < n_lines; i++) {
                packed_pair pair;
                pair.ids = {run, i};
                reference_cache_add(c, reference_cache_key(pair), {-run - 0.1, -i - 0.1});
            }
        });
    }
    for (std::thread & run : runs) {
        run.join();
    }
    reference_cache c;
    reference_cache_open(c, tmp_file("shared"), identity);
    check(c.known.size() == (size_t) (n_runs*n_lines), "every line of every run is there: " + std::to_string(c.known.size()));
    packed_pair pair;
    pair.ids = {3, 299};
    reference_sums sums;
    check(reference_cache_find(c, reference_cache_key(pair), sums) && sums.chosen == -3.1 && sums.rejected == -299.1, "with its value");
}

static void test_bound() {
    for (int i = 0; i < 100; i++) {
        reference_cache c;
        reference_cache_open(c, tmp_file("bounded"), {{"model", i}});
        reference_cache_add(c, "0123456789abcdef", {-1, -2});
    }
    check(cache_files("bounded").size() == 64, "the folder keeps the newest files");
    reference_cache c;
    reference_cache_open(c, tmp_file("bounded"), {{"model", 99}});
    check(c.known.size() == 1, "the newest is one of them");
    write_text(c.path, std::string(17 << 20, '\n'));
    reference_cache_open(c = reference_cache(), tmp_file("bounded"), {{"model", 99}});
    check(c.known.empty() && platform_file_size(c.path) < 1000, "a file that grew too large is begun again");
}

int main() {
    test_reuse();
    test_damage();
    test_unwritable();
    test_two_runs();
    test_bound();
    return test_result();
}
