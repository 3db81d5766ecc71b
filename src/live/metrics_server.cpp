#include "live/metrics_server.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"

namespace mlps::live {
namespace {

constexpr Nanos kConnectionNs = 1'000'000'000;
constexpr int kBacklog = 16;

Error no_listener(const std::string& address, const std::string& why) {
  return {ErrorCode::kConfigInvalid,
          fmt::format("--metrics {}: can't listen there: {}", address, why),
          {},
          "give an address of this host and a port that is free; port 0 takes any"};
}

/// Returns where a socket listens, as numbers.
std::string bound_address(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* address = reinterpret_cast<sockaddr*>(&bound);
  if (::getsockname(socket, address, &size) != 0 || ::getnameinfo(address, size, host.data(), host.size(), port.data(),
                                                                  port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const bool is_ipv6 = bound.ss_family == AF_INET6;
  return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", host.data(), is_ipv6 ? "]" : "", port.data());
}

Result<Descriptor> listen_at(const std::string& address) {
  const auto parts = split_address(address);
  if (!parts) return fail(parts.error());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int failed = ::getaddrinfo(parts->first.c_str(), parts->second.c_str(), &hints, &list); failed != 0) {
    return fail(no_listener(address, ::gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  int cause = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Descriptor listener(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;  // a port that the last run has just left is free
    if (listener.is_open() && ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::bind(listener.get(), one->ai_addr, one->ai_addrlen) == 0 && ::listen(listener.get(), kBacklog) == 0) {
      return listener;
    }
    cause = errno;
  }
  return fail(no_listener(address, errno_error(cause, "listen").message));
}

bool wait_for(int descriptor, short events, Nanos deadline) {
  std::array<pollfd, 1> watched{pollfd{descriptor, events, 0}};
  while (now_ns() < deadline) {
    if (poll_until(watched, deadline) > 0) return true;
  }
  return false;
}

/// Returns a request up to its empty line, or what has come of it until the deadline.
std::string read_request(int connection, Nanos deadline) {
  std::string request;
  std::array<char, 1024> bytes{};
  while (request.size() < MetricsServer::kMostRequestBytes && request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(connection, bytes.data(), bytes.size(), 0);
    if (got > 0) request.append(bytes.data(), static_cast<size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
    if (got < 0 && !wait_for(connection, POLLIN, deadline)) break;
  }
  return request;
}

void send_all(int connection, std::string_view text, Nanos deadline) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) text.remove_prefix(static_cast<size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return;
    if (sent < 0 && !wait_for(connection, POLLOUT, deadline)) return;
  }
}

}  // namespace

Result<std::pair<std::string, std::string>> split_address(std::string_view address) {
  const size_t colon = address.rfind(':');
  std::string_view host = address.substr(0, std::min(colon, address.size()));
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : address.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool digits =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
  const bool named = !host.empty() && host.size() < NI_MAXHOST &&
                     (bracketed || host.find(':') == std::string_view::npos) &&
                     host.find_first_of("[]/ \t\r\n\0") == std::string_view::npos;
  if (!named || !digits || parse_number<uint64_t>(port).value_or(UINT64_MAX) > UINT16_MAX) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("--metrics: '{}' is not HOST:PORT", terminal_text(address)), {},
                "for example 127.0.0.1:9400, [::1]:9400, or 0.0.0.0:9400 for all addresses of this host");
  }
  return std::pair(std::string(host), std::string(port));
}

Answer answer_to(std::string_view request) {
  const std::string_view line = request.substr(0, request.find("\r\n"));
  if (request.find("\r\n\r\n") == std::string_view::npos) return {400, "Bad Request", false, true};
  const size_t method_end = line.find(' ');
  const size_t path_end = line.rfind(' ');
  if (method_end == std::string_view::npos || path_end <= method_end ||
      !line.substr(path_end + 1).starts_with("HTTP/1."))
    return {400, "Bad Request", false, true};
  const std::string_view method = line.substr(0, method_end);
  std::string_view path = line.substr(method_end + 1, path_end - method_end - 1);
  path = path.substr(0, path.find('?'));
  const bool head = method == "HEAD";
  if (method != "GET" && !head) return {405, "Method Not Allowed", false, true};
  if (path != "/metrics") return {404, "Not Found", false, !head};
  return {200, "OK", true, !head};
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& address) {
  auto listener = listen_at(address);
  if (!listener) return fail(std::move(listener.error()));
  std::unique_ptr<MetricsServer> server(new MetricsServer());
  server->listener_ = std::move(*listener);
  server->address_ = bound_address(server->listener_.get());
  server->stop_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
  if (!server->stop_.is_open()) return fail(errno_error(errno, "make an event for --metrics"));
  auto started =
      Threads::start(1, {"metrics server", {}, [](Error error) { log::warning("--metrics: {}", error.message); }},
                     [raw = server.get()](size_t) { raw->serve(); });
  if (!started) return fail(std::move(started.error()));
  server->thread_ = std::move(*started);
  return server;
}

MetricsServer::~MetricsServer() {
  if (!stop_.is_open()) return;
  const uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void MetricsServer::set_text(std::string text) {
  const std::lock_guard lock(mutex_);
  text_ = std::move(text);
}

void MetricsServer::serve() {
  for (;;) {
    std::array<pollfd, 2> watched{pollfd{listener_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    (void)poll_until(watched, kNoDeadline);  // the destructor ends it
    if (watched[1].revents != 0) return;
    const Descriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.is_open()) answer(connection.get());
    // Where descriptors have run out, the connection is there still: not at once again.
    else if (errno == EMFILE || errno == ENFILE)
      (void)wait_for(stop_.get(), POLLIN, now_ns() + kConnectionNs);
  }
}

void MetricsServer::answer(int connection) const {
  const Nanos deadline = now_ns() + kConnectionNs;
  const Answer found = answer_to(read_request(connection, deadline));
  std::string body = fmt::format("{}\n", found.reason);
  if (found.has_metrics) {
    const std::lock_guard lock(mutex_);
    body = text_;
  }
  const std::string_view type =
      found.has_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; charset=utf-8";
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
                  found.status, found.reason, type, body.size(), found.status == 405 ? "Allow: GET, HEAD\r\n" : "");
  if (found.has_body) text += body;
  send_all(connection, text, deadline);
  (void)::shutdown(connection, SHUT_WR);
}

}  // namespace mlps::live
