#include "storage/object/call.hpp"

namespace mlps::object {

void Call::reset(CallKind new_kind, http::Method new_method, std::string_view new_path, std::string_view new_subject) {
  kind = new_kind;
  method = new_method;
  path = new_path;
  subject = new_subject;
  for (std::string* one : {&query, &scope, &range, &if_match, &checksum, &payload_hash, &headers.text, &server_code}) {
    one->clear();
  }
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
  clock_corrected = adapted = without_expect = false;
  failed_at.reset();
  first_failed_ns = due_ns = 0;
}

}  // namespace mlps::object
