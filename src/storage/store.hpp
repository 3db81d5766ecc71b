#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"
#include "base/units.hpp"
#include "location/location.hpp"
#include "payload/content.hpp"
#include "payload/payload.hpp"
#include "storage/endpoint.hpp"
#include "storage/server_use.hpp"

/// The interface of every storage backend. A `Store` is an opened location, shared by threads. A `Session` is one
/// thread's access to it. An `Object` is one object being written or read, shared by all threads that move its parts.
/// An `Operation`, owned by the caller, carries a request in and its outcome out: nothing is allocated per request.
///
/// Writing an object:  kBeginWrite, then every kWritePart once, in any order, from any session, then kCommitWrite
///                     after all parts have completed; or kAbortWrite after none is in flight.
/// Reading an object:  kBeginRead, then kReadPart or kReadRange for what is wanted, then kEndRead.
/// A commit that succeeded means: complete, size and checksum as sent, and stored durably (files: fsync); with
/// Durability::kOnFlush the last only after Store::flush().
namespace mlps::storage {

enum class OpKind : uint8_t {
  kBeginWrite,
  kWritePart,
  kCommitWrite,
  kAbortWrite,
  kBeginRead,
  kReadPart,
  kEndRead,
  kReadRange
};

std::string_view op_name(OpKind kind);  ///< "begin_write", "write_part", ...

/// The description of an object.
struct ObjectSpec {
  std::string name;  ///< relative to the store's root, '/'-separated
  uint64_t size_bytes = 0;
  uint64_t part_bytes = 0;       ///< wanted part size; the store may grow it (Object::part_bytes() is the real one)
  payload::Source payload = {};  ///< what the object holds; null:// hands it out on reads
  /// Replaces `payload` where the object is a file of some format. Must live as long as the object.
  const payload::Content* content = nullptr;
};

/// One object being written or read. Store::object() makes it without any I/O. The operations on it keep their state
/// here; a backend derives from it. Threads may work on different parts at once; begin, commit, abort and end are
/// called once each, ordered by the caller.
class Object {
 public:
  Object(ObjectSpec spec, uint64_t part_bytes) : spec_(std::move(spec)), part_bytes_(part_bytes) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const std::string& name() const { return spec_.name; }
  uint64_t size_bytes() const { return spec_.size_bytes; }
  const payload::Source& payload() const { return spec_.payload; }
  /// Fills `out` with the object's bytes from `offset` on.
  void fill(uint64_t offset, std::span<std::byte> out) const {
    spec_.content != nullptr ? spec_.content->fill(offset, out) : spec_.payload.fill(offset, out);
  }
  /// Returns the object offset of the first byte of `data` that differs from what fill() gives, or nothing.
  std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const {
    return spec_.content != nullptr ? spec_.content->first_mismatch(offset, data)
                                    : spec_.payload.first_mismatch(offset, data);
  }
  uint64_t part_bytes() const { return part_bytes_; }
  /// Returns at least 1: an object of zero bytes has one empty part.
  uint32_t part_count() const {
    return spec_.size_bytes == 0 ? 1 : static_cast<uint32_t>((spec_.size_bytes + part_bytes_ - 1) / part_bytes_);
  }
  uint64_t part_offset(uint32_t part) const { return uint64_t{part} * part_bytes_; }
  uint64_t part_length(uint32_t part) const {
    const uint64_t offset = part_offset(part);
    return std::min(part_bytes_, spec_.size_bytes - offset);
  }

 protected:
  /// Turns this into another object; `spec` gets the old description, so that its memory can be used again.
  void become(ObjectSpec& spec, uint64_t part_bytes) {
    std::swap(spec_, spec);
    part_bytes_ = part_bytes;
  }

 private:
  ObjectSpec spec_;
  uint64_t part_bytes_;
};

/// One request and its outcome. The caller fills the first block and keeps the operation and the buffer in place
/// until a poll() of the same session hands the operation back.
struct Operation {
  OpKind kind = OpKind::kBeginWrite;
  Object* object = nullptr;
  uint32_t part = 0;                 ///< kWritePart, kReadPart
  std::span<std::byte> buffer = {};  ///< kWritePart: exactly the part; kReadPart: room for the part. Aligned to
                                     ///< StoreTraits::buffer_alignment, with capacity rounded up to it
  uint64_t tag = 0;                  ///< for the caller's use
  uint64_t range_offset = 0;         ///< kReadRange: a multiple of StoreTraits::buffer_alignment
  uint64_t range_bytes = 0;          ///< kReadRange: at least 1, inside the object; buffer as for a part of that size
  Nanos limit_ns = 0;                ///< kAbortWrite after Session::cancel(): may take as long as this, if that is more
                                     ///< than the store's own limit

  std::optional<Error> error = {};
  uint64_t bytes = 0;       ///< body bytes moved by the attempt that succeeded
  Nanos submitted_ns = 0;   ///< when submit() was entered
  Nanos first_byte_ns = 0;  ///< reads: first body byte seen; else as completed_ns
  Nanos completed_ns = 0;
  uint32_t attempts = 0;       ///< 1 when nothing was retried
  uint64_t retried_bytes = 0;  ///< body bytes moved by attempts that failed

  bool writes_body() const { return kind == OpKind::kWritePart; }
  bool reads_body() const { return kind == OpKind::kReadPart || kind == OpKind::kReadRange; }
  /// Return the body's position in the object and its length; of operations with a body.
  uint64_t offset() const { return kind == OpKind::kReadRange ? range_offset : object->part_offset(part); }
  uint64_t length() const { return kind == OpKind::kReadRange ? range_bytes : object->part_length(part); }
  /// Returns whether the body lies inside the object.
  bool is_inside() const {
    if (kind != OpKind::kReadRange) return part < object->part_count();
    return range_bytes != 0 && range_offset < object->size_bytes() &&
           range_bytes <= object->size_bytes() - range_offset;
  }
};

struct ObjectInfo {
  std::string name;  ///< relative to the store's root
  uint64_t size_bytes = 0;
};

struct ListPage {
  std::vector<ObjectInfo> objects;
  std::string next;  ///< continuation for the next call; empty on the last page
};

using NameFilter = std::function<bool(std::string_view name)>;

/// One thread's access to a store, with a ring or connections of its own. Not thread-safe, except cancel(). Destroying
/// a session drops what is in flight.
class Session {
 public:
  virtual ~Session() = default;

  /// Starts `operation`. Never fails by itself: every failure arrives as a completion with `error` set. Transient
  /// failures are retried inside, within the store's limits, and counted. At most depth() operations may be in flight.
  virtual void submit(Operation& operation) = 0;

  /// Appends at least one completed operation to `done`, or returns after `timeout` with none.
  virtual void poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) = 0;

  /// Makes everything in flight, waiting for a retry, or submitted later (except kAbortWrite and kEndRead) complete
  /// soon with E203. Any thread may call it, to stop a run.
  virtual void cancel() = 0;

  // Blocking calls for checks and tests; not while operations are in flight.

  /// Asks for the bucket or container itself; E603 if it isn't there. Stores without one: success, unasked.
  virtual Status reach() { return {}; }
  /// Begins an upload of an object, stores `part` as its first part, and gives the upload up. Stores without uploads:
  /// success, unasked. An error says what it may have left behind.
  virtual Status try_upload(std::string_view /*name*/, std::span<const std::byte> /*part*/) { return {}; }
  virtual Result<ObjectInfo> head(std::string_view name) = 0;  ///< absent: E603
  /// Returns the objects whose names start with `prefix` (object stores: literal prefix; files: a folder, recursively),
  /// one page. A missing folder or prefix is an empty list; a missing bucket is E603; a failed list is an error, never
  /// empty.
  virtual Result<ListPage> list(std::string_view prefix, const std::string& continuation) = 0;
  virtual Status put(std::string_view name, std::span<const std::byte> bytes) = 0;
  virtual Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) = 0;
  virtual Status remove(std::string_view name) = 0;  ///< of an absent object: success

  /// Aborts every unfinished upload whose object's name starts with `prefix` (literally) and is accepted by `is_meant`,
  /// whichever process began it: those of a process that is gone, for example. Returns their number. An error says what
  /// may still be open; the other uploads are aborted nevertheless. No request begins or lasts beyond `deadline_ns` of
  /// now_ns(). Stores without uploads have none.
  virtual Result<uint64_t> abort_uploads(std::string_view /*prefix*/, const NameFilter& /*is_meant*/,
                                         Nanos /*deadline_ns*/) {
    return 0;
  }
};

/// Effective settings as (name, value), in the order they are shown.
using SettingList = std::vector<std::pair<std::string, std::string>>;

/// The size of a part that serves most stores: large enough that its own cost doesn't count.
inline constexpr uint64_t kPartBytes = 16 * kMiB;

struct StoreTraits {
  std::string_view backend;     ///< "file", "direct", "s3", "null"
  bool blocking = false;        ///< submit() does the I/O itself; a session has depth 1 and parallelism means threads
  bool holds_objects = true;    ///< false for null://: nothing to list or to check
  bool file_system = false;     ///< capacity, page cache and separation apply
  size_t buffer_alignment = 1;  ///< of Operation::buffer addresses and capacities
  bool reads_need_open = true;  ///< false: kBeginRead and kEndRead do nothing, so many small reads may leave them out
  uint64_t part_bytes = kPartBytes;  ///< of the parts of large objects, where the user names no size
};

struct Capacity {
  uint64_t available_bytes = 0;
  std::string measured_at;  ///< the existing path that was asked
};

/// The share of some objects that the page cache of this host holds.
struct Residency {
  uint64_t cached_bytes = 0;
  uint64_t total_bytes = 0;
};
constexpr auto fields_of(Of<Residency>) {
  return std::tuple(summed("cached_bytes", &Residency::cached_bytes), summed("total_bytes", &Residency::total_bytes));
}

/// An opened location. Immutable after opening; any thread may call every method.
class Store {
 public:
  virtual ~Store() = default;

  virtual const Location& root() const = 0;
  virtual StoreTraits traits() const = 0;
  /// Returns a session that may have up to `depth` operations in flight.
  virtual Result<std::unique_ptr<Session>> open_session(unsigned depth) = 0;
  /// Returns a session of depth 1 for checks before a run: its requests are given up within seconds, where those of a
  /// run have patience.
  virtual Result<std::unique_ptr<Session>> open_probe_session() { return open_session(1); }
  virtual std::unique_ptr<Object> object(ObjectSpec spec) = 0;
  /// Does what object() does, into `place`, whose old object must not be in use any more. Where millions of small
  /// objects are read, allocating them would be the largest part of this program's cost; a store whose objects have no
  /// state of their own can avoid it. `spec` is unspecified afterwards (moved from).
  virtual void renew(std::unique_ptr<Object>& place, ObjectSpec& spec) { place = object(std::move(spec)); }

  /// Returns the effective settings for the plan and the record: endpoint, payload signing, checksum, engine, ... Never
  /// a secret.
  virtual SettingList describe() const = 0;

  /// Returns the servers that requests go to, in the order of their turns; empty for stores without any.
  virtual std::vector<Endpoint> endpoints() const { return {}; }
  /// Returns what this process has asked of each of them so far; what sessions have in flight may be missing.
  virtual std::vector<ServerUse> server_uses() const { return {}; }

  /// Makes everything committed so far durable, with Durability::kOnFlush; else it is already.
  virtual Status flush() { return {}; }

  /// Returns the free space at the nearest existing ancestor of the root; nothing for stores without such a limit.
  virtual Result<std::optional<Capacity>> capacity() const { return std::nullopt; }
  /// Writes back an object's pages and drops them from this host's page cache. Does nothing for stores without one.
  virtual Status evict(std::string_view /*name*/) { return {}; }
  /// Returns how much of an object is in this host's page cache (mincore), without reading it.
  virtual Result<std::optional<Residency>> residency(std::string_view /*name*/) { return std::nullopt; }
};

/// Returns a small object as a whole. E603 if it is absent, E606 if it is larger than `most_bytes`, so that no server
/// can fill this process's memory.
Result<std::vector<std::byte>> get_whole(Session& session, std::string_view name, uint64_t most_bytes);

}  // namespace mlps::storage
