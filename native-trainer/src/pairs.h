// Preference pairs as token ids, and one pair packed into a single sequence.
#pragma once

#include "protocol.h"

#include <cstdint>
#include <string>
#include <vector>

struct token_pair {
    json                 id;
    std::vector<int32_t> prompt, chosen, rejected;
    std::vector<uint8_t> chosen_mask, rejected_mask; // 1 = carries loss; always as long as the response
};

struct pair_set {
    std::vector<token_pair> pairs;
    std::string hash;
    int64_t     n_read = 0, n_cut = 0, n_dropped = 0, n_over_window = 0;
    int64_t     max_tokens = 0;                      // of the longest packed pair
};

// Reads JSON lines {"id","prompt":[ids],"chosen":[ids],"rejected":[ids],"chosen_mask"?,"rejected_mask"?}. Responses are cut
// at max_length tokens with the prompt; a pair of which nothing that carries loss is left is dropped, and so is one that is
// then longer than `window` tokens (0 = any length). All are counted.
pair_set pairs_read(const std::string & path, int64_t n_vocab, int64_t max_length, int64_t window = 0);

// The largest max_length with which no packed pair has more than n_tokens; 0 when there is none that leaves a response.
int64_t max_length_for(const std::vector<const pair_set *> & sets, int64_t n_tokens);

enum row_kind : uint8_t { ROW_PROMPT, ROW_CHOSEN, ROW_REJECTED };

// [prompt | chosen | rejected] in one sequence: the prompt is computed once. Both responses have positions that follow the
// prompt, and the attention mask hides each from the other. A row is a token whose log-probability the loss needs: the
// hidden state at `rows` predicts `targets`. The last prompt token predicts the first token of both responses.
struct packed_pair {
    int64_t n_prompt = 0, n_chosen = 0, n_rejected = 0, n_tokens = 0;
    std::vector<int32_t> ids, pos;                   // (n_tokens)
    std::vector<int32_t> rows, targets;              // (n_rows)
    std::vector<row_kind> kinds;
    bool has_prompt = false;                         // the prompt's own rows are among them
};

// with_prompt: rows for the prompt's own tokens too (for losses that need them, loss.h).
packed_pair pair_pack(const token_pair & pair, bool with_prompt);

// (n_tokens, n_tokens), row = query: 0 where query i sees key j, else -inf. i sees j when j <= i and j is in the prompt or in
// the segment of i.
std::vector<float> attention_mask(const packed_pair & pair);
