#include "results/digests.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <iterator>

namespace mlps::results {
namespace {

std::string hex_digest(const EVP_MD* algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), bytes.data(), &size, algorithm, nullptr);
  std::string digits;
  for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(digits), "{:02x}", bytes[i]);
  return digits;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
  return hex_digest(EVP_sha256(), text);
}

std::string md5_hex(std::string_view text) {
  return hex_digest(EVP_md5(), text);
}

}  // namespace mlps::results
