#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "storage/object/call.hpp"
#include "storage/object/remote_object.hpp"
#include "storage/object/settings.hpp"
#include "storage/object/verdict.hpp"

namespace mlps::object {

/// Turns the calls of one session into HTTP requests: address, headers, authorisation. Belongs to one thread, and keeps
/// what it can use again (signing keys, scratch memory).
class RequestWriter {
 public:
  virtual ~RequestWriter() = default;

  /// Writes `call.exchange`'s origin, target (path and query) and headers for an attempt at `server`; the client does
  /// the rest. `now` is the server's time in seconds since the epoch. An error ends the call (a token that can't be
  /// renewed, for example); it may wait for a token only where none is usable any more.
  virtual Status write(Call& call, const Server& server, int64_t now) = 0;

  /// Is asked once a call after a verdict with Action::kAdapt. Returns whether the next attempt will be another one:
  /// with renewed credentials, or to the region that the server named.
  virtual bool adapt(const Call& /*call*/, const Verdict& /*verdict*/) { return false; }
};

/// What HEAD says about an object.
struct ObjectFacts {
  uint64_t size_bytes = 0;
  std::string etag;  ///< verbatim, or empty
};

struct ListedObject {
  std::string key;
  uint64_t size_bytes = 0;
};
struct ObjectsPage {
  std::vector<ListedObject> objects;
  std::string next;  ///< continuation; empty on the last page
};

/// An unfinished upload as a list of them shows it. `id` is whatever Dialect::ask_abort_found() needs.
struct ListedUpload {
  std::string key;
  std::string id;
};
struct UploadsPage {
  std::vector<ListedUpload> uploads;
  std::string next_key;  ///< where the next page begins; empty on the last page
  std::string next_id;   ///< the rest of that place, or empty
};

/// One protocol of object storage: what the engine (client, session, control calls) doesn't know about S3, Azure Blob
/// or Google Cloud Storage. Immutable after opening and shared by all sessions, so its functions may be called by any
/// thread at once; what one thread keeps is in its RequestWriter, and what belongs to an object in the RemoteObject.
///
/// ask_...() write a request into a call, beginning with Call::reset(); buffers, object and call stay in place until
/// the call is done. Steps that may take several requests are asked again after each accepted answer, with `round` 0,
/// 1, 2, ... and the answer still in `call.exchange`; they return false when nothing is (or remains) to be sent, before
/// any change of the call. take_...() read an accepted answer; their error ends the step.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // ---- facts

  virtual PartLimits limits() const = 0;
  /// Returns how the checksum of a part is computed, which ask_part() sends by RemoteObject::checksum_of_part(); null:
  /// it isn't.
  virtual ChecksumFunction checksum() const { return nullptr; }
  virtual std::string_view call_name(CallKind kind) const = 0;      ///< "PutObject", "Put Block", ...
  virtual std::string object_path(std::string_view key) const = 0;  ///< encoded path of requests about an object
  virtual std::unique_ptr<RequestWriter> open_writer() const = 0;   ///< for one session

  // ---- writing an object

  /// Begins an object of several parts; `object.parts` has its size already. A protocol without such a request chooses
  /// what it needs (ids) and returns false.
  virtual bool ask_begin(Call& call, RemoteObject& object, unsigned round) const = 0;
  virtual Status take_begin(const Call& call, RemoteObject& object) const = 0;

  /// Stores a part, or the whole of an object of one part (object.single()). Keeps the checksum that goes with `body`
  /// with the object's part in round 0.
  virtual bool ask_part(Call& call, RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                        unsigned round) const = 0;
  virtual Status take_part(const Call& call, RemoteObject& object, uint32_t part) const = 0;

  /// Makes an object of the parts, all of which are stored. Not called for an object of one part.
  virtual bool ask_commit(Call& call, RemoteObject& object, unsigned round) const = 0;
  virtual Status take_commit(const Call& /*call*/, RemoteObject& /*object*/) const { return {}; }

  /// Removes whatever a write has left, by the state of `object`: an open upload, temporary objects, and the object
  /// itself if it is stored (`maybe_stored`, `completed`, or a commit that was sent and may have worked).
  virtual bool ask_abort(Call& call, RemoteObject& object, unsigned round) const = 0;

  // ---- reading and looking

  virtual void ask_head(Call& call, const RemoteObject& object) const = 0;
  virtual Result<ObjectFacts> read_head(const http::Exchange& answer) const = 0;
  /// Asks for the bytes from `offset` on that fill `buffer`, of the version `object.pinned_etag()` if there is one. An
  /// empty buffer means the whole of an empty object.
  virtual void ask_read(Call& call, const RemoteObject& object, uint64_t offset, std::span<std::byte> buffer) const = 0;
  /// Returns the version that an accepted answer to a read (or HEAD) belongs to; empty where there is none to pin.
  virtual std::string_view version_of(const http::Exchange& answer) const;
  virtual void ask_delete(Call& call, const RemoteObject& object) const = 0;
  virtual void ask_bucket(Call& call, std::string_view subject) const = 0;  ///< looks whether the bucket is there

  virtual void ask_list(Call& call, std::string_view subject, std::string_view key_prefix,
                        const std::string& continuation) const = 0;
  virtual Result<ObjectsPage> read_list(const Call& call) const = 0;
  /// Lists unfinished uploads after `after`. False where the protocol has none that could be found.
  virtual bool ask_list_uploads(Call& call, std::string_view subject, std::string_view key_prefix,
                                const UploadsPage& after) const = 0;
  virtual Result<UploadsPage> read_list_uploads(const Call& call) const = 0;
  virtual bool ask_abort_found(Call& call, const RemoteObject& object, const std::string& id, unsigned round) const = 0;

  // ---- what came of it

  /// Compares what HEAD says about an object just written with what was sent, beyond its size: checksums. E606 names
  /// both values.
  virtual std::optional<Error> check_stored(const RemoteObject& object, const http::Exchange& head) const = 0;
  /// Returns whether HEAD shows the outcome of this very write although no answer to its commit arrived; the size is
  /// right already. An older object of the same name and size must not pass.
  virtual bool is_this_write(const RemoteObject& object, const http::Exchange& head) const = 0;
  /// Returns whether a commit that ended with `call.error` may have worked before: HEAD decides then.
  virtual bool commit_undecided(const Call& call) const { return call.answer_lost; }

  /// Returns whether the server may carry out a request that it has in full although its connection is gone, and so
  /// store something after the clean-up that follows: after cancel() such a request gets some time to be answered.
  virtual bool outlives_connection(const Call& call) const { return call.kind == CallKind::kPutObject; }

  // ---- judging answers

  /// Reads an error out of an answer (body and headers); never fails, fields that can't be read stay empty.
  virtual ServerError read_error(const http::Exchange& answer) const = 0;
  virtual std::span<const ErrorRule> error_rules() const = 0;
  /// Returns whether an answer with a status of 300 or more means success nevertheless: 404 to a deletion, 308 inside a
  /// resumable upload.
  virtual bool accepts(const Call& call, std::string_view server_code) const = 0;
  /// Judges an answer with a status below 300 beyond what the engine has judged (lengths and ranges of reads): errors
  /// in its body, a missing ETag, a checksum that isn't ours.
  virtual Verdict judge_success(const Call& /*call*/) const { return {}; }
  /// Changes the verdict on an error answer where code and status alone don't decide.
  virtual void refine(const Call& /*call*/, Verdict& /*verdict*/) const {}

  /// Returns what to do about a call that is given up: settings, rights, versions; empty where the engine's own advice
  /// (server down, certificate, throttling) is right.
  virtual std::string advice(const Call& call, const Verdict& verdict) const = 0;
  /// Removes credentials from a text that holds words of the server.
  virtual void redact(std::string& /*text*/) const {}
};

}  // namespace mlps::object
