#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "storage/object/crc32c.hpp"
#include "storage/s3/dialect.hpp"

namespace mlps::s3 {
namespace {

using object::RemoteObject;
using object::StoredPart;

std::string_view unquoted(std::string_view etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"' ? etag.substr(1, etag.size() - 2) : etag;
}

/// Returns the CRC32C over the parts' checksums, with "-N".
std::string composite_checksum(const RemoteObject& object) {
  std::vector<uint32_t> crcs;
  for (const StoredPart& part : object.parts) crcs.push_back(static_cast<uint32_t>(part.checksum));
  return object::crc32c_composite(crcs);
}

std::string_view without_count(std::string_view checksum) {
  return checksum.substr(0, checksum.find('-'));
}

/// Returns hex(MD5(part MD5s))-N; empty when a part's ETag is no MD5.
std::string composite_etag(const RemoteObject& object) {
  std::string raw;
  for (const StoredPart& part : object.parts) {
    const auto digest = from_hex(unquoted(part.tag));
    if (!digest || digest->size() != 16) return {};
    raw += *digest;
  }
  std::array<std::byte, 16> digest = {};
  unsigned length = 0;
  EVP_Digest(raw.data(), raw.size(), reinterpret_cast<unsigned char*>(digest.data()), &length, EVP_md5(), nullptr);
  return fmt::format("{}-{}", hex(digest), object.parts.size());
}

}  // namespace

std::string S3Dialect::whole_checksum(const RemoteObject& object) const {
  uint64_t whole = object.parts.front().checksum;
  for (uint32_t part = 1; part < object.parts.size(); ++part) {
    whole = joined_checksum(settings_.checksum, whole, object.parts[part].checksum, object.part_length(part));
  }
  return checksum_text(settings_.checksum, whole);
}

// Which of the two a server means stands in x-amz-checksum-type. Older servers don't send it, and some send the
// composite one without its "-N", or the other with it; there, either of ours will do.
std::optional<Error> S3Dialect::check_stored(const RemoteObject& object, const http::Exchange& head) const {
  const std::string stored = stored_checksum(head);
  if (stored.empty()) return std::nullopt;
  const std::string_view type = head.header("x-amz-checksum-type").value_or("");
  const std::string whole = whole_checksum(object);
  const std::string composite = settings_.checksum == Checksum::kCrc32c ? composite_checksum(object) : "";
  const std::string_view value = without_count(stored);
  if (type != "COMPOSITE" && value == whole) return std::nullopt;
  if (type != "FULL_OBJECT" && !composite.empty() && value == without_count(composite)) return std::nullopt;
  const std::string expected = type == "FULL_OBJECT" || composite.empty() ? whole
                               : type == "COMPOSITE"                      ? composite
                                                                          : fmt::format("{} or {}", whole, composite);
  return Error{
      ErrorCode::kDataMismatch,
      fmt::format("{} was stored with {} {}{}{}, but {} was sent", object.uri(), names_of(settings_.checksum).algorithm,
                  printable(stored, 60), type.empty() ? "" : " ", printable(type, 20), expected),
      "found by HeadObject after the upload"};
}

// The ETag is the MD5 over the parts' MD5s, or the object was last modified no earlier than the upload was created.
bool S3Dialect::is_this_write(const RemoteObject& object, const http::Exchange& head) const {
  const std::string expected = composite_etag(object);
  if (!expected.empty() && unquoted(head.header("etag").value_or("")) == expected) return true;
  const auto modified = head.header("last-modified");
  const auto when = modified ? parse_http_date(*modified) : std::nullopt;
  return when && object.upload_created && *when >= *object.upload_created;
}

}  // namespace mlps::s3
