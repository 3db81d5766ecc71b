#include "storage/s3/call.hpp"

#include <array>

#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {

namespace {

struct Facts {
  std::string_view name;
  http::Method method;
};
constexpr std::array kFacts = {
    // by kind
    Facts{"PutObject", http::Method::kPut},
    Facts{"CreateMultipartUpload", http::Method::kPost},
    Facts{"UploadPart", http::Method::kPut},
    Facts{"CompleteMultipartUpload", http::Method::kPost},
    Facts{"AbortMultipartUpload", http::Method::kDelete},
    Facts{"GetObject", http::Method::kGet},
    Facts{"HeadObject", http::Method::kHead},
    Facts{"HeadBucket", http::Method::kHead},
    Facts{"ListObjectsV2", http::Method::kGet},
    Facts{"ListMultipartUploads", http::Method::kGet},
    Facts{"DeleteObject", http::Method::kDelete},
};

}  // namespace

std::string_view call_name(CallKind kind) {
  return kFacts.at(static_cast<size_t>(kind)).name;
}

http::Method call_method(CallKind kind) {
  return kFacts.at(static_cast<size_t>(kind)).method;
}

void Call::reset(CallKind new_kind, std::string_view new_path, std::string_view new_subject) {
  kind = new_kind;
  path = new_path;
  subject = new_subject;
  for (std::string* text : {&query, &scope, &range, &if_match, &checksum, &server_code}) text->clear();
  payload_hash = kEmptyPayloadHash;
  body = {};
  sink = {};
  first_byte = 0;
  object_bytes.reset();
  deadline_ns = 0;
  error.reset();
  retries = 0;
  retried_bytes = 0;
  answer_lost = false;
  counted_attempts = failovers = immediate_repeats = 0;
  clock_corrected = false;
  due_ns = 0;
}

}  // namespace mlps::s3
