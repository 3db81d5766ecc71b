#include "storage/azure/shared_key.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::azure {
namespace {

// The headers whose values stand in the signed text without their names, in its order; Content-Length is among them
// but not in the list, since the HTTP engine writes it.
constexpr std::array<std::string_view, 2> kBeforeLength = {"content-encoding", "content-language"};
constexpr std::array<std::string_view, 8> kAfterLength = {"content-md5",         "content-type", "date",
                                                          "if-modified-since",   "if-match",     "if-none-match",
                                                          "if-unmodified-since", "range"};

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<std::byte, 32> digest = {};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), reinterpret_cast<unsigned char*>(digest.data()), &length);
  return base64(digest);
}

}  // namespace

// Appends the values of the standard headers, then every x-ms- header by name.
void SharedKeySigner::append_headers(const SignedRequest& request) {
  pairs_.clear();
  std::string_view rest = request.headers;
  for (auto end = rest.find("\r\n"); end != std::string_view::npos; end = rest.find("\r\n")) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    pairs_.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  std::sort(pairs_.begin(), pairs_.end());
  const auto append_value = [this](std::string_view name) {
    const auto found = std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.first == name; });
    if (found != pairs_.end()) text_ += found->second;
    text_ += '\n';
  };
  for (const std::string_view name : kBeforeLength) append_value(name);
  if (request.content_length != 0) text_ += std::to_string(request.content_length);
  text_ += '\n';
  for (const std::string_view name : kAfterLength) append_value(name);
  for (const auto& [name, value] : pairs_) {
    if (name.starts_with("x-ms-")) text_.append(name).append(":").append(value).append("\n");
  }
}

// Appends the account and the path as sent, then every query parameter, decoded, by name.
void SharedKeySigner::append_resource(const SignedRequest& request) {
  text_.append("/").append(account_).append(request.path);
  pairs_.clear();
  for (const std::string& parameter : split(request.query, "&")) {
    const auto equals = parameter.find('=');
    const std::string_view value =
        equals == std::string::npos ? std::string_view{} : std::string_view(parameter).substr(equals + 1);
    pairs_.emplace_back(lower(std::string_view(parameter).substr(0, equals)),
                        percent_decoded(value).value_or(std::string(value)));
  }
  std::sort(pairs_.begin(), pairs_.end());
  for (const auto& [name, value] : pairs_) text_.append("\n").append(name).append(":").append(value);
}

const std::string& SharedKeySigner::authorization(const SignedRequest& request) {
  text_.assign(request.method).append("\n");
  append_headers(request);
  append_resource(request);
  authorization_ = fmt::format("SharedKey {}:{}", account_, hmac_sha256(key_, text_));
  return authorization_;
}

}  // namespace mlps::azure
