#include "storage/s3/fixed_headers.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/encoding.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "storage/s3/profiles.hpp"

namespace mlps::s3 {
namespace {

using object::CallKind;

constexpr uint32_t kinds(std::initializer_list<CallKind> list) {
  uint32_t bits = 0;
  for (const CallKind kind : list) bits |= 1U << static_cast<unsigned>(kind);
  return bits;
}
constexpr uint32_t kAll = (1U << object::kCallKinds) - 1;
constexpr uint32_t kCreating = kinds({CallKind::kPutObject, CallKind::kBeginUpload});
constexpr uint32_t kWithContent = kinds({CallKind::kPutObject, CallKind::kBeginUpload, CallKind::kPutPart,
                                         CallKind::kCommitUpload, CallKind::kGetObject, CallKind::kHeadObject});
constexpr size_t kKeyBytes = 32;

// What requests say by themselves, or what would break them.
constexpr std::array<std::string_view, 13> kReserved = {
    "authorization", "connection", "content-length",    "expect",  "host",      "if-match", "range", "te",
    "trailer",       "user-agent", "transfer-encoding", "upgrade", "x-amz-date"};
constexpr std::array<std::string_view, 6> kReservedBeginnings = {
    "x-amz-checksum-",    "x-amz-content-", "x-amz-decoded-", "x-amz-security-", "x-amz-server-side-encryption",
    "x-amz-sdk-checksum-"};

tl::unexpected<Error> refuse(std::string_view variable, std::string_view why, std::string advice = {}) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {}", variable, why), {}, std::move(advice));
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

/// Gathers the headers, one variable after the other.
class Gatherer {
 public:
  explicit Gatherer(const Environment& environment) : environment_(environment) {}

  Result<FixedHeaders> gather() {
    for (const auto step : {&Gatherer::encryption, &Gatherer::own_key, &Gatherer::storage_class,
                            &Gatherer::request_payer, &Gatherer::own_headers}) {
      if (Status good = (this->*step)(); !good) return fail(std::move(good.error()));
    }
    std::sort(headers_.all.begin(), headers_.all.end(),
              [](const FixedHeader& a, const FixedHeader& b) { return a.name < b.name; });
    return std::move(headers_);
  }

 private:
  void add(std::string name, std::string value, uint32_t with) {
    headers_.all.push_back({std::move(name), std::move(value), with});
  }

  Status encryption() {
    const auto kind = environment_.get("MLPSTORAGE_S3_SSE"), key = environment_.get("MLPSTORAGE_S3_SSE_KMS_KEY_ID");
    if (!kind && !key) return {};
    const std::string word = kind.value_or("aws:kms");
    if (word != "AES256" && word != "aws:kms" && word != "aws:kms:dsse") {
      return refuse("MLPSTORAGE_S3_SSE", fmt::format("\"{}\" is not known", printable(word)),
                    "Use one of: AES256, aws:kms, aws:kms:dsse.");
    }
    if (key && word == "AES256") {
      return fail(ErrorCode::kConfigIncompatible, "MLPSTORAGE_S3_SSE=AES256 takes no MLPSTORAGE_S3_SSE_KMS_KEY_ID", {},
                  "Set MLPSTORAGE_S3_SSE=aws:kms, or leave the key away.");
    }
    add("x-amz-server-side-encryption", word, kCreating);
    if (key && (!is_header_value(*key) || key->find(' ') != std::string::npos)) {
      return refuse("MLPSTORAGE_S3_SSE_KMS_KEY_ID", "holds blanks or control characters");
    }
    if (key) add("x-amz-server-side-encryption-aws-kms-key-id", *key, kCreating);
    headers_.shown.emplace_back("encryption", key ? fmt::format("{}, key {}", word, *key) : word);
    return {};
  }

  Status own_key() {
    constexpr char kVariable[] = "MLPSTORAGE_S3_SSE_C_KEY_FILE";
    const auto path = environment_.get(kVariable);
    if (!path) return {};
    if (!headers_.all.empty()) {
      return fail(ErrorCode::kConfigIncompatible,
                  fmt::format("{} doesn't go with MLPSTORAGE_S3_SSE or MLPSTORAGE_S3_SSE_KMS_KEY_ID", kVariable), {},
                  "An object is encrypted with one key: leave one of the two away.");
    }
    const std::string file = expanded_path(*path, environment_);
    Result<std::string> key = read_file(file, kVariable, 4096);
    if (!key) return fail(key.error());
    if (key->size() != kKeyBytes) key = base64_decoded(trimmed(*key)).value_or("");
    if (key->size() != kKeyBytes) {
      return refuse(kVariable, fmt::format("{} holds no key of 256 bits", file),
                    "Give a file of 32 bytes, or with these as base64: openssl rand -base64 32");
    }
    std::array<std::byte, 16> md5;
    EVP_Digest(key->data(), key->size(), reinterpret_cast<unsigned char*>(md5.data()), nullptr, EVP_md5(), nullptr);
    const std::string front = "x-amz-server-side-encryption-customer-";
    add(front + "algorithm", "AES256", kWithContent);
    add(front + "key", base64(std::as_bytes(std::span(*key))), kWithContent);
    add(front + "key-md5", base64(md5), kWithContent);
    headers_.shown.emplace_back("encryption", "with the client's key of " + file);
    return {};
  }

  Status storage_class() {
    const auto value = environment_.get("MLPSTORAGE_S3_STORAGE_CLASS");
    if (!value) return {};
    constexpr std::string_view kLegal = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (value->find_first_not_of(kLegal) != std::string::npos) {
      return refuse("MLPSTORAGE_S3_STORAGE_CLASS", fmt::format("\"{}\" is no class of storage", printable(*value)),
                    "Use a word such as STANDARD, STANDARD_IA or REDUCED_REDUNDANCY.");
    }
    add("x-amz-storage-class", *value, kCreating);
    headers_.shown.emplace_back("storage class", *value);
    return {};
  }

  Status request_payer() {
    const auto value = environment_.get("MLPSTORAGE_S3_REQUEST_PAYER");
    if (!value) return {};
    if (*value != "requester") {
      return refuse("MLPSTORAGE_S3_REQUEST_PAYER", fmt::format("\"{}\" is not known", printable(*value)),
                    "The only value is: requester.");
    }
    add("x-amz-request-payer", *value, kAll);
    headers_.shown.emplace_back("request payer", *value);
    return {};
  }

  Status own_headers() {
    const auto text = environment_.get("MLPSTORAGE_S3_HEADERS");
    if (!text) return {};
    std::vector<std::string> names;
    for (const std::string& line : split(*text, "|\n")) {
      if (trimmed(line).empty()) continue;
      if (Status added = own_header(line); !added) return added;
      names.push_back(headers_.all.back().name);
    }
    headers_.shown.emplace_back("own headers", join(names, ", "));
    return {};
  }

  Status own_header(std::string_view line) {
    constexpr char kVariable[] = "MLPSTORAGE_S3_HEADERS";
    const auto colon = line.find(':');
    const std::string name = lower(trimmed(line.substr(0, colon)));
    constexpr std::string_view kToken = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`~";
    if (colon == std::string_view::npos || name.empty() || name.find_first_not_of(kToken) != std::string::npos) {
      return refuse(kVariable, "a header without a name and a colon",
                    "Write \"name: value\", and '|' between several: \"x-amz-acl: private|x-tenant: a\".");
    }
    const std::string value = join(split(line.substr(colon + 1), " \t\r"), " ");
    if (value.empty() || !is_header_value(value)) {
      return refuse(kVariable, fmt::format("{} has no value that can stand in a header", name));
    }
    const bool reserved =
        std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
        std::any_of(kReservedBeginnings.begin(), kReservedBeginnings.end(),
                    [&](std::string_view begin) { return name.starts_with(begin); }) ||
        std::any_of(headers_.all.begin(), headers_.all.end(), [&](const FixedHeader& h) { return h.name == name; });
    if (reserved) {
      return refuse(kVariable, fmt::format("{} is set by this program, or given twice", name),
                    "Encryption, storage class and checksums have variables of their own.");
    }
    add(name, value, kAll);
    return {};
  }

  const Environment& environment_;
  FixedHeaders headers_;
};

}  // namespace

Result<FixedHeaders> fixed_headers(const Environment& environment) {
  return Gatherer(environment).gather();
}

}  // namespace mlps::s3
