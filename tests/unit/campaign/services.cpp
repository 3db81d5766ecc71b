#include "services.hpp"

#include <fmt/format.h>

#include <array>

#include "../s3/fixture.hpp"
#include "base/encoding.hpp"
#include "fake_blobs.hpp"
#include "fake_service.hpp"
#include "storage/azure/azure_store.hpp"
#include "storage/endpoint_text.hpp"
#include "storage/gcs/gcs_store.hpp"
#include "storage/gcs/pieces.hpp"

namespace mlps::test {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string range_of(const Request& request) {
  for (const char* name : {"range", "x-ms-range"}) {
    if (const auto found = request.headers.find(name); found != request.headers.end()) return found->second;
  }
  return {};
}

/// Returns a percent-encoded text with every run of sixteen hexadecimal digits, which a write draws anew, as one '*'.
std::string without_draws(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_not_of("0123456789abcdef", at), text.size());
    if (end - at >= gcs::kUploadDigits) {
      out += '*';
    } else {
      out.append(text, at, end - at);
    }
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

std::vector<storage::Endpoint> endpoints_at(const ScriptedServer& server, const std::string& path) {
  std::vector<storage::Endpoint> all;
  for (const std::string& url : server.urls()) all.push_back(*storage::parse_endpoint(url + path, "test"));
  return all;
}

// ---- S3

class S3Service final : public Service {
 public:
  explicit S3Service(size_t ports) : Service(ports) {}

  const char* name() const override { return "s3"; }
  Protocol protocol() const override { return Protocol::kS3; }
  uint64_t part_bytes() const override { return uint64_t{5} << 20; }
  uint64_t large_bytes() const override { return part_bytes() + 1000; }

  std::unique_ptr<storage::Store> open(const object::TransferSettings& transfer) override {
    s3::Settings settings = test_settings(server().urls());
    static_cast<object::TransferSettings&>(settings) = transfer;
    return s3::store_with(Location(Scheme::kS3, "bkt", "run 1"), std::move(settings));
  }

  Asked asked(const Request& request) const override {
    const std::string& query = request.query;
    const std::string part = query_value(query, "partNumber");
    const std::string kind = kind_of(request);
    std::string more = part + range_of(request);
    if (kind.starts_with("List")) more += without(query, "continuation-token");
    return {kind, fmt::format("{} {} {}", kind, request.path, more)};
  }

  Reply error_reply(int status, const std::string& code) const override { return test::error_reply(status, code); }

  std::map<std::string, std::string> objects() override {
    std::map<std::string, std::string> out;
    for (auto& [path, bytes] : server().objects()) out[path.substr(std::string("/bkt/run%201/").size())] = bytes;
    return out;
  }
  size_t left() override { return server().open_uploads(); }

 private:
  static std::string without(const std::string& query, const std::string& name) {
    return query.substr(0, query.find(name));
  }

  static std::string kind_of(const Request& request) {
    const std::string& query = request.query;
    const bool of_bucket = request.path == "/bkt";
    if (request.method == "HEAD") return of_bucket ? "HeadBucket" : "HeadObject";
    if (request.method == "GET" && of_bucket)
      return has(query, "list-type=2") ? "ListObjectsV2" : "ListMultipartUploads";
    if (request.method == "GET") return "GetObject";
    if (request.method == "POST") return query == "uploads=" ? "CreateMultipartUpload" : "CompleteMultipartUpload";
    if (request.method == "PUT") return has(query, "partNumber=") ? "UploadPart" : "PutObject";
    return has(query, "uploadId=") ? "AbortMultipartUpload" : "DeleteObject";
  }
};

// ---- Azure

class AzureService final : public Service {
 public:
  explicit AzureService(size_t ports) : Service(ports) {
    server().answer_with([this](const Request& request) { return fake_.answer(request); });
  }
  ~AzureService() override { end(); }

  const char* name() const override { return "az"; }
  Protocol protocol() const override { return Protocol::kAzure; }
  uint64_t part_bytes() const override { return uint64_t{1} << 20; }
  uint64_t large_bytes() const override { return 3 * part_bytes() + 777; }

  std::unique_ptr<storage::Store> open(const object::TransferSettings& transfer) override {
    azure::Settings settings;
    static_cast<object::TransferSettings&>(settings) = transfer;
    settings.account = "acct";
    settings.container = "box";
    settings.endpoints = endpoints_at(server(), "/acct");
    settings.authorisation = azure::Authorisation::kSharedKey;
    settings.authorisation_source = "AZURE_STORAGE_KEY";
    settings.key = "hunter2";
    return azure::store_with(Location(Scheme::kAzure, "acct/box", "run 1"), std::move(settings));
  }

  Asked asked(const Request& request) const override {
    const std::string kind = kind_of(request);
    // The id of a block ends with its number.
    const auto block = percent_decoded(query_value(request.query, "blockid")).value_or("");
    const std::string number = base64_decoded(block).value_or("");
    const std::string tail = number.size() > 16 ? number.substr(16) : "";
    return {kind, fmt::format("{} {} {}{}{}", kind, request.path, tail, range_of(request),
                              query_value(request.query, "marker"))};
  }

  Reply error_reply(int status, const std::string& code) const override { return blob_error_reply(status, code); }

  std::map<std::string, std::string> objects() override {
    const auto lock = server().lock();
    std::map<std::string, std::string> out;
    for (const auto& [name, stored] : fake_.blobs) out[name.substr(std::string("run 1/").size())] = stored.bytes;
    return out;
  }
  size_t left() override {
    const auto lock = server().lock();
    return fake_.uncommitted.size();
  }

 private:
  static std::string kind_of(const Request& request) {
    const std::string comp = query_value(request.query, "comp");
    const bool of_container = request.path == "/acct/box";
    if (of_container && comp.empty()) return "Get Container Properties";
    if (of_container) return has(request.query, "include=") ? "List Blobs, uncommitted" : "List Blobs";
    if (request.method == "HEAD") return "Get Blob Properties";
    if (request.method == "GET") return "Get Blob";
    if (request.method == "DELETE") return "Delete Blob";
    if (comp == "block") return "Put Block";
    if (comp.empty()) return "Put Blob";
    return request.headers.contains("if-none-match") ? "Put Block List, empty" : "Put Block List";
  }

  FakeBlobs fake_;
};

// ---- Google

class GoogleService final : public Service {
 public:
  explicit GoogleService(size_t ports) : Service(ports) {
    server().answer_with([this](const Request& request) { return fake_.answer(request); });
  }
  ~GoogleService() override { end(); }

  const char* name() const override { return "gs"; }
  Protocol protocol() const override { return Protocol::kGoogle; }
  uint64_t part_bytes() const override { return uint64_t{64} << 10; }
  uint64_t large_bytes() const override { return 34 * part_bytes() - 5; }  // two levels of composing

  std::unique_ptr<storage::Store> open(const object::TransferSettings& transfer) override {
    gcs::Settings settings;
    static_cast<object::TransferSettings&>(settings) = transfer;
    settings.endpoints = endpoints_at(server(), "");
    settings.endpoint_source = "GCS_ENDPOINT_URL";
    settings.identity = {gcs::Nobody{}, "none", ""};
    return gcs::store_with(Location(Scheme::kGs, "bkt", "run 1"), std::move(settings));
  }

  Asked asked(const Request& request) const override {
    const std::string kind = kind_of(request);
    std::string more = kind == "batch" ? "" : query_value(request.query, "name") + query_value(request.query, "prefix");
    more += query_value(request.query, "pageToken") + query_value(request.query, "startOffset");
    return {kind, fmt::format("{} {} {}{}", kind, without_draws(request.path), without_draws(more), range_of(request))};
  }

  Reply error_reply(int status, const std::string& code) const override { return json_error_reply(status, code); }

  std::map<std::string, std::string> objects() override {
    const auto lock = server().lock();
    std::map<std::string, std::string> out;
    for (const auto& [key, stored] : fake_.objects) {
      if (!gcs::is_piece_key(key)) out[key.substr(std::string("run 1/").size())] = stored.bytes;
    }
    return out;
  }
  size_t left() override {
    const auto lock = server().lock();
    return fake_.pieces();
  }

 private:
  static std::string kind_of(const Request& request) {
    constexpr std::string_view kPieces = "mlpstorage-uploads";
    if (request.path.starts_with("/upload/")) {
      return has(query_value(request.query, "name"), kPieces) ? "objects.insert, part" : "objects.insert";
    }
    if (request.path.starts_with("/batch/")) return "batch";
    if (request.path.ends_with("/compose")) return "objects.compose";
    if (request.path == "/storage/v1/b/bkt/o") {
      if (has(request.query, "fields=kind&")) return "objects.list, one";
      return has(request.query, kPieces) ? "objects.list, parts" : "objects.list";
    }
    if (request.method == "DELETE") return "objects.delete";
    return has(request.query, "alt=media") ? "objects.get, media" : "objects.get";
  }

  FakeService fake_;
};

}  // namespace

std::unique_ptr<Service> make_service(Protocol protocol, size_t ports) {
  switch (protocol) {
    case Protocol::kS3:
      return std::make_unique<S3Service>(ports);
    case Protocol::kAzure:
      return std::make_unique<AzureService>(ports);
    case Protocol::kGoogle:
      break;
  }
  return std::make_unique<GoogleService>(ports);
}

std::vector<std::string> request_kinds(Protocol protocol) {
  switch (protocol) {
    case Protocol::kS3:
      return {"HeadBucket",
              "HeadObject",
              "ListObjectsV2",
              "ListMultipartUploads",
              "GetObject",
              "CreateMultipartUpload",
              "CompleteMultipartUpload",
              "UploadPart",
              "PutObject",
              "AbortMultipartUpload",
              "DeleteObject"};
    case Protocol::kAzure:
      return {"Get Container Properties",
              "List Blobs, uncommitted",
              "List Blobs",
              "Get Blob Properties",
              "Get Blob",
              "Delete Blob",
              "Put Block",
              "Put Blob",
              "Put Block List, empty",
              "Put Block List"};
    case Protocol::kGoogle:
      break;
  }
  return {"objects.insert, part", "objects.insert", "batch",          "objects.compose",    "objects.list, one",
          "objects.list, parts",  "objects.list",   "objects.delete", "objects.get, media", "objects.get"};
}

bool looks_at_bucket(const std::string& kind) {
  return kind == "HeadBucket" || kind == "Get Container Properties" || kind == "objects.list, one";
}

}  // namespace mlps::test
