// A fast 64-bit content hash to tell files apart (models, data sets). Not cryptographic.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

struct content_hash {
    uint64_t state[4] = {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu, 0xd6e8feb86659fd93u};

    static uint64_t mix(uint64_t h, uint64_t word) {
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        return (h << 31) | (h >> 33);
    }

    // four independent lanes, so that the multiplications of neighbouring words overlap
    void add(const void * data, size_t size) {
        const char * bytes = (const char *) data;
        uint64_t words[4];
        state[0] = mix(state[0], size);
        for (; size >= sizeof(words); size -= sizeof(words), bytes += sizeof(words)) {
            memcpy(words, bytes, sizeof(words));
            for (int i = 0; i < 4; i++) {
                state[i] = mix(state[i], words[i]);
            }
        }
        memset(words, 0, sizeof(words));
        memcpy(words, bytes, size);
        for (int i = 0; i < 4; i++) {
            state[i] = mix(state[i], words[i]);
        }
    }

    std::string hex() const {
        uint64_t h = 0;
        for (uint64_t s : state) {
            h = mix(h ^ (s >> 29), s);
        }
        char text[17];
        snprintf(text, sizeof(text), "%016llx", (unsigned long long) (h ^ (h >> 32)));
        return text;
    }
};
