#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/crc.hpp"
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

/// The checksums of an object that was sent, as S3 writes them: over all its bytes, and over the parts' checksums. For
/// one part servers give either.
struct SentChecksums {
  std::string whole;
  std::string composite;  ///< with "-N"
};

SentChecksums sent_checksums(const RemoteObject& object) {
  std::vector<uint32_t> crcs;
  for (const StoredPart& part : object.parts) crcs.push_back(static_cast<uint32_t>(part.checksum));
  uint32_t whole = crcs.front();
  for (uint32_t part = 1; part < crcs.size(); ++part) {
    whole = crc32c_joined(whole, crcs[part], object.part_length(part));
  }
  return {object::crc32c_text(whole), object::crc32c_composite(crcs)};
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

// Which of the two a server means stands in x-amz-checksum-type. Older servers don't send it, and some send the
// composite one without its "-N", or the other with it; there, either of ours will do.
std::optional<Error> S3Dialect::check_stored(const RemoteObject& object, const http::Exchange& head) const {
  const std::string stored = stored_checksum(head);
  if (stored.empty() || !settings_.checksum) return std::nullopt;
  const std::string_view type = head.header("x-amz-checksum-type").value_or("");
  const SentChecksums sent = sent_checksums(object);
  const std::string_view value = without_count(stored);
  if (type != "COMPOSITE" && value == sent.whole) return std::nullopt;
  if (type != "FULL_OBJECT" && value == without_count(sent.composite)) return std::nullopt;
  const std::string expected = type == "COMPOSITE"     ? sent.composite
                               : type == "FULL_OBJECT" ? sent.whole
                                                       : fmt::format("{} or {}", sent.whole, sent.composite);
  return Error{ErrorCode::kDataMismatch,
               fmt::format("{} was stored with CRC32C {}{}{}, but {} was sent", object.uri(), printable(stored, 60),
                           type.empty() ? "" : " ", printable(type, 20), expected),
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
