#include "reference-cache.h"

#include "hash.h"
#include "platform.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace fs = std::filesystem;

static const size_t  MAX_FILES = 64;
static const int64_t MAX_FILE_BYTES = 16 << 20; // 240,000 pairs
static const char * const EXTENSION = ".ref";

// ---- one line

static std::string hex_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    char text[17];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long) bits);
    return text;
}

static double double_of(const std::string & hex) {
    const uint64_t bits = strtoull(hex.c_str(), nullptr, 16);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static std::string hash_of(const std::string & text) {
    content_hash h;
    h.add(text.data(), text.size());
    return h.hex();
}

static std::string line_of(const reference_cache & c, const std::string & key, const reference_sums & sums) {
    const std::string content = key + " " + hex_of(sums.chosen) + " " + hex_of(sums.rejected);
    return content + " " + hash_of(c.identity + content);
}

static bool read_line(reference_cache & c, const std::string & line) {
    if (line.size() != 67) { // four words of 16 digits
        return false;
    }
    const std::string key = line.substr(0, 16);
    const reference_sums sums = {double_of(line.substr(17, 16)), double_of(line.substr(34, 16))};
    if (line_of(c, key, sums) != line || !std::isfinite(sums.chosen) || !std::isfinite(sums.rejected)) {
        return false;
    }
    c.known[key] = sums;
    return true;
}

// ---- the file

static void warn(const std::string & message) {
    emit_warning("REFERENCE_CACHE", message);
}

static std::string read_file(const std::string & path) {
    const int64_t size = platform_file_size(path);
    FILE * file = size > 0 ? platform_open_file(path, "rb") : nullptr;
    std::string text;
    if (file) {
        text.resize((size_t) std::min(size, MAX_FILE_BYTES + 1));
        text.resize(fread(&text[0], 1, text.size(), file));
        fclose(file);
    }
    return text;
}

// Returns the number of lines that are no records of this identity. A last line without an end may be in the making.
static size_t read_lines(reference_cache & c, const std::string & text) {
    size_t n_damaged = 0;
    for (size_t start = 0, end; start < text.size(); start = end + 1) {
        end = std::min(text.find('\n', start), text.size());
        const std::string line = text.substr(start, end - start);
        const bool good = line.empty() || line[0] == '#' || read_line(c, line);
        n_damaged += !good && end < text.size();
    }
    return n_damaged;
}

static bool write_text(const std::string & path, const char * mode, const std::string & text) {
    FILE * file = platform_open_file(path, mode);
    if (!file) {
        return false;
    }
    const bool written = fwrite(text.data(), 1, text.size(), file) == text.size();
    return (fclose(file) == 0) && written;
}

// Only what is whole and known, in one step.
static void rewrite(const reference_cache & c) {
    std::string text;
    for (const auto & entry : c.known) {
        text += line_of(c, entry.first, entry.second) + "\n";
    }
    const std::string tmp = c.path + ".tmp";
    if (!write_text(tmp, "wb", text) || !platform_sync_and_rename(tmp, c.path).empty()) {
        platform_remove(tmp);
    }
}

// The file of this identity is not there yet: makes room for it.
static void remove_oldest(const fs::path & folder) {
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code time_ec;
        const fs::file_time_type time = fs::last_write_time(it->path(), time_ec);
        if (!time_ec && it->path().extension() == EXTENSION) {
            files.emplace_back(time, it->path());
        }
    }
    std::sort(files.begin(), files.end());
    for (size_t i = 0; i + MAX_FILES <= files.size(); i++) {
        fs::remove(files[i].second, ec);
    }
}

void reference_cache_open(reference_cache & c, const std::string & folder, const json & identity) {
    std::error_code ec;
    fs::create_directories(fs::u8path(folder), ec);
    c.identity = hash_of(identity.dump());
    c.path = platform_join(folder, c.identity + EXTENSION);
    const std::string text = read_file(c.path);
    if ((int64_t) text.size() > MAX_FILE_BYTES) {
        rewrite(c);
        return;
    }
    if (text.empty()) {
        remove_oldest(fs::u8path(folder));
        c.writable = write_text(c.path, "ab", "# " + identity.dump() + "\n");
    }
    const size_t n_damaged = read_lines(c, text);
    if (n_damaged > 0) {
        warn(std::to_string(n_damaged) + " damaged lines of " + c.path + " are left out; their pairs are computed again");
        rewrite(c);
    }
    if (!c.writable) {
        warn("cannot write " + c.path + "; the reference log-probabilities of this run are not kept for others");
    }
}

std::string reference_cache_key(const packed_pair & packed) {
    content_hash h;
    const int64_t segments[] = {packed.n_prompt, packed.n_chosen, packed.n_rejected};
    h.add(segments, sizeof(segments));
    h.add(packed.ids.data(),   packed.ids.size()*sizeof(int32_t));
    h.add(packed.rows.data(),  packed.rows.size()*sizeof(int32_t));
    h.add(packed.kinds.data(), packed.kinds.size()*sizeof(row_kind));
    return h.hex();
}

bool reference_cache_find(const reference_cache & c, const std::string & key, reference_sums & sums) {
    const auto it = c.known.find(key);
    if (it == c.known.end()) {
        return false;
    }
    sums = it->second;
    return true;
}

void reference_cache_add(reference_cache & c, const std::string & key, const reference_sums & sums) {
    if (c.path.empty() || !std::isfinite(sums.chosen) || !std::isfinite(sums.rejected)) {
        return;
    }
    c.known[key] = sums;
    // the line end before it, too: the line before may be half-written
    if (c.writable && !write_text(c.path, "ab", "\n" + line_of(c, key, sums) + "\n")) {
        c.writable = false;
        warn("cannot write " + c.path + "; the reference log-probabilities of this run are not kept for others");
    }
}
