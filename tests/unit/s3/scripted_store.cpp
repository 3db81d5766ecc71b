// The S3 side of the scripted server: objects and uploads in memory.
#include <endian.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <time.h>

#include <array>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "scripted_server.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::test {
namespace {

std::string md5(const std::string& bytes) {
  std::array<std::byte, 16> digest = {};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length, EVP_md5(), nullptr);
  return hex(digest);
}

std::string http_date(int64_t seconds) {
  const time_t when = seconds;
  tm utc = {};
  gmtime_r(&when, &utc);
  std::array<char, 64> text = {};
  strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return text.data();
}

std::string header_of(const Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

using Header = std::pair<std::string, std::string>;

/// Returns the checksum of the body that a request carries, by the name of its header; empty if it carries none.
Header checksum_of(const Request& request) {
  for (const char* name : {"x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme"}) {
    if (request.headers.contains(name)) return {name, request.headers.at(name)};
  }
  return {};
}

std::string crc64nvme_text(std::string_view bytes) {
  const uint64_t big_endian = htobe64(crc64nvme(std::as_bytes(std::span(bytes))));
  return base64(std::as_bytes(std::span(&big_endian, 1)));
}

bool checksum_wrong(const Request& request) {
  const auto [name, sent] = checksum_of(request);
  if (name.empty()) return false;
  if (name.ends_with("nvme")) return sent != crc64nvme_text(request.body);
  return sent != object::crc32c_text(crc32c(std::as_bytes(std::span(request.body))));
}

}  // namespace

Reply ScriptedServer::store(const Request& request) {
  const std::lock_guard lock(mutex_);
  Reply reply = handler_ ? handler_(request) : s3_reply(request);
  for (Rule& rule : rules_) {
    if (!rule.change || rule.left <= 0 || rule.method != request.method) continue;
    if (request.target.find(rule.part) == std::string::npos) continue;
    --rule.left;
    rule.change(reply);
  }
  if (after_) after_(request, reply);
  return reply;
}

Reply ScriptedServer::s3_reply(const Request& request) {
  Reply reply;
  const bool object_path = request.path.find('/', 1) != std::string::npos;
  if (request.method == "PUT" && request.query.find("partNumber=") != std::string::npos) {
    reply = put_part(request);
  } else if (request.method == "PUT") {
    const Header checksum = checksum_of(request);
    if (checksum_wrong(request)) return error_reply(400, "BadDigest");
    objects_[request.path] = {request.body, '"' + md5(request.body) + '"', checksum, time(nullptr)};
    reply.headers = {{"ETag", objects_[request.path].etag}};
    if (keep_checksums_ && !checksum.first.empty()) reply.headers.push_back(checksum);
  } else if (request.method == "POST" && request.query == "uploads=") {
    const std::string id = fmt::format("up/{}+x", next_upload_++);
    uploads_[id].path = request.path;
    reply.headers = {{"Date", http_date(time(nullptr))}};
    reply.body = fmt::format(
        "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<Bucket>b</Bucket><UploadId>{}</UploadId></InitiateMultipartUploadResult>",
        id);
  } else if (request.method == "POST") {
    reply = complete(request);
  } else if (request.method == "DELETE" && request.query.starts_with("uploadId=")) {
    const auto id = percent_decoded(query_value(request.query, "uploadId")).value_or("");
    reply = uploads_.erase(id) == 1 ? Reply{.status = 204} : error_reply(404, "NoSuchUpload");
  } else if (request.method == "DELETE") {
    objects_.erase(request.path);
    reply.status = 204;
  } else if (!object_path && request.query.ends_with("uploads=")) {
    reply = list_uploads(request);
  } else if (!object_path) {
    reply = list(request);
  } else {
    reply = get(request);
  }
  return reply;
}

Reply ScriptedServer::put_part(const Request& request) {
  const auto id = percent_decoded(query_value(request.query, "uploadId")).value_or("");
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return error_reply(404, "NoSuchUpload");
  if (checksum_wrong(request)) return error_reply(400, "BadDigest");
  Stored& part = upload->second.parts[std::stoi(query_value(request.query, "partNumber"))];
  part = {request.body, '"' + md5(request.body) + '"', checksum_of(request), 0};
  Reply reply{.headers = {{"ETag", part.etag}}};
  if (keep_checksums_ && !part.checksum.first.empty()) reply.headers.push_back(part.checksum);
  return reply;
}

Reply ScriptedServer::complete(const Request& request) {
  const auto id = percent_decoded(query_value(request.query, "uploadId")).value_or("");
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return error_reply(404, "NoSuchUpload");
  Stored whole;
  std::string digests;
  std::vector<uint32_t> crcs;
  for (const auto& [number, part] : upload->second.parts) {
    if (request.body.find(fmt::format("<PartNumber>{}</PartNumber>", number)) == std::string::npos) {
      return error_reply(400, "InvalidPart");
    }
    whole.bytes += part.bytes;
    digests += from_hex(part.etag.substr(1, 32)).value_or("");
    crcs.push_back(crc32c(std::as_bytes(std::span(part.bytes))));
  }
  whole.etag = fmt::format("\"{}-{}\"", md5(digests), crcs.size());
  whole.checksum = {"x-amz-checksum-crc32c", object::crc32c_composite(crcs)};
  if (const Header sent = checksum_of(request); sent.first.ends_with("nvme")) {
    if (sent.second != crc64nvme_text(whole.bytes)) return error_reply(400, "BadDigest");
    whole.checksum = sent;
  }
  whole.modified = time(nullptr);
  objects_[upload->second.path] = whole;
  uploads_.erase(upload);
  return {.body = fmt::format("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>",
                              whole.etag)};
}

Reply ScriptedServer::get(const Request& request) const {
  const auto found = objects_.find(request.path);
  if (found == objects_.end()) {
    Reply reply = error_reply(404, "NoSuchKey");
    if (request.method == "HEAD") reply.announced_length = 232;  // announced, never sent, as Ceph RGW does
    return reply;
  }
  const Stored& stored = found->second;
  const std::string wanted = header_of(request, "if-match");
  if (!wanted.empty() && wanted != stored.etag) return error_reply(412, "PreconditionFailed");
  Reply reply{.headers = {{"ETag", stored.etag}, {"Last-Modified", http_date(stored.modified)}}, .body = stored.bytes};
  if (request.method == "HEAD") {
    reply.announced_length = stored.bytes.size();
    if (keep_checksums_) reply.headers.push_back(stored.checksum);
    return reply;
  }
  const std::string range = header_of(request, "range");
  if (range.empty()) return reply;
  const auto dash = range.find('-');
  const size_t first = std::stoull(range.substr(6, dash - 6));
  if (first >= stored.bytes.size()) return error_reply(416, "InvalidRange");
  const size_t last = std::min<size_t>(std::stoull(range.substr(dash + 1)), stored.bytes.size() - 1);
  reply.status = 206;
  reply.body = stored.bytes.substr(first, last - first + 1);
  reply.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", first, last, stored.bytes.size()));
  return reply;
}

Reply ScriptedServer::list(const Request& request) const {
  const std::string prefix = percent_decoded(query_value(request.query, "prefix")).value_or("");
  const std::string after = percent_decoded(query_value(request.query, "continuation-token")).value_or("");
  constexpr int kPage = 3;  // small, so that paging happens
  std::string entries;
  std::string last;
  bool more = false;
  int listed = 0;
  for (const auto& [path, stored] : objects_) {
    if (!path.starts_with(request.path + "/")) continue;
    const std::string encoded = path.substr(request.path.size() + 1);
    const std::string key = percent_decoded(encoded).value_or("");
    if (!key.starts_with(prefix) || key <= after) continue;
    if (listed == kPage) {
      more = true;
      break;
    }
    ++listed;
    last = key;
    entries += fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", encoded, stored.bytes.size());
  }
  std::string token;
  if (more) token = fmt::format("<NextContinuationToken>{}</NextContinuationToken>", last);
  return {.body = fmt::format("<ListBucketResult><Name>b</Name><IsTruncated>{}</IsTruncated>{}"
                              "<EncodingType>url</EncodingType>{}</ListBucketResult>",
                              more, token, entries)};
}

// Keys and markers as they are, as Ceph RGW without encoding-type.
Reply ScriptedServer::list_uploads(const Request& request) const {
  const auto value = [&](const char* name) { return percent_decoded(query_value(request.query, name)).value_or(""); };
  const std::pair<std::string, std::string> after = {value("key-marker"), value("upload-id-marker")};
  std::map<std::pair<std::string, std::string>, const Upload*> sorted;
  for (const auto& [id, upload] : uploads_) {
    if (!upload.path.starts_with(request.path + "/")) continue;
    const std::string key = percent_decoded(upload.path.substr(request.path.size() + 1)).value_or("");
    if (key.starts_with(value("prefix")) && std::pair(key, id) > after) sorted[{key, id}] = &upload;
  }
  constexpr int kPage = 3;
  std::string entries;
  std::pair<std::string, std::string> last;
  int listed = 0;
  for (const auto& [key_and_id, upload] : sorted) {
    if (listed++ == kPage) break;
    last = key_and_id;
    entries += fmt::format("<Upload><Key>{}</Key><UploadId>{}</UploadId></Upload>", last.first, last.second);
  }
  const bool more = sorted.size() > kPage;
  const std::string next = fmt::format("<NextKeyMarker>{}</NextKeyMarker><NextUploadIdMarker>{}</NextUploadIdMarker>",
                                       last.first, last.second);
  return {.body = fmt::format("<ListMultipartUploadsResult><Bucket>b</Bucket><IsTruncated>{}</IsTruncated>{}{}"
                              "</ListMultipartUploadsResult>",
                              more, more ? next : "", entries)};
}

}  // namespace mlps::test
