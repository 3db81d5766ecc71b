#include "storage/object/remote_object.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace mlps::object {

uint64_t grown_part_bytes(const PartLimits& limits, uint64_t size_bytes, uint64_t wanted) {
  if (wanted == 0) wanted = limits.usual_part_bytes;
  if (size_bytes <= wanted && wanted <= limits.max_part_bytes) return wanted;
  const uint64_t smallest = (size_bytes + limits.max_parts - 1) / limits.max_parts;
  const uint64_t grown = smallest <= wanted ? wanted : (smallest + kMiB - 1) / kMiB * kMiB;
  return std::min(std::max(grown, limits.min_part_bytes), limits.max_part_bytes);
}

RemoteObject::RemoteObject(storage::ObjectSpec spec, const PartLimits& limits, std::string path, std::string uri)
    : Object(spec, grown_part_bytes(limits, spec.size_bytes, spec.part_bytes)),
      path_(std::move(path)),
      uri_(std::move(uri)) {}

std::string_view RemoteObject::pinned_etag() const {
  return pin_state_.load(std::memory_order_acquire) == kSet ? std::string_view(pinned_) : std::string_view{};
}

void RemoteObject::pin_etag(std::string_view etag) {
  int expected = kUnknown;
  if (etag.empty() || !pin_state_.compare_exchange_strong(expected, kBeingSet)) return;
  pinned_ = etag;
  pin_state_.store(kSet, std::memory_order_release);
}

}  // namespace mlps::object
