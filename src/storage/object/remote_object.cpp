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

RemoteObject::RemoteObject(storage::ObjectSpec spec, const PartLimits& limits, ChecksumFunction checksum,
                           std::string path, std::string uri)
    : Object(with_sums(spec, checksum), grown_part_bytes(limits, spec.size_bytes, spec.part_bytes)),
      summed_(*this),
      checksum_(checksum),
      path_(std::move(path)),
      uri_(std::move(uri)) {}

storage::ObjectSpec RemoteObject::with_sums(storage::ObjectSpec spec, ChecksumFunction checksum) const {
  if (checksum != nullptr && spec.content == nullptr) spec.content = &summed_;
  return spec;
}

void RemoteObject::SummedPayload::fill(uint64_t offset, std::span<std::byte> out) const {
  uint64_t sum = 0;
  object_.payload().fill_tiles(offset, out,
                               [&](std::span<const std::byte> tile) { sum = object_.checksum_(tile, sum); });
  object_.note_filled(offset, out, sum);
}

void RemoteObject::note_filled(uint64_t offset, std::span<const std::byte> bytes, uint64_t sum) {
  const uint64_t part = offset / part_bytes();
  if (part >= parts.size() || offset % part_bytes() != 0) return;
  StoredPart& made = parts[part];
  made.filled = bytes.size() == part_length(static_cast<uint32_t>(part)) ? bytes.data() : nullptr;
  made.checksum = sum;
}

uint64_t RemoteObject::checksum_of_part(uint32_t part, std::span<const std::byte> body) {
  StoredPart& made = parts[part];
  if (made.filled != body.data() || made.filled == nullptr) made.checksum = checksum_(body, 0);
  return made.checksum;
}

std::string_view RemoteObject::pinned_etag() const {
  return is_pinned_.load(std::memory_order_acquire) ? std::string_view(pinned_) : std::string_view{};
}

std::string_view RemoteObject::pinned_strong_etag() const {
  const std::string_view etag = pinned_etag();
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"' ? etag : std::string_view{};
}

bool RemoteObject::is_version(std::string_view version) {
  if (version.empty()) return true;
  if (!is_pinned_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(pin_mutex_);
    if (!is_pinned_.load(std::memory_order_relaxed)) {
      pinned_ = version;
      is_pinned_.store(true, std::memory_order_release);
    }
  }
  return pinned_ == version;
}

}  // namespace mlps::object
