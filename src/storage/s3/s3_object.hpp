#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/s3/context.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

inline constexpr uint64_t kMinPartBytes = uint64_t{5} << 20;  ///< of every part but the last
inline constexpr uint64_t kMaxPartBytes = uint64_t{5} << 30;  ///< of a part and of a single PUT
inline constexpr uint64_t kMaxParts = 10'000;
inline constexpr uint64_t kUsualPartBytes = uint64_t{16} << 20;  ///< when none is wanted

/// Returns the part size for an object: `wanted`, grown until kMaxParts suffice (in whole MiB) and to kMinPartBytes
/// when there is more than one part, never beyond kMaxPartBytes.
uint64_t grown_part_bytes(uint64_t size_bytes, uint64_t wanted);

/// A part as the server confirmed it.
struct StoredPart {
  std::string etag;            ///< verbatim; empty: not written
  uint32_t crc = 0;            ///< CRC32C of what was sent
  bool checksum_kept = false;  ///< the server confirmed it, so Complete lists it
};

/// State of one S3 object. Parts belong to the thread that moves them; the rest changes in begin, commit and abort,
/// which the caller orders. Only the pinned ETag is shared while parts move.
class S3Object final : public storage::Object {
 public:
  S3Object(const Context& context, storage::ObjectSpec spec);

  bool single() const { return part_count() == 1; }
  const std::string& path() const { return path_; }  ///< encoded
  const std::string& uri() const { return uri_; }

  std::string upload_id;                  ///< encoded for a query; empty: none open
  std::optional<int64_t> upload_created;  ///< server's clock, seconds
  bool complete_sent = false;
  bool completed = false;
  std::atomic<bool> maybe_stored = false;  ///< single PUT: not known to have been refused
  std::vector<StoredPart> parts;

  /// Returns the ETag that all reads of this object demand; empty until the first one is known.
  std::string_view pinned_etag() const;
  /// Keeps the first ETag that any thread offers.
  void pin_etag(std::string_view etag);

 private:
  enum : int { kUnknown, kBeingSet, kSet };
  std::string path_;
  std::string uri_;
  std::atomic<int> pin_state_ = kUnknown;
  std::string pinned_;
};

}  // namespace mlps::s3
