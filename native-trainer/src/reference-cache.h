// Log-probabilities of reference models on disk, kept across runs.
//
// A folder with one text file for each identity: everything that the bits depend on but the pair. A line is a pair:
//   <hash of the pair> <chosen sum> <rejected sum> <hash of the line and the identity>
// the sums as the bits of a double in hexadecimal. Lines are only ever appended, each in one write, so that several runs may
// share a folder. What is damaged, half-written or of another identity fails its hash and is computed again. A cache that
// cannot be read or written costs time and never a run. The folder is bounded: MAX_FILES of MAX_FILE_BYTES.
#pragma once

#include "pairs.h"

#include <string>
#include <unordered_map>

struct reference_sums {
    double chosen = 0, rejected = 0;
};

struct reference_cache {
    std::string path;               // empty: no cache
    std::string identity;           // hash
    bool        writable = true;
    std::unordered_map<std::string, reference_sums> known;
};

void reference_cache_open(reference_cache & c, const std::string & folder, const json & identity);

// Of exactly what is computed: token ids, segments, and the rows whose log-probabilities are summed.
std::string reference_cache_key(const packed_pair & pair);
bool        reference_cache_find(const reference_cache & c, const std::string & key, reference_sums & sums);
void        reference_cache_add(reference_cache & c, const std::string & key, const reference_sums & sums);
