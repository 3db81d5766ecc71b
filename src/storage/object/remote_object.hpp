#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payload/content.hpp"
#include "storage/object/crc32c.hpp"
#include "storage/store.hpp"

namespace mlps::object {

/// What a protocol allows of the parts of an object.
struct PartLimits {
  uint64_t min_part_bytes = 0;  ///< of every part but the last
  uint64_t max_part_bytes = 0;  ///< of a part and of an object stored by one request
  uint64_t max_parts = 0;
  uint64_t usual_part_bytes = uint64_t{16} << 20;  ///< when none is wanted
};

/// Returns the part size for an object: `wanted`, grown until limits.max_parts suffice (in whole MiB) and to
/// min_part_bytes when there is more than one part, never beyond max_part_bytes.
uint64_t grown_part_bytes(const PartLimits& limits, uint64_t size_bytes, uint64_t wanted);

/// A part as the server confirmed it.
struct StoredPart {
  std::string tag;                    ///< what the commit must name it by (S3: the ETag, verbatim); may be empty
  uint64_t checksum = 0;              ///< of what was sent, by the dialect's algorithm
  bool checksum_kept = false;         ///< the server confirmed it
  bool stored = false;                ///< the engine's: the request succeeded
  const std::byte* filled = nullptr;  ///< where the bytes were made that `checksum` is of, before they are sent
};

/// What a dialect keeps about an upload beyond the members of RemoteObject.
class UploadState {
 public:
  virtual ~UploadState() = default;
};

/// State of one object of a server. Parts belong to the thread that moves them; the rest changes in begin, commit and
/// abort, which the caller orders. Only the pinned version is shared while parts move.
class RemoteObject final : public storage::Object {
 public:
  /// `path` is the encoded path of requests about it; `uri` names it for people. With a `checksum`, that of each part
  /// is computed while fill() makes its payload, tile by tile, when the processor's cache has the bytes.
  RemoteObject(storage::ObjectSpec spec, const PartLimits& limits, ChecksumFunction checksum, std::string path,
               std::string uri);

  bool single() const { return part_count() == 1; }
  const std::string& path() const { return path_; }
  const std::string& uri() const { return uri_; }

  std::string upload_id;                   ///< the dialect's; empty: no upload is open
  std::optional<int64_t> upload_created;   ///< server's clock, seconds
  bool complete_sent = false;              ///< a commit was sent
  bool completed = false;                  ///< the commit is known to have worked
  std::atomic<bool> maybe_stored = false;  ///< single(): not known to have been refused
  std::vector<StoredPart> parts;
  std::unique_ptr<UploadState> upload_state;  ///< the dialect's; null: it keeps nothing more

  /// Returns the checksum of a part, which is `body`, and keeps it with the part: that from the making of these bytes,
  /// or a new one. Of an object with a checksum.
  uint64_t checksum_of_part(uint32_t part, std::span<const std::byte> body);

  /// Returns the version (ETag, generation) that all reads of this object demand; empty until the first one is known.
  std::string_view pinned_etag() const;
  /// Returns the pinned ETag if a server can be asked for it by If-Match: a strong entity tag in quotes. With a weak
  /// one If-Match never holds.
  std::string_view pinned_strong_etag() const;
  /// Keeps the first version that any thread offers; false if `version` is another one. No version is as good as any.
  bool is_version(std::string_view version);

 private:
  /// Payload that notes the checksum of what it makes.
  class SummedPayload final : public payload::Content {
   public:
    explicit SummedPayload(RemoteObject& object) : object_(object) {}
    void fill(uint64_t offset, std::span<std::byte> out) const override;
    std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const override {
      return object_.payload().first_mismatch(offset, data);
    }

   private:
    RemoteObject& object_;
  };

  storage::ObjectSpec with_sums(storage::ObjectSpec spec, ChecksumFunction checksum) const;
  void note_filled(uint64_t offset, std::span<const std::byte> bytes, uint64_t sum);

  SummedPayload summed_;
  ChecksumFunction checksum_;
  std::string path_;
  std::string uri_;
  std::mutex pin_mutex_;
  std::atomic<bool> is_pinned_ = false;
  std::string pinned_;  ///< doesn't change once is_pinned_
};

}  // namespace mlps::object
