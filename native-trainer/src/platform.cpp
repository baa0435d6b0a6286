#include "platform.h"

#include <algorithm>
#include <filesystem>

namespace fs = std::filesystem;

static fs::path path_from_utf8(const std::string & path) {
    return fs::u8path(path);
}

std::string platform_join(const std::string & dir, const std::string & name) {
    return (path_from_utf8(dir) / path_from_utf8(name)).u8string();
}

std::vector<std::string> platform_list_dir(const std::string & dir) {
    std::vector<std::string> names;
    std::error_code ec;
    for (fs::directory_iterator it(path_from_utf8(dir), ec), end; !ec && it != end; it.increment(ec)) {
        names.push_back(it->path().filename().u8string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

int64_t platform_file_size(const std::string & path) {
    std::error_code ec;
    const fs::path file = path_from_utf8(path);
    if (!fs::is_regular_file(file, ec) || ec) {
        return -1;
    }
    const auto size = fs::file_size(file, ec);
    return ec ? -1 : (int64_t) size;
}

bool platform_is_dir(const std::string & path) {
    std::error_code ec;
    return fs::is_directory(path_from_utf8(path), ec);
}

bool platform_same_file(const std::string & a, const std::string & b) {
    std::error_code ec;
    return a == b || fs::equivalent(path_from_utf8(a), path_from_utf8(b), ec);
}

bool platform_remove(const std::string & path) {
    std::error_code ec;
    return fs::remove(path_from_utf8(path), ec) && !ec;
}

int64_t platform_free_bytes(const std::string & path) {
    std::error_code ec;
    fs::path dir = path_from_utf8(path).parent_path();
    const fs::space_info space = fs::space(dir.empty() ? fs::path(".") : dir, ec);
    return ec ? INT64_MAX : (int64_t) space.available;
}
