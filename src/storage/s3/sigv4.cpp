#include "storage/s3/sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <time.h>

#include "base/encoding.hpp"

namespace mlps::s3 {
namespace {

using Digest = std::array<std::byte, 32>;

Digest sha256(const void* data, size_t size) {
  Digest out = {};
  unsigned length = 0;
  EVP_Digest(data, size, reinterpret_cast<unsigned char*>(out.data()), &length, EVP_sha256(), nullptr);
  return out;
}

Digest hmac(std::span<const std::byte> key, std::string_view text) {
  Digest out = {};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), reinterpret_cast<unsigned char*>(out.data()), &length);
  return out;
}

}  // namespace

std::string sha256_hex(std::span<const std::byte> bytes) {
  return hex(sha256(bytes.data(), bytes.size()));
}

std::string sha256_hex(std::string_view text) {
  return hex(sha256(text.data(), text.size()));
}

Signer::Signer(const Credentials& credentials, std::string region, std::string service)
    : credentials_(&credentials), region_(std::move(region)), service_(std::move(service)) {}

void Signer::use(const Credentials& credentials, std::string_view region) {
  credentials_ = &credentials;
  region_ = region;
  day_.clear();
}

void Signer::derive_key(std::string_view day) {
  if (day_ == day) return;
  day_ = day;
  scope_.assign(day).append("/").append(region_).append("/").append(service_).append("/aws4_request");
  const std::string start = "AWS4" + credentials_->secret_key;
  key_ = hmac(std::as_bytes(std::span(start)), day);
  key_ = hmac(key_, region_);
  key_ = hmac(key_, service_);
  key_ = hmac(key_, "aws4_request");
}

std::string Signer::signing_key_hex(std::string_view day) {
  derive_key(day);
  return hex(key_);
}

const std::string& Signer::authorization(const SigningInput& input) {
  derive_key(input.time.substr(0, 8));
  signed_names_.clear();
  canonical_.assign(input.method).append("\n").append(input.path).append("\n").append(input.query).append("\n");
  for (const SignedHeader& header : input.headers) {
    canonical_.append(header.name).append(":").append(header.value).append("\n");
    if (!signed_names_.empty()) signed_names_.push_back(';');
    signed_names_.append(header.name);
  }
  canonical_.append("\n").append(signed_names_).append("\n").append(input.payload_hash);

  to_sign_.assign("AWS4-HMAC-SHA256\n").append(input.time).append("\n").append(scope_).append("\n");
  to_sign_.append(sha256_hex(canonical_));
  signature_ = hex(hmac(key_, to_sign_));

  authorization_.assign("AWS4-HMAC-SHA256 Credential=").append(credentials_->access_key).append("/").append(scope_);
  authorization_.append(", SignedHeaders=").append(signed_names_).append(", Signature=").append(signature_);
  return authorization_;
}

std::string amz_time(int64_t seconds) {
  const time_t when = seconds;
  tm utc = {};
  gmtime_r(&when, &utc);
  std::array<char, 32> text = {};
  strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return text.data();
}

}  // namespace mlps::s3
