#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlps::azure {

/// The parts of a request that SharedKey authorisation covers.
struct SignedRequest {
  std::string_view method;
  uint64_t content_length = 0;
  std::string_view headers;  ///< the lines to be sent, "Name: value\r\n" each; those that count are picked out
  std::string_view path;     ///< percent-encoded, as sent; with path-style endpoints it begins with the account
  std::string_view query;    ///< percent-encoded, without '?'
};

/// Authorisation "SharedKey" of the Blob service, as "Authorize with Shared Key" of Microsoft's REST reference
/// describes it for version 2015-02-21 and later. Keeps its scratch memory, so it belongs to one thread.
class SharedKeySigner {
 public:
  /// `key` is the account's key, decoded.
  SharedKeySigner(std::string account, std::string key) : account_(std::move(account)), key_(std::move(key)) {}

  /// Returns the value of the Authorization header. Valid until the next call.
  const std::string& authorization(const SignedRequest& request);
  /// Returns the text that the last authorization() signed; for tests against published examples.
  const std::string& signed_text() const { return text_; }

 private:
  using Pair = std::pair<std::string, std::string>;
  void append_headers(const SignedRequest& request);
  void append_resource(const SignedRequest& request);

  std::string account_;
  std::string key_;
  std::vector<Pair> pairs_;
  std::string text_;
  std::string authorization_;
};

}  // namespace mlps::azure
