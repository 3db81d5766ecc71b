#include "storage/object/tls_files.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

#include "base/read_file.hpp"

namespace mlps::object {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

/// The content of a PEM file, read piece by piece.
class PemFile {
 public:
  explicit PemFile(const std::string& text)
      : memory_(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free) {}

  Certificate next_certificate() {
    return {PEM_read_bio_X509(memory_.get(), nullptr, &no_phrase, nullptr), &X509_free};
  }
  Key next_key() { return {PEM_read_bio_PrivateKey(memory_.get(), nullptr, &no_phrase, nullptr), &EVP_PKEY_free}; }

 private:
  // OpenSSL would ask at the terminal.
  static int no_phrase(char*, int, int, void*) { return -1; }

  std::unique_ptr<BIO, decltype(&BIO_free)> memory_;
};

/// Returns OpenSSL's words about what went wrong last, and forgets them; nothing at the end of a file.
std::string last_fault() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0 || (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)) return {};
  std::array<char, 200> words = {};
  ERR_error_string_n(code, words.data(), words.size());
  return words.data();
}

}  // namespace

Status check_authorities(const std::string& path, const std::string& setting) {
  const Result<std::string> text = read_file(path, setting);
  if (!text) return fail(text.error());
  ERR_clear_error();
  PemFile file(*text);
  size_t count = 0;
  while (file.next_certificate()) ++count;
  const std::string fault = last_fault();
  if (count > 0 && fault.empty()) return {};
  return fail(ErrorCode::kConfigParse,
              fault.empty()
                  ? fmt::format("{}: {} holds no certificate", setting, path)
                  : fmt::format("{}: certificate {} of {} can't be read: {}", setting, count + 1, path, fault),
              {}, "Give a PEM file with the certificates of the authorities (-----BEGIN CERTIFICATE-----).");
}

Status check_own_certificate(const std::string& certificate_path, const std::string& key_path,
                             const std::string& setting) {
  const Result<std::string> certificate_text = read_file(certificate_path, setting);
  if (!certificate_text) return fail(certificate_text.error());
  const Result<std::string> key_text = read_file(key_path, setting);
  if (!key_text) return fail(key_text.error());
  ERR_clear_error();
  const Certificate certificate = PemFile(*certificate_text).next_certificate();
  const Key key = PemFile(*key_text).next_key();
  const bool match = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (match) return {};
  const std::string why =
      !certificate ? fmt::format("{} holds no certificate", certificate_path)
      : !key       ? fmt::format("{} holds no key that can be read without a pass phrase", key_path)
                   : fmt::format("the key in {} isn't that of the certificate in {}", key_path, certificate_path);
  return fail(ErrorCode::kConfigParse, fmt::format("{}: {}", setting, why), {},
              "Give PEM files: the client's certificate (and those above it), and its key.");
}

}  // namespace mlps::object
