// Counter-based random numbers (splitmix64): a number depends on (seed, stream, index) only, so that nothing has to be
// stored to go on after an interruption.
#pragma once

#include <cstdint>

inline uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t index) {
    uint64_t z = seed*0xd1342543de82ef95u + stream*0x9e3779b97f4a7c15u + (index + 1)*0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 30))*0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27))*0x94d049bb133111ebu;
    z ^= z >> 31;
    z = (z + 0x9e3779b97f4a7c15u)*0xd6e8feb86659fd93u;
    return z ^ (z >> 32);
}

// in [0, 1)
inline double random_unit(uint64_t seed, uint64_t stream, uint64_t index) {
    return (double) (random_bits(seed, stream, index) >> 11)*0x1.0p-53;
}
