#include "fake_blobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "storage/azure/azure_dialect.hpp"

namespace mlps::test {
namespace {

constexpr std::string_view kContainer = "/acct/box";
constexpr const char* kWriteHeader = "x-ms-meta-mlpstorage_write";

std::string blob_header(const Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

std::string blob_parameter(const Request& request, const std::string& name) {
  return percent_decoded(query_value(request.query, name)).value_or("");
}

std::optional<Reply> damaged(const Request& request) {
  const std::string sent = blob_header(request, "x-ms-content-crc64");
  if (sent.empty() || sent == azure::crc64_text(crc64nvme(std::as_bytes(std::span(request.body))))) return std::nullopt;
  return blob_error_reply(400, "Crc64Mismatch");
}

/// Returns the ids in a list of blocks, in order.
std::vector<std::string> ids_in(const std::string& body) {
  constexpr std::string_view kBegin = "<Latest>", kEnd = "</Latest>";
  std::vector<std::string> ids;
  for (size_t at = body.find(kBegin); at != std::string::npos; at = body.find(kBegin, at)) {
    at += kBegin.size();
    ids.push_back(body.substr(at, body.find(kEnd, at) - at));
  }
  return ids;
}

Reply content_of(const FakeBlobs::Stored& stored, const Request& request) {
  Reply reply{.headers = {{"ETag", stored.etag}}, .body = stored.bytes};
  if (!stored.write.empty()) reply.headers.emplace_back(kWriteHeader, stored.write);
  const std::string wanted = blob_header(request, "if-match");
  if (!wanted.empty() && wanted != stored.etag) return blob_error_reply(412, "ConditionNotMet");
  if (request.method == "HEAD") reply.announced_length = stored.bytes.size();
  unsigned long first = 0, last = 0;
  if (std::sscanf(blob_header(request, "x-ms-range").c_str(), "bytes=%lu-%lu", &first, &last) != 2) return reply;
  if (first >= stored.bytes.size()) return blob_error_reply(416, "InvalidRange");
  last = std::min<unsigned long>(last, stored.bytes.size() - 1);
  reply.status = 206;
  reply.body = stored.bytes.substr(first, last - first + 1);
  reply.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", first, last, stored.bytes.size()));
  return reply;
}

}  // namespace

Reply blob_error_reply(int status, const std::string& code, const std::string& message) {
  return {
      .status = status,
      .headers = {{"x-ms-error-code", code}, {"x-ms-request-id", "rid-1"}},
      .body = fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>{}</Message></Error>", code, message)};
}

Reply FakeBlobs::created(const std::string& name, Stored stored) {
  stored.etag = fmt::format("\"0x{}\"", ++versions_);
  uncommitted.erase(name);
  Stored& kept = blobs[name] = std::move(stored);
  return {.status = 201, .headers = {{"ETag", kept.etag}}};
}

Reply FakeBlobs::put_blob(const std::string& name, const Request& request) {
  if (auto refused = damaged(request)) return *refused;
  return created(name, {.bytes = request.body, .etag = {}});
}

Reply FakeBlobs::put_block(const std::string& name, const Request& request) {
  if (auto refused = damaged(request)) return *refused;
  uncommitted[name][blob_parameter(request, "blockid")] = request.body;
  return {.status = 201};
}

Reply FakeBlobs::put_block_list(const std::string& name, const Request& request) {
  if (auto refused = damaged(request)) return *refused;
  const auto old = blobs.find(name);
  if (old != blobs.end() && blob_header(request, "if-none-match") == "*")
    return blob_error_reply(409, "BlobAlreadyExists");
  Stored stored;
  stored.write = blob_header(request, kWriteHeader);
  const auto waiting = uncommitted.find(name);
  for (const std::string& id : ids_in(request.body)) {
    const bool is_fresh = waiting != uncommitted.end() && waiting->second.contains(id);
    if (!is_fresh && (old == blobs.end() || !old->second.blocks.contains(id))) {
      return blob_error_reply(400, "InvalidBlockList");
    }
    const std::string& bytes = is_fresh ? waiting->second.at(id) : old->second.blocks.at(id);
    stored.blocks[id] = bytes;
    stored.bytes += bytes;
  }
  return created(name, std::move(stored));
}

Reply FakeBlobs::remove(const std::string& name, const Request& request) {
  const auto found = blobs.find(name);
  if (found == blobs.end()) return blob_error_reply(404, "BlobNotFound");
  const std::string wanted = blob_header(request, "if-match");
  if (!wanted.empty() && wanted != found->second.etag) return blob_error_reply(412, "ConditionNotMet");
  blobs.erase(found);
  uncommitted.erase(name);
  return {.status = 202};
}

Reply FakeBlobs::list(const Request& request) const {
  const std::string prefix = blob_parameter(request, "prefix");
  const std::string from = blob_parameter(request, "marker");
  constexpr size_t kPage = 3;  // small, so that paging happens
  std::map<std::string, size_t> sizes;
  const auto md5_of = [&](const std::string& name) {  // as of every Put Blob; of blocks there is none
    const auto blob = blobs.find(name);
    return blob != blobs.end() && blob->second.write.empty() ? "<Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5>"
                                                             : "";
  };
  for (const auto& [name, stored] : blobs) sizes[name] = stored.bytes.size();
  if (blob_parameter(request, "include") == "uncommittedblobs") {
    for (const auto& [name, blocks] : uncommitted) sizes.emplace(name, 0);
  }
  std::string entries, next;
  size_t listed = 0;
  for (const auto& [name, size] : sizes) {
    if (!name.starts_with(prefix) || name < from) continue;
    if (listed++ == kPage) {
      next = name;
      break;
    }
    entries += fmt::format("<Blob><Name>{}</Name><Properties><Content-Length>{}</Content-Length>{}</Properties></Blob>",
                           name, size, md5_of(name));
  }
  return {.body = fmt::format("<?xml version=\"1.0\"?><EnumerationResults><Blobs>{}</Blobs><NextMarker>{}</NextMarker>"
                              "</EnumerationResults>",
                              entries, next)};
}

Reply FakeBlobs::answer(const Request& request) {
  if (request.path == kContainer) {
    return blob_parameter(request, "comp") == "list" ? list(request) : Reply{.headers = {{"ETag", "\"0x1\""}}};
  }
  if (!request.path.starts_with(std::string(kContainer) + "/")) return blob_error_reply(404, "ContainerNotFound");
  const std::string name = percent_decoded(request.path.substr(kContainer.size() + 1)).value_or("");
  const std::string comp = blob_parameter(request, "comp");
  if (request.method == "DELETE") return remove(name, request);
  if (request.method == "PUT" && comp == "block") return put_block(name, request);
  if (request.method == "PUT" && comp == "blocklist") return put_block_list(name, request);
  if (request.method == "PUT") return put_blob(name, request);
  const auto found = blobs.find(name);
  return found == blobs.end() ? blob_error_reply(404, "BlobNotFound") : content_of(found->second, request);
}

}  // namespace mlps::test
