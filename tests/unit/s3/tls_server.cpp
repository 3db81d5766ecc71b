#include "tls_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "../support/loopback.hpp"

namespace mlps::test {

TlsServer::TlsServer(const std::string& host, long begins, long ends)
    : context_(SSL_CTX_new(TLS_server_method())), certificate_(host, begins, ends) {
  certificate_.give_to(context_);
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
}

std::string TlsServer::url() const {
  return fmt::format("https://127.0.0.1:{}", port_);
}

void TlsServer::ask_for_certificate() {
  SSL_CTX_load_verify_locations(context_, certificate_file().c_str(), nullptr);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
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
