// Global new and delete that count. In a file of their own: inlined into their callers, GCC takes malloc and delete for
// a mismatched pair.
#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<size_t> count = 0;
}

void* operator new(size_t bytes) {
  ++count;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t /*bytes*/) noexcept {
  std::free(memory);
}

namespace mlps::storage::test {

size_t allocations() {
  return count;
}

}  // namespace mlps::storage::test
