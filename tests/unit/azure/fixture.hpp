#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "object_store_test.hpp"
#include "storage/azure/azure_store.hpp"
#include "storage/endpoint_text.hpp"

namespace mlps::azure {

using storage::Operation;
using storage::OpKind;
using test::outcome;
using test::Reply;
using test::Request;

inline constexpr int kAlways = 1 << 30;
inline constexpr size_t kPart = size_t{1} << 20;
inline constexpr char kEtag[] = "\"0x8DC\"";

inline std::string said(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code +
         "</Code><Message>said the server\nRequestId:1</Message></Error>";
}

inline Reply refused(int status, const std::string& code) {
  return {.status = status, .headers = {{"x-ms-error-code", code}, {"x-ms-request-id", "rid-1"}}, .body = said(code)};
}

inline Reply created() {
  return {.status = 201, .headers = {{"ETag", kEtag}}};
}

inline Reply properties(size_t size, std::string etag = kEtag) {
  return {.status = 200, .headers = {{"ETag", std::move(etag)}}, .announced_length = size};
}

/// A store at az://acct/box/run 1 on a scripted server.
class AzureTest : public test::ObjectStoreTest {
 protected:
  AzureTest() { open(settings()); }

  Settings settings() {
    Settings out;
    out.account = "acct";
    out.container = "box";
    out.endpoints = {*storage::parse_endpoint(server.url() + "/acct", "test")};
    out.authorisation = Authorisation::kSharedKey;
    out.authorisation_source = "AZURE_STORAGE_KEY";
    out.key = "hunter2";
    test::shorten_waits(out);
    out.retry.max_attempts = 3;
    return out;
  }

  void open(Settings settings) {
    use(store_with(Location(Scheme::kAzure, "acct/box", "run 1"), std::move(settings)), 2);
  }

  std::unique_ptr<storage::Object> object(size_t size) {
    bytes_.assign(size, 'x');
    for (size_t i = 0; i < size; ++i) bytes_[i] = static_cast<char>(i * 31);
    return ObjectStoreTest::object("x", size, kPart);
  }

  std::span<std::byte> part_of(const storage::Object& object, uint32_t part) {
    return std::as_writable_bytes(std::span(bytes_)).subspan(object.part_offset(part), object.part_length(part));
  }

  // Begins the object and writes all of its parts.
  void put_parts(storage::Object& object) {
    EXPECT_FALSE(run(OpKind::kBeginWrite, object).error);
    for (uint32_t part = 0; part < object.part_count(); ++part) {
      const auto written = run(OpKind::kWritePart, object, part, part_of(object, part));
      EXPECT_FALSE(written.error) << render(*written.error);
    }
  }

  std::vector<Request> sent(const std::string& method, const std::string& part) const {
    std::vector<Request> out;
    for (Request& request : server.requests()) {
      if (request.method == method && request.target.find(part) != std::string::npos) out.push_back(std::move(request));
    }
    return out;
  }

 private:
  std::string bytes_;
};

inline std::string nonce_of(const Request& block) {
  const auto id = percent_decoded(test::query_value(block.query, "blockid"));
  return base64_decoded(id.value_or("")).value_or("").substr(0, 16);
}

}  // namespace mlps::azure
