#include "storage/s3/s3_object.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace mlps::s3 {
namespace {

uint64_t part_bytes_of(const storage::ObjectSpec& spec) {
  return grown_part_bytes(spec.size_bytes, spec.part_bytes);
}

}  // namespace

uint64_t grown_part_bytes(uint64_t size_bytes, uint64_t wanted) {
  if (wanted == 0) wanted = kUsualPartBytes;
  if (size_bytes <= wanted && wanted <= kMaxPartBytes) return wanted;
  const uint64_t smallest = (size_bytes + kMaxParts - 1) / kMaxParts;
  const uint64_t in_mib = (smallest + kMiB - 1) / kMiB * kMiB;
  return std::min(std::max({wanted, in_mib, kMinPartBytes}), kMaxPartBytes);
}

S3Object::S3Object(const Context& context, storage::ObjectSpec spec)
    : Object(spec, part_bytes_of(spec)), path_(context.object_path(spec.name)), uri_(context.object_uri(spec.name)) {}

std::string_view S3Object::pinned_etag() const {
  return pin_state_.load(std::memory_order_acquire) == kSet ? std::string_view(pinned_) : std::string_view{};
}

void S3Object::pin_etag(std::string_view etag) {
  int expected = kUnknown;
  if (etag.empty() || !pin_state_.compare_exchange_strong(expected, kBeingSet)) return;
  pinned_ = etag;
  pin_state_.store(kSet, std::memory_order_release);
}

}  // namespace mlps::s3
