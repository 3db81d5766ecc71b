#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// A fuzzer is one file that defines this function, which libFuzzer calls with bytes of its own making, and driver.cpp
/// with the seeds of corpus/ and mutations of them. Bytes that break a promise of the code under test end the process.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace mlps::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process, so that the fuzzer keeps the input, unless `promise` holds.
inline void require(bool promise, const char* words) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", words);
  std::abort();
}

}  // namespace mlps::fuzz
