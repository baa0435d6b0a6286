// What the tests share: checks that are counted, fixtures, the trainer as a child process.
#pragma once

#include "gradient-check.h"
#include "run.h"

#include <map>
#include <string>
#include <vector>

// ---- checks

void check(bool ok, const std::string & what);
void check_error(const std::string & what, double error, double limit); // printed with its limit; NaN fails
int  test_result();                                                     // prints the counts; the exit code of main

double relative_error(double value, double expected, double scale = 0); // |value - expected| / max(|expected|, scale)

// ---- files

std::string fixture(const std::string & name);
std::string tmp_file(const std::string & name);       // in a folder of this test program, removed at its end
std::string read_text(const std::string & path);
void        write_text(const std::string & path, const std::string & text);
json        read_json(const std::string & path);

// The tensors of an adapter or gradient file.
std::map<std::string, std::vector<float>> read_tensors(const std::string & path);

// ---- the trainer

// "cpu" unless PREFLEXOR_TEST_DEVICE says otherwise. Devices that round products (TF32 on CUDA) set
// PREFLEXOR_TEST_TOLERANCE, a factor on the golden limits; figures are always printed.
std::string test_device();
double      test_tolerance();
void        skip_without_device();  // ends the program, saying so

// Computes with primitives-ggml.cpp rather than the CPU's own kernels.
bool        uses_ggml_operators();

struct trainer_output {
    int               exit = -1;
    std::vector<json> events;
    std::string       text;

    const json *      last() const { return events.empty() ? nullptr : &events.back(); }
    std::vector<json> of(const std::string & event) const;
    std::string       error_code() const; // of the last event, empty when it is no error
};

trainer_output run_trainer(const std::string & command, const std::string & argument, const std::string & shell = "");
// `shell` runs before the trainer, in its shell.
trainer_output run_trainer(const std::string & command, const json & config, const std::string & shell = "");

// What there are goldens of; "" is llama. All have ORPO's, some have EXO's and masked pairs as well. PREFLEXOR_TEST_SETS (on Vulkan PREFLEXOR_TEST_VULKAN_SETS), a number,
// limits each list to its first ones, for devices that take minutes for one.
std::vector<const char *> golden_sets();
std::vector<const char *> golden_exo_sets();
std::vector<const char *> golden_masked_sets();
std::vector<const char *> golden_losses_sets();
std::string golden_name(const std::string & name, const std::string & set); // "golden-orpo" -> "golden-orpo-qwen2"

// The losses beside ORPO and EXO, and weighted sums: tags of the runs in golden-losses.json, which hold their config.
std::vector<std::string> golden_losses();
json golden_runs(const std::string & set);  // by value: a range-for keeps it
json golden_loss(const std::string & loss); // its keys of the config

// The goldens' model, adapter and settings; `loss` is "orpo", "exo" or one of golden_losses.
json golden_config(const std::string & set, const std::string & loss, bool masked = false);

// The same in this process.
struct test_policy {
    train_config config;
    policy       p;
    pair_set     set;
};

void test_policy_open(test_policy & t, const json & config);
void test_policy_close(test_policy & t);
// B = size sin(...): B = 0 would leave A without a gradient.
void fill_b(lora_adapter & adapter, float size);
std::map<std::string, std::vector<float>> gradients_of(const policy & p);
double norm_of(const std::map<std::string, std::vector<float>> & tensors);
double distance_of(const std::map<std::string, std::vector<float>> & a, const std::map<std::string, std::vector<float>> & b);
double cosine_of(const std::map<std::string, std::vector<float>> & a, const std::map<std::string, std::vector<float>> & b);
