#pragma once

#include <cstdint>

namespace mlps::payload {

// Always inlined: the layers are built with their own -m flags, so no out-of-line copy of shared code may come out of
// them, or the linker could hand an AVX-512 copy to the rest of the program.

/// A bijection of 64-bit words in which every input bit reaches every output bit (David Stafford's variant 13 of the
/// MurmurHash3 finaliser, as in SplitMix64).
[[gnu::always_inline]] constexpr uint64_t mix64(uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
  return word ^ (word >> 31);
}

}  // namespace mlps::payload
