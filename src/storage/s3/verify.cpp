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

/// Returns the checksum of the bytes sent, in the form that the server's text has.
std::string sent_checksum(const RemoteObject& object, std::string_view stored) {
  std::vector<uint32_t> crcs;
  for (const StoredPart& part : object.parts) crcs.push_back(static_cast<uint32_t>(part.checksum));
  if (stored.find('-') != std::string_view::npos) return object::crc32c_composite(crcs);
  uint32_t whole = crcs.front();
  for (uint32_t part = 1; part < crcs.size(); ++part) {
    whole = crc32c_joined(whole, crcs[part], object.part_length(part));
  }
  return object::crc32c_text(whole);
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

std::optional<Error> S3Dialect::check_stored(const RemoteObject& object, const http::Exchange& head) const {
  const std::string stored = stored_checksum(head);
  if (stored.empty() || !settings_.checksum) return std::nullopt;
  const std::string sent = sent_checksum(object, stored);
  if (stored == sent) return std::nullopt;
  return Error{ErrorCode::kDataMismatch,
               fmt::format("{} was stored with CRC32C {}, but {} was sent", object.uri(), printable(stored, 60), sent),
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
