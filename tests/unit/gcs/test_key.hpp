#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <string>

namespace mlps::test {

/// Returns a fresh RSA key in PEM form, the same one for the whole process.
inline const std::string& private_key() {
  static const std::string pem = [] {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory, &text);
    std::string out(text, static_cast<size_t>(length));
    BIO_free(memory);
    EVP_PKEY_free(key);
    return out;
  }();
  return pem;
}

}  // namespace mlps::test
