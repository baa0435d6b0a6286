#include "pairs.h"

#include "hash.h"
#include "platform.h"

#include <algorithm>
#include <cmath>

struct line_context {
    const std::string & path;
    int64_t             number;

    [[noreturn]] void fail(const char * code, const std::string & what) const {
        fail_input(code, path + ", line " + std::to_string(number) + ": " + what, "Export the pairs again with the tokenizer of this model.");
    }
};

static std::vector<int32_t> read_ids(const json & row, const char * key, int64_t n_vocab, const line_context & at) {
    const auto it = row.find(key);
    if (it == row.end() || !it->is_array()) {
        at.fail("PAIRS_INVALID", std::string(key) + " must be a list of token ids");
    }
    std::vector<int32_t> ids;
    ids.reserve(it->size());
    for (const json & id : *it) {
        const bool whole = id.is_number_unsigned() || (id.is_number_integer() && id.get<int64_t>() >= 0);
        if (!whole || id.get<uint64_t>() >= (uint64_t) n_vocab) {
            at.fail("ID_OUT_OF_VOCABULARY", std::string(key) + " has the token id " + id.dump().substr(0, 40) + ", the model knows 0 to " + std::to_string(n_vocab - 1));
        }
        ids.push_back((int32_t) id.get<uint64_t>());
    }
    if (ids.empty()) {
        at.fail(std::string(key) == "prompt" ? "EMPTY_PROMPT" : "EMPTY_RESPONSE", std::string(key) + " is empty");
    }
    return ids;
}

static std::vector<uint8_t> read_mask(const json & row, const char * key, size_t n, const line_context & at) {
    const auto it = row.find(key);
    if (it == row.end() || it->is_null()) {
        return std::vector<uint8_t>(n, 1);
    }
    if (!it->is_array() || it->size() != n) {
        at.fail("PAIRS_INVALID", std::string(key) + " must be a list of " + std::to_string(n) + " numbers 0 or 1, one for each response token");
    }
    std::vector<uint8_t> mask;
    for (const json & value : *it) {
        const bool valid = value.is_boolean() || (value.is_number() && (value.get<double>() == 0 || value.get<double>() == 1));
        if (!valid) {
            at.fail("PAIRS_INVALID", std::string(key) + " must hold 0 and 1 only");
        }
        mask.push_back(value.is_boolean() ? value.get<bool>() : value.get<double>() == 1);
    }
    if (std::find(mask.begin(), mask.end(), 1) == mask.end()) {
        at.fail("EMPTY_RESPONSE", std::string(key) + " leaves no token that carries loss");
    }
    return mask;
}

static token_pair read_pair(const std::string & line, int64_t n_vocab, const line_context & at) {
    const json row = json_parse(line);
    if (!row.is_object()) {
        at.fail("PAIRS_INVALID", "is not a JSON object");
    }
    token_pair pair;
    pair.id       = row.contains("id") ? row["id"] : json(at.number - 1);
    pair.prompt   = read_ids(row, "prompt",   n_vocab, at);
    pair.chosen   = read_ids(row, "chosen",   n_vocab, at);
    pair.rejected = read_ids(row, "rejected", n_vocab, at);
    pair.chosen_mask   = read_mask(row, "chosen_mask",   pair.chosen.size(),   at);
    pair.rejected_mask = read_mask(row, "rejected_mask", pair.rejected.size(), at);
    return pair;
}

// Cuts the tail. Returns whether something was cut; ids become empty when nothing that carries loss is left.
static bool cut_response(std::vector<int32_t> & ids, std::vector<uint8_t> & mask, int64_t room) {
    if ((int64_t) ids.size() <= room) {
        return false;
    }
    ids.resize((size_t) std::max<int64_t>(room, 0));
    mask.resize(ids.size());
    if (std::find(mask.begin(), mask.end(), 1) == mask.end()) {
        ids.clear();
    }
    return true;
}

static void add_pair(pair_set & set, token_pair && pair, int64_t max_length, int64_t window) {
    set.n_read++;
    const int64_t room = max_length - (int64_t) pair.prompt.size();
    const bool cut_chosen   = cut_response(pair.chosen,   pair.chosen_mask,   room);
    const bool cut_rejected = cut_response(pair.rejected, pair.rejected_mask, room);
    if (pair.chosen.empty() || pair.rejected.empty()) {
        set.n_dropped++;
        return;
    }
    if (window > 0 && (int64_t) (pair.prompt.size() + std::max(pair.chosen.size(), pair.rejected.size())) > window) {
        set.n_over_window++;
        return;
    }
    set.n_cut += cut_chosen || cut_rejected;
    set.max_tokens = std::max<int64_t>(set.max_tokens, (int64_t) (pair.prompt.size() + pair.chosen.size() + pair.rejected.size()));
    set.pairs.push_back(std::move(pair));
}

static std::string hash_pairs(const std::vector<token_pair> & pairs) {
    content_hash hash;
    for (const token_pair & pair : pairs) {
        for (const std::vector<int32_t> * ids : {&pair.prompt, &pair.chosen, &pair.rejected}) {
            hash.add(ids->data(), ids->size()*sizeof(int32_t));
        }
        hash.add(pair.chosen_mask.data(), pair.chosen_mask.size());
        hash.add(pair.rejected_mask.data(), pair.rejected_mask.size());
    }
    return hash.hex();
}

// Three lists of the largest max_length fit. A value in memory takes several times its text, so that a file of another
// kind with one endless line would take all there is.
static const size_t MAX_LINE_BYTES = 32 << 20;

// One line without its end; false at the end of the file.
static bool read_line(FILE * file, std::string & line, const line_context & at) {
    line.clear();
    int c;
    while ((c = getc(file)) != EOF && c != '\n') {
        if (line.size() == MAX_LINE_BYTES) {
            at.fail("PAIRS_INVALID", "is longer than " + std::to_string(MAX_LINE_BYTES >> 20) + " MB");
        }
        line += (char) c;
    }
    return c != EOF || !line.empty();
}

static void nothing_left_check(const pair_set & set, int64_t max_length, int64_t window) {
    if (!set.pairs.empty()) {
        return;
    }
    const std::string of = std::to_string(set.n_read) + " pairs";
    if (set.n_over_window > 0) {
        fail_input("SLIDING_WINDOW", "all of the " + of + " are dropped: the model has layers that see " + std::to_string(window) + " tokens, and longer pairs cannot be trained yet",
            "Set max_length to " + std::to_string(window) + " to cut them, or use shorter pairs.");
    }
    fail_input("NO_PAIRS", "max_length " + std::to_string(max_length) + " leaves nothing of any of the " + of, "Use a larger max_length.");
}

pair_set pairs_read(const std::string & path, int64_t n_vocab, int64_t max_length, int64_t window) {
    FILE * file = platform_file_size(path) >= 0 ? platform_open_file(path, "rb") : nullptr;
    if (!file) {
        fail_input("FILE_NOT_FOUND", "pairs file not found: " + path, "Check the path in the config.");
    }
    pair_set set;
    std::string line;
    try {
        for (int64_t number = 1; read_line(file, line, {path, number}); number++) {
            if (line.find_first_not_of(" \t\r") != std::string::npos) {
                add_pair(set, read_pair(line, n_vocab, {path, number}), max_length, window);
            }
        }
    } catch (...) {
        fclose(file);
        throw;
    }
    fclose(file);
    if (set.n_read == 0) {
        fail_input("NO_PAIRS", "pairs file is empty: " + path, "Generate or import pairs first.");
    }
    nothing_left_check(set, max_length, window);
    set.hash = hash_pairs(set.pairs);
    return set;
}

static int64_t packed_tokens(const token_pair & pair, int64_t max_length) {
    const int64_t prompt = (int64_t) pair.prompt.size(), room = max_length - prompt;
    return room > 0 ? prompt + std::min((int64_t) pair.chosen.size(), room) + std::min((int64_t) pair.rejected.size(), room) : 0;
}

int64_t max_length_for(const std::vector<const pair_set *> & sets, int64_t n_tokens) {
    const auto longest = [&](int64_t max_length) {
        int64_t n = 0;
        for (const pair_set * set : sets) {
            for (const token_pair & pair : set->pairs) {
                n = std::max(n, packed_tokens(pair, max_length));
            }
        }
        return n;
    };
    int64_t low = 1, high = 1 << 20;
    while (high - low > 1) {
        const int64_t middle = low + (high - low)/2;
        (longest(middle) <= n_tokens ? low : high) = middle;
    }
    return longest(low) > 0 ? low : 0;
}

// ---- packing

static void add_rows(packed_pair & packed, const std::vector<int32_t> & response, const std::vector<uint8_t> & mask, int64_t start, row_kind kind) {
    for (size_t i = 0; i < response.size(); i++) {
        if (mask[i]) {
            packed.rows.push_back((int32_t) (i == 0 ? packed.n_prompt - 1 : start + (int64_t) i - 1));
            packed.targets.push_back(response[i]);
            packed.kinds.push_back(kind);
        }
    }
}

packed_pair pair_pack(const token_pair & pair, bool with_prompt) {
    packed_pair packed;
    packed.n_prompt   = (int64_t) pair.prompt.size();
    packed.n_chosen   = (int64_t) pair.chosen.size();
    packed.n_rejected = (int64_t) pair.rejected.size();
    packed.n_tokens   = packed.n_prompt + packed.n_chosen + packed.n_rejected;
    packed.has_prompt = with_prompt;
    for (const std::vector<int32_t> * ids : {&pair.prompt, &pair.chosen, &pair.rejected}) {
        packed.ids.insert(packed.ids.end(), ids->begin(), ids->end());
    }
    const int64_t chosen_end = packed.n_prompt + packed.n_chosen;
    for (int64_t i = 0; i < packed.n_tokens; i++) {
        packed.pos.push_back((int32_t) (i < chosen_end ? i : i - packed.n_chosen));
    }
    for (int64_t t = 1; with_prompt && t < packed.n_prompt; t++) {
        packed.rows.push_back((int32_t) (t - 1));
        packed.targets.push_back(pair.prompt[(size_t) t]);
        packed.kinds.push_back(ROW_PROMPT);
    }
    add_rows(packed, pair.chosen,   pair.chosen_mask,   packed.n_prompt, ROW_CHOSEN);
    add_rows(packed, pair.rejected, pair.rejected_mask, chosen_end, ROW_REJECTED);
    return packed;
}

std::vector<float> attention_mask(const packed_pair & packed) {
    const int64_t n = packed.n_tokens, chosen_end = packed.n_prompt + packed.n_chosen;
    std::vector<float> mask((size_t) (n*n), -INFINITY);
    for (int64_t i = 0; i < n; i++) {
        float * row = &mask[(size_t) (i*n)];
        std::fill(row, row + std::min(i + 1, packed.n_prompt), 0.0f);
        if (i >= packed.n_prompt) {
            std::fill(row + (i < chosen_end ? packed.n_prompt : chosen_end), row + i + 1, 0.0f);
        }
    }
    return mask;
}
