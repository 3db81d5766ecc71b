#include "storage/s3/call.hpp"

#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {

std::string_view call_name(CallKind kind) {
  switch (kind) {
    case CallKind::kPutObject:
      return "PutObject";
    case CallKind::kCreateUpload:
      return "CreateMultipartUpload";
    case CallKind::kUploadPart:
      return "UploadPart";
    case CallKind::kCompleteUpload:
      return "CompleteMultipartUpload";
    case CallKind::kAbortUpload:
      return "AbortMultipartUpload";
    case CallKind::kGetObject:
      return "GetObject";
    case CallKind::kHeadObject:
      return "HeadObject";
    case CallKind::kHeadBucket:
      return "HeadBucket";
    case CallKind::kListObjects:
      return "ListObjectsV2";
    case CallKind::kListUploads:
      return "ListMultipartUploads";
    case CallKind::kDeleteObject:
      return "DeleteObject";
  }
  return "request";
}

http::Method call_method(CallKind kind) {
  switch (kind) {
    case CallKind::kPutObject:
    case CallKind::kUploadPart:
      return http::Method::kPut;
    case CallKind::kCreateUpload:
    case CallKind::kCompleteUpload:
      return http::Method::kPost;
    case CallKind::kAbortUpload:
    case CallKind::kDeleteObject:
      return http::Method::kDelete;
    case CallKind::kHeadObject:
    case CallKind::kHeadBucket:
      return http::Method::kHead;
    case CallKind::kGetObject:
    case CallKind::kListObjects:
    case CallKind::kListUploads:
      return http::Method::kGet;
  }
  return http::Method::kGet;
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
