#include "base/aligned_buffer.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <system_error>

#include "base/units.hpp"

namespace mlps {

Result<AlignedBuffer> AlignedBuffer::allocate(size_t bytes) {
  AlignedBuffer buffer;
  if (bytes == 0) return buffer;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(
        ErrorCode::kCommandFailed,
        fmt::format("can't get {} of buffer memory: {}", human_bytes(bytes), std::generic_category().message(errno)),
        {}, "lower --io-memory or --io-part-size, or raise the memory limit of the process (ulimit -v)");
  }
  // Advice only; without huge pages I/O is a little slower.
  if (bytes >= 2 * kMiB) (void)madvise(memory, bytes, MADV_HUGEPAGE);
  buffer.data_ = static_cast<std::byte*>(memory);
  buffer.size_ = bytes;
  return buffer;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace mlps
