#include "base/aligned_buffer.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <system_error>

#include "base/units.hpp"

namespace mlps {
namespace {

size_t whole_units(size_t bytes) {
  return (bytes + AlignedBuffer::kAlignment - 1) / AlignedBuffer::kAlignment * AlignedBuffer::kAlignment;
}

}  // namespace

Result<AlignedBuffer> AlignedBuffer::allocate(size_t bytes) {
  AlignedBuffer buffer;
  if (bytes == 0) return buffer;
  const size_t kept = whole_units(bytes);
  constexpr size_t kHugePage = 2 * kMiB;
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const size_t mapped = kept + alignment;
  void* const memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(
        ErrorCode::kCommandFailed,
        fmt::format("can't get {} of buffer memory: {}", human_bytes(bytes), std::generic_category().message(errno)),
        {}, "lower --io-memory or --io-part-size, or raise the memory limit of the process (ulimit -v)");
  }
  // What the alignment leaves over on both sides is given back.
  auto* const mapping = static_cast<std::byte*>(memory);
  const size_t before = -reinterpret_cast<uintptr_t>(memory) % alignment;
  if (before != 0) munmap(mapping, before);
  if (before + kept < mapped) munmap(mapping + before + kept, mapped - before - kept);
  buffer.data_ = mapping + before;
  buffer.size_ = bytes;
  // Advice only; without huge pages I/O is a little slower.
  if (bytes >= kHugePage) (void)madvise(buffer.data_, bytes, MADV_HUGEPAGE);
  return buffer;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) munmap(data_, whole_units(size_));
}

}  // namespace mlps
