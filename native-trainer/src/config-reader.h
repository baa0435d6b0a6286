// Reads the keys of one JSON object of the config; whatever is left over at the end is unknown.
#pragma once

#include "protocol.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>

extern const char * const CONFIG_HINT;

struct object_reader {
    const json &          object;
    std::string           prefix; // "lora." for the nested object
    std::set<std::string> seen = {};

    [[noreturn]] void fail(const std::string & key, const std::string & expected) const {
        fail_input("CONFIG", "config: " + prefix + key + " must be " + expected + ", not " + object.at(key).dump().substr(0, 80), CONFIG_HINT);
    }

    // null counts as absent, so that a caller may write every key
    const json * find(const std::string & key) {
        seen.insert(key);
        const auto it = object.find(key);
        return it == object.end() || it->is_null() ? nullptr : &*it;
    }

    void text(const std::string & key, std::string & value) {
        if (const json * j = find(key)) {
            // the system's calls would see only what is before a zero byte: another file
            if (!j->is_string() || j->get<std::string>().empty() || j->get<std::string>().find('\0') != std::string::npos) {
                fail(key, "a non-empty string");
            }
            value = j->get<std::string>();
        }
    }

    void flag(const std::string & key, bool & value) {
        if (const json * j = find(key)) {
            if (!j->is_boolean()) {
                fail(key, "true or false");
            }
            value = j->get<bool>();
        }
    }

    bool number(const std::string & key, double & value, double low, double high) {
        const json * j = find(key);
        if (!j) {
            return false;
        }
        if (!j->is_number() || !(j->get<double>() >= low && j->get<double>() <= high)) {
            char range[96];
            snprintf(range, sizeof(range), "a number from %g to %g", low, high);
            fail(key, range);
        }
        value = j->get<double>();
        return true;
    }

    bool integer(const std::string & key, int64_t & value, int64_t low, int64_t high) {
        double number_value = 0;
        if (!number(key, number_value, (double) low, (double) high)) {
            return false;
        }
        if (number_value != std::floor(number_value)) {
            fail(key, "a whole number");
        }
        value = (int64_t) number_value;
        return true;
    }

    template <typename T>
    void choice(const std::string & key, T & value, const std::map<std::string, T> & choices) {
        if (const json * j = find(key)) {
            const auto it = j->is_string() ? choices.find(j->get<std::string>()) : choices.end();
            if (it == choices.end()) {
                std::string names;
                for (const auto & c : choices) {
                    names += (names.empty() ? "\"" : ", \"") + c.first + "\"";
                }
                fail(key, "one of " + names);
            }
            value = it->second;
        }
    }

    void finish() const {
        for (const auto & item : object.items()) {
            if (!seen.count(item.key())) {
                fail_input("CONFIG", "config: unknown key \"" + prefix + item.key() + "\"", CONFIG_HINT);
            }
        }
    }
};

const json & object_check(const json & j, const std::string & what);
