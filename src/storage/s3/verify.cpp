#include "storage/s3/verify.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/crc.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "storage/s3/crc32c.hpp"
#include "storage/s3/encoding.hpp"

namespace mlps::s3 {
namespace {

std::optional<uint64_t> stored_size(const http::Exchange& head) {
  const auto text = head.header("content-length");
  return text ? parse_number<uint64_t>(*text) : std::nullopt;
}

std::string_view unquoted(std::string_view etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"' ? etag.substr(1, etag.size() - 2) : etag;
}

/// Returns the checksum of the bytes sent, in the form that the server's text has.
std::string sent_checksum(const S3Object& object, std::string_view stored) {
  std::vector<uint32_t> crcs;
  for (const StoredPart& part : object.parts) crcs.push_back(part.crc);
  if (stored.find('-') != std::string_view::npos) return crc32c_composite(crcs);
  uint32_t whole = crcs.front();
  for (uint32_t part = 1; part < crcs.size(); ++part) {
    whole = crc32c_joined(whole, crcs[part], object.part_length(part));
  }
  return crc32c_text(whole);
}

/// Returns hex(MD5(part MD5s))-N; empty when a part's ETag is no MD5.
std::string composite_etag(const S3Object& object) {
  std::string raw;
  for (const StoredPart& part : object.parts) {
    const auto digest = from_hex(unquoted(part.etag));
    if (!digest || digest->size() != 16) return {};
    raw += *digest;
  }
  std::array<std::byte, 16> digest = {};
  unsigned length = 0;
  EVP_Digest(raw.data(), raw.size(), reinterpret_cast<unsigned char*>(digest.data()), &length, EVP_md5(), nullptr);
  return fmt::format("{}-{}", hex(digest), object.parts.size());
}

}  // namespace

std::optional<Error> check_stored(const S3Object& object, const http::Exchange& head, bool checksums_known) {
  const auto size = stored_size(head);
  if (!size) {
    return Error{ErrorCode::kStorageProtocol, fmt::format("HeadObject {}: the answer has no size", object.uri())};
  }
  if (*size != object.size_bytes()) {
    return Error{ErrorCode::kDataMismatch,
                 fmt::format("{} was stored with {} bytes, but {} were sent", object.uri(), grouped(*size),
                             grouped(object.size_bytes())),
                 "found by HeadObject after the upload",
                 "The server acknowledged data that it doesn't have; don't trust it with this load."};
  }
  const auto stored = head.header("x-amz-checksum-crc32c");
  if (!stored || stored->empty() || !checksums_known) return std::nullopt;
  const std::string sent = sent_checksum(object, *stored);
  if (*stored == sent) return std::nullopt;
  return Error{ErrorCode::kDataMismatch,
               fmt::format("{} was stored with CRC32C {}, but {} was sent", object.uri(), printable(*stored, 60), sent),
               "found by HeadObject after the upload"};
}

bool is_this_upload(const S3Object& object, const http::Exchange& head) {
  if (stored_size(head) != object.size_bytes()) return false;
  const std::string expected = composite_etag(object);
  if (!expected.empty() && unquoted(head.header("etag").value_or("")) == expected) return true;
  const auto modified = head.header("last-modified");
  const auto when = modified ? parse_http_date(*modified) : std::nullopt;
  return when && object.upload_created && *when >= *object.upload_created;
}

}  // namespace mlps::s3
