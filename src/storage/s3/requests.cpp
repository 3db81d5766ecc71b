#include "storage/s3/requests.hpp"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "base/crc.hpp"
#include "storage/s3/crc32c.hpp"
#include "storage/s3/sigv4.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {

void ask_create(Call& call, const S3Object& object) {
  call.reset(CallKind::kCreateUpload, object.path(), object.uri());
  call.query = "uploads=";
}

void ask_write(Call& call, S3Object& object, uint32_t part, std::span<const std::byte> body, const Settings& settings) {
  if (object.single()) {
    call.reset(CallKind::kPutObject, object.path(), object.uri());
  } else {
    call.reset(CallKind::kUploadPart, object.path(), object.uri());
    fmt::format_to(std::back_inserter(call.query), "partNumber={}&uploadId={}", part + 1, object.upload_id);
    fmt::format_to(std::back_inserter(call.scope), "part {}", part + 1);
  }
  call.body = body;
  if (settings.checksum) {
    object.parts[part].crc = crc32c(body);
    call.checksum = crc32c_text(object.parts[part].crc);
  }
  call.payload_hash = settings.sign_payload ? sha256_hex(body) : std::string(kUnsignedPayload);
}

void ask_complete(Call& call, const S3Object& object, std::string& text) {
  std::vector<CompletedPart> parts;
  parts.reserve(object.parts.size());
  for (const StoredPart& part : object.parts) {
    parts.push_back({part.etag, part.checksum_kept ? crc32c_text(part.crc) : std::string()});
  }
  text = complete_request_body(parts);
  call.reset(CallKind::kCompleteUpload, object.path(), object.uri());
  call.query.append("uploadId=").append(object.upload_id);
  call.body = std::as_bytes(std::span(text));
  call.payload_hash = sha256_hex(text);
}

void ask_abort(Call& call, const S3Object& object) {
  call.reset(CallKind::kAbortUpload, object.path(), object.uri());
  call.query.append("uploadId=").append(object.upload_id);
}

void ask_delete(Call& call, const S3Object& object) {
  call.reset(CallKind::kDeleteObject, object.path(), object.uri());
}

void ask_head(Call& call, const S3Object& object) {
  call.reset(CallKind::kHeadObject, object.path(), object.uri());
}

void ask_read(Call& call, const S3Object& object, uint64_t offset, std::span<std::byte> buffer) {
  call.reset(CallKind::kGetObject, object.path(), object.uri());
  call.sink = buffer;
  call.first_byte = offset;
  call.object_bytes = object.size_bytes();
  call.if_match = object.pinned_etag();
  if (buffer.empty()) return;  // the whole of an empty object: no range can name it
  const uint64_t last = call.first_byte + buffer.size() - 1;
  fmt::format_to(std::back_inserter(call.range), "bytes={}-{}", call.first_byte, last);
  fmt::format_to(std::back_inserter(call.scope), "bytes {}-{}", call.first_byte, last);
}

}  // namespace mlps::s3
