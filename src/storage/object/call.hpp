#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/http/exchange.hpp"

namespace mlps::object {

/// The kinds of request that object stores know, whatever a protocol calls them.
enum class CallKind : uint8_t {
  kPutObject,     ///< stores an object that has one part
  kBeginUpload,   ///< begins an object of several parts
  kPutPart,       ///< stores one part of it
  kCommitUpload,  ///< makes the parts an object
  kAbortUpload,   ///< gives up an upload or what is left of one
  kGetObject,
  kHeadObject,
  kHeadBucket,
  kListObjects,
  kListUploads,
  kDeleteObject
};
inline constexpr size_t kCallKinds = 11;

/// One request of object storage with its repetitions, and its final outcome. Its memory is reused. A dialect fills the
/// first block after reset(); the owner keeps all of it in place until the client hands the call back.
struct Call {
  CallKind kind = CallKind::kGetObject;
  http::Method method = http::Method::kGet;
  std::string path;          ///< encoded, beginning with '/'
  std::string query;         ///< encoded, without '?'; in the order that the dialect's signature wants
  std::string_view subject;  ///< "s3://bucket/key", for messages
  std::string scope;         ///< "part 3" or "bytes 0-9", for messages; may be empty
  std::string range;         ///< "bytes=0-9" or empty
  std::string if_match;      ///< or empty
  std::string checksum;      ///< of the body, as the protocol writes it, or empty
  std::string payload_hash;  ///< hash of the body that the signature covers, or its stand-in, or empty
  http::HeaderList headers;  ///< further header lines of the dialect
  std::string text;          ///< the memory of a body that the dialect makes; `body` points into it
  std::string memo;          ///< what a dialect keeps from one request of a step to the next
  std::span<const std::byte> body = {};
  std::span<std::byte> sink = {};
  uint64_t first_byte = 0;               ///< where in the object the first byte of sink or body belongs
  std::optional<uint64_t> object_bytes;  ///< kGetObject: the size the object must have
  Nanos deadline_ns = 0;                 ///< no attempt begins or lasts beyond; 0: none
  void* owner = nullptr;

  std::optional<Error> error;
  std::string server_code;     ///< the server's error code of the last attempt, or empty
  unsigned retries = 0;        ///< attempts beyond the first
  uint64_t retried_bytes = 0;  ///< body bytes moved by attempts that failed
  bool answer_lost = false;    ///< an attempt may have been carried out although no answer arrived
  uint64_t keys_version = 0;   ///< of the credentials that the last attempt was authorised with, for a RequestWriter
  http::Exchange exchange;     ///< the last attempt; its answer stays until the call begins again

  // Used by the client alone, between attempts.
  unsigned counted_attempts = 0;
  unsigned failovers = 0;
  unsigned immediate_repeats = 0;
  bool clock_corrected = false;
  bool adapted = false;
  bool without_expect = false;  ///< the server knows no "Expect: 100-continue"
  bool under_way = false;
  size_t server = 0;                     ///< index of the server that the last attempt went to
  std::optional<size_t> failed_at = {};  ///< where the last attempt failed, if another server may do better
  Nanos sent_ns = 0;                     ///< when the last attempt began
  Nanos first_failed_ns = 0;             ///< when the first attempt that failed began; 0: none failed
  Nanos due_ns = 0;                      ///< when the next attempt begins; 0: none is waited for
  std::string happened;                  ///< what was wrong with the last attempt

  /// Forgets everything but `memo`, `owner` and the last answer.
  void reset(CallKind new_kind, http::Method new_method, std::string_view new_path, std::string_view new_subject);
};

}  // namespace mlps::object
