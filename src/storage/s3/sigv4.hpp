#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mlps::s3 {

/// Keys of an account. Only Signer reads the secret parts; nothing ever prints them.
struct Credentials {
  std::string access_key;  ///< empty: requests are not signed
  std::string secret_key;
  std::string session_token;  ///< empty: none
};

/// A header that is signed: lower-case name, value without surrounding blanks.
struct SignedHeader {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptyPayloadHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Returns the SHA-256 as lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

/// The parts of a request that are signed.
struct SigningInput {
  std::string_view method;
  std::string_view path;                  ///< percent-encoded, beginning with '/'
  std::string_view query;                 ///< percent-encoded, sorted by name; "uploads=" for an empty value
  std::span<const SignedHeader> headers;  ///< sorted by name
  std::string_view payload_hash;          ///< value of x-amz-content-sha256
  std::string_view time;                  ///< "YYYYMMDDTHHMMSSZ"
};

/// AWS Signature Version 4 with the key in the Authorization header, as AWS documents it. Keeps the
/// signing key of the day and its scratch strings, so it belongs to one thread.
class Signer {
 public:
  /// `credentials` must live as long as the signer, or until the next use().
  Signer(const Credentials& credentials, std::string region, std::string service = "s3");

  /// Signs with these from now on, and for that region.
  void use(const Credentials& credentials, std::string_view region);

  /// Returns the value of the Authorization header. Valid until the next call.
  const std::string& authorization(const SigningInput& input);
  /// Returns the 64 hexadecimal digits at the end of the last authorization().
  std::string_view signature() const { return signature_; }
  /// Returns, as hexadecimal digits, the signing key of a day ("YYYYMMDD"); for tests against published values.
  std::string signing_key_hex(std::string_view day);

 private:
  using Digest = std::array<std::byte, 32>;
  void derive_key(std::string_view day);

  const Credentials* credentials_;
  std::string region_;
  std::string service_;
  std::string day_;
  std::string scope_;
  Digest key_ = {};
  std::string canonical_;
  std::string signed_names_;
  std::string to_sign_;
  std::string signature_;
  std::string authorization_;
};

/// Returns "20130524T000000Z" for seconds since the epoch, UTC.
std::string amz_time(int64_t seconds);

}  // namespace mlps::s3
