#include "fake_service.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "storage/gcs/pieces.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::test {
namespace {

using nlohmann::json;

constexpr char kObjects[] = "/storage/v1/b/bkt/o";

std::string crc_text(const std::string& bytes) {
  return object::crc32c_text(crc32c(std::as_bytes(std::span(bytes))));
}

std::string parameter(const Request& request, const std::string& name) {
  return percent_decoded(query_value(request.query, name)).value_or("");
}

}  // namespace

Reply json_error_reply(int status, const std::string& reason, const std::string& message) {
  const json body = {
      {"error", {{"code", status}, {"message", message}, {"errors", {{{"reason", reason}, {"message", message}}}}}}};
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()};
}

size_t FakeService::pieces() const {
  size_t count = 0;
  for (const auto& [key, stored] : objects) count += gcs::is_piece_key(key) ? 1 : 0;
  return count;
}

Reply FakeService::describe(const std::string& key) const {
  const Stored& stored = objects.at(key);
  const json body = {{"kind", "storage#object"},
                     {"name", key},
                     {"size", std::to_string(stored.bytes.size())},
                     {"generation", std::to_string(stored.generation)},
                     {"crc32c", crc_text(stored.bytes)}};
  return {.body = body.dump()};
}

Reply FakeService::upload(const Request& request) {
  const std::string key = parameter(request, "name");
  const auto hash = request.headers.find("x-goog-hash");
  if (hash != request.headers.end() && hash->second != "crc32c=" + crc_text(request.body)) {
    return json_error_reply(400, "invalid", "Provided CRC32C doesn't match calculated CRC32C.");
  }
  put(key, request.body);
  return describe(key);
}

Reply FakeService::compose(const std::string& key, const std::string& body) {
  const json asked = json::parse(body);
  std::string bytes;
  for (const json& source : asked["sourceObjects"]) {
    const auto found = objects.find(source["name"].get<std::string>());
    if (found == objects.end()) return json_error_reply(404, "notFound", "Object not found");
    bytes += found->second.bytes;
  }
  composed.push_back(asked["sourceObjects"].size());
  if (composed.back() > 32) return json_error_reply(400, "invalid", "more than 32 components");
  put(key, bytes);
  return describe(key);
}

Reply FakeService::media(const Request& request, const Stored& stored) const {
  const std::string wanted = parameter(request, "ifGenerationMatch");
  if (honours_generations && !wanted.empty() && wanted != std::to_string(stored.generation)) {
    return json_error_reply(412, "conditionNotMet");
  }
  Reply reply;
  reply.headers = {{"x-goog-generation", std::to_string(stored.generation)}};
  if (announces_hashes) {
    reply.headers.emplace_back("x-goog-hash", "md5=1B2M2Y8AsgTpgAmY7PhCfg==");
    reply.headers.emplace_back("x-goog-hash", "crc32c=" + crc_text(stored.bytes));
  }
  reply.body = stored.bytes;
  const auto range = request.headers.find("range");
  if (range == request.headers.end()) return reply;
  unsigned long first = 0, last = 0;
  if (std::sscanf(range->second.c_str(), "bytes=%lu-%lu", &first, &last) != 2 || first >= stored.bytes.size()) {
    return json_error_reply(416, "requestedRangeNotSatisfiable");
  }
  last = std::min<unsigned long>(last, stored.bytes.size() - 1);
  reply.status = 206;
  reply.body = stored.bytes.substr(first, last - first + 1);
  reply.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", first, last, stored.bytes.size()));
  return reply;
}

Reply FakeService::list(const Request& request) const {
  const std::string prefix = parameter(request, "prefix");
  const std::string most = parameter(request, "maxResults");
  const std::string from = std::max(parameter(request, "startOffset"), parameter(request, "pageToken"));
  json body = {{"kind", "storage#objects"}};
  for (const auto& [key, stored] : objects) {
    if (!key.starts_with(prefix) || key < from) continue;
    if (body.contains("items") && body["items"].size() == std::stoul(most)) {
      body["nextPageToken"] = key;
      break;
    }
    body["items"].push_back({{"name", key}, {"size", std::to_string(stored.bytes.size())}});
  }
  return {.body = body.dump()};
}

Reply FakeService::batch(const Request& request) {
  std::string body;
  for (size_t at = request.body.find("DELETE "); at != std::string::npos; at = request.body.find("DELETE ", at + 1)) {
    std::string path = request.body.substr(at + 7);
    path = path.substr(0, path.find(' ')).substr(sizeof kObjects);
    const bool there = objects.erase(percent_decoded(path).value_or("")) == 1;
    body += fmt::format("--b1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n\r\n",
                        there ? "204 No Content" : "404 Not Found");
  }
  return {.headers = {{"Content-Type", "multipart/mixed; boundary=\"b1\""}}, .body = body + "--b1--\r\n"};
}

Reply FakeService::answer(const Request& request) {
  if (!token.empty()) {
    const auto given = request.headers.find("authorization");
    if (given == request.headers.end() || given->second != "Bearer " + token) {
      return json_error_reply(401, "authError", "Invalid Credentials");
    }
  }
  if (request.path == "/upload/storage/v1/b/bkt/o") return upload(request);
  if (request.path == "/batch/storage/v1") return batch(request);
  if (request.path == kObjects) return list(request);
  if (!request.path.starts_with(std::string(kObjects) + "/")) {
    return json_error_reply(404, "notFound", "The specified bucket does not exist.");
  }
  std::string path = request.path.substr(sizeof kObjects);
  const bool composes = path.ends_with("/compose");
  if (composes) path.resize(path.size() - 8);
  const std::string key = percent_decoded(path).value_or("");
  if (composes) return compose(key, request.body);
  const auto found = objects.find(key);
  if (found == objects.end()) return json_error_reply(404, "notFound", "No such object: bkt/" + key);
  if (request.method == "DELETE") {
    objects.erase(found);
    return {.status = 204};
  }
  return query_value(request.query, "alt") == "media" ? media(request, found->second) : describe(key);
}

}  // namespace mlps::test
