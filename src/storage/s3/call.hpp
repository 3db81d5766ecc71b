#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/http/exchange.hpp"

namespace mlps::s3 {

/// The kinds of request this client sends.
enum class CallKind : uint8_t {
  kPutObject,
  kCreateUpload,
  kUploadPart,
  kCompleteUpload,
  kAbortUpload,
  kGetObject,
  kHeadObject,
  kHeadBucket,
  kListObjects,
  kListUploads,
  kDeleteObject
};

std::string_view call_name(CallKind kind);  ///< "PutObject", "UploadPart", ...
http::Method call_method(CallKind kind);

/// One S3 request with its repetitions: what to ask, and what came of it in the end. Its memory is reused. The owner
/// calls reset(), fills the request and keeps all of it in place until the client hands the call back.
struct Call {
  CallKind kind = CallKind::kGetObject;
  std::string_view path;     ///< encoded, beginning with '/'
  std::string query;         ///< canonical: encoded and sorted by name
  std::string_view subject;  ///< "s3://bucket/key", for messages
  std::string scope;         ///< "part 3" or "bytes 0-9", for messages; may be empty
  std::string range;         ///< "bytes=0-9" or empty
  std::string if_match;      ///< or empty
  std::string checksum;      ///< x-amz-checksum-crc32c of the body, or empty
  std::string payload_hash;  ///< x-amz-content-sha256
  std::span<const std::byte> body = {};
  std::span<std::byte> sink = {};
  uint64_t first_byte = 0;               ///< GetObject: where in the object the sink's first byte belongs
  std::optional<uint64_t> object_bytes;  ///< GetObject: the size the object must have
  Nanos deadline_ns = 0;                 ///< no attempt begins or lasts beyond; 0: none
  void* owner = nullptr;

  std::optional<Error> error;
  std::string server_code;     ///< the server's error code of the last attempt, or empty
  unsigned retries = 0;        ///< attempts beyond the first
  uint64_t retried_bytes = 0;  ///< body bytes moved by attempts that failed
  bool answer_lost = false;    ///< an attempt may have been carried out although no answer arrived
  http::Exchange exchange;     ///< the last attempt

  // The client's own, between attempts.
  unsigned counted_attempts = 0;
  unsigned failovers = 0;
  unsigned immediate_repeats = 0;
  bool clock_corrected = false;
  bool under_way = false;
  size_t endpoint = 0;
  Nanos due_ns = 0;

  void reset(CallKind new_kind, std::string_view new_path, std::string_view new_subject);
};

}  // namespace mlps::s3
