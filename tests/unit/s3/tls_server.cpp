#include "tls_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "../support/loopback.hpp"

namespace mlps::test {

TlsServer::TlsServer(const std::string& host, long begins, long ends) : context_(SSL_CTX_new(TLS_server_method())) {
  make_certificate(host, begins, ends);
  const Listener listening = listen_on_loopback(8);
  listener_ = listening.fd;
  port_ = listening.port;
  thread_ = std::thread([this] { serve(); });
}

TlsServer::~TlsServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  if (const int fd = connection_.load(); fd >= 0) shutdown(fd, SHUT_RDWR);
  thread_.join();
  close(listener_);
  SSL_CTX_free(context_);
  unlink(certificate_file_.c_str());
  unlink(key_file_.c_str());
}

std::string TlsServer::url() const {
  return fmt::format("https://127.0.0.1:{}", port_);
}

void TlsServer::ask_for_certificate() {
  SSL_CTX_load_verify_locations(context_, certificate_file_.c_str(), nullptr);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

void TlsServer::make_certificate(const std::string& host, long begins, long ends) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate), ends);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("mlps test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509V3_CTX extension_context;
  X509V3_set_ctx(&extension_context, certificate, certificate, nullptr, nullptr, 0);
  for (const auto& [kind, value] :
       {std::pair{NID_subject_alt_name, host.c_str()}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &extension_context, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context_, certificate);
  SSL_CTX_use_PrivateKey(context_, key);

  const auto store = [](const auto& write) {
    std::string path = "/tmp/mlps_tls_test_XXXXXX";
    FILE* file = fdopen(mkstemp(path.data()), "w");
    write(file);
    fclose(file);
    return path;
  };
  certificate_file_ = store([&](FILE* file) { PEM_write_X509(file, certificate); });
  key_file_ = store([&](FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
  X509_free(certificate);
  EVP_PKEY_free(key);
}

void TlsServer::serve() {
  // OpenSSL writes without MSG_NOSIGNAL, and clients under test do go away.
  sigset_t sigpipe;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, nullptr);
  while (!stopping_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    connection_ = fd;
    SSL* stream = SSL_new(context_);
    SSL_set_fd(stream, fd);
    if (!stopping_ && SSL_accept(stream) == 1) serve_connection(stream);
    SSL_free(stream);
    connection_ = -1;
    close(fd);
  }
}

void TlsServer::serve_connection(SSL* stream) {
  std::string pending;
  const auto more = [&] {
    std::array<char, 16384> piece;
    const int got = SSL_read(stream, piece.data(), static_cast<int>(piece.size()));
    if (got > 0) pending.append(piece.data(), static_cast<size_t>(got));
    return got > 0;
  };
  for (;;) {
    size_t end;
    while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return;
    }
    const std::string head = pending.substr(0, end);
    pending.erase(0, end + 4);
    std::string answer;
    if (head.starts_with("PUT")) {
      const auto at = head.find("Content-Length: ");
      const size_t length = std::stoull(head.substr(at + 16));
      const bool reset = resets_ > 0;
      while (pending.size() < (reset ? length / 2 : length)) {
        if (!more()) return;
      }
      if (reset) {
        --resets_;
        const linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(SSL_get_fd(stream), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return;
      }
      body_ = pending.substr(0, length);
      pending.erase(0, length);
      answer = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n";
    } else {
      answer = fmt::format("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {}\r\n\r\n", body_.size());
      if (!head.starts_with("HEAD")) answer += body_;
    }
    if (SSL_write(stream, answer.data(), static_cast<int>(answer.size())) <= 0) return;
  }
}

}  // namespace mlps::test
