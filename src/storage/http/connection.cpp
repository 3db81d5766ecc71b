#include "storage/http/connection.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace mlps::http {
namespace {

// An encrypted write that could not be finished must be repeated with the same bytes, so its size is fixed.
constexpr size_t kTlsPiece = size_t{256} << 10;

Failure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return Failure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return Failure::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Failure::kTls;
    default:
      return Failure::kLocal;
  }
}

/// Returns whether an error of the system means that this host has run out of descriptors, memory or ports.
bool is_local_limit(long system_error) {
  switch (system_error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
      return true;
    default:
      return false;
  }
}

}  // namespace

Connection::Connection(Connector& connector, std::string origin, CURL* easy)
    : connector_(connector), origin_(std::move(origin)), easy_(easy), tls_(origin_.starts_with("https")) {
  ++connector_.connecting_;
}

Connection::~Connection() {
  if (connecting_) --connector_.connecting_;
  curl_multi_remove_handle(connector_.multi_, easy_);
  curl_easy_cleanup(easy_);
}

// libcurl says "couldn't connect" whatever the reason.
curl_socket_t Connection::open_socket(void* connection, curlsocktype /*purpose*/, curl_sockaddr* address) {
  const int descriptor = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (descriptor < 0) static_cast<Connection*>(connection)->local_errno_ = errno;
  return descriptor;
}

Connection::Moved Connection::moved(CURLcode code, size_t count) {
  last_ = code;
  if (code == CURLE_AGAIN) return {.again = true};
  if (code != CURLE_OK || count == 0) return {.ended = true};
  return {.bytes = count};
}

Connection::Moved Connection::plain(ssize_t count, size_t asked) {
  last_errno_ = count < 0 ? errno : 0;
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {.again = true};
  if (count <= 0) return {.ended = true};
  return {.bytes = static_cast<size_t>(count), .partly = static_cast<size_t>(count) < asked};
}

Connection::Moved Connection::send(std::span<const std::byte> data) {
  if (!tls_) return plain(::send(descriptor_, data.data(), data.size(), MSG_NOSIGNAL), data.size());
  size_t count = 0;
  const size_t most = std::min(kTlsPiece, data.size());
  const CURLcode code = curl_easy_send(easy_, data.data(), most, &count);
  Moved result = moved(code, count);
  result.partly = count < most;
  return result;
}

Connection::Moved Connection::receive(std::span<std::byte> room) {
  if (!tls_) return plain(::recv(descriptor_, room.data(), room.size(), 0), room.size());
  size_t count = 0;
  const CURLcode code = curl_easy_recv(easy_, room.data(), room.size(), &count);
  return moved(code, count);
}

void Connection::acknowledge() {
  const int one = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

void Connection::set_low_water(size_t bytes) {
  if (tls_ || bytes == low_water_) return;
  const int value = static_cast<int>(bytes);
  if (setsockopt(descriptor_, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0) low_water_ = bytes;
}

std::string Connection::words() const {
  if (last_errno_ != 0) return std::strerror(last_errno_);
  if (last_ == CURLE_OK) return "closed by the server";
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  if (system_error != 0) return std::strerror(static_cast<int>(system_error));
  return error_words_[0] != '\0' ? error_words_.data() : curl_easy_strerror(last_);
}

void Connector::set_options(Connection& connection, unsigned connect_seconds) const {
  const auto set = [easy = connection.easy_](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_PRIVATE, &connection);
  set(CURLOPT_ERRORBUFFER, connection.error_words_.data());
  set(CURLOPT_URL, connection.origin().c_str());
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_OPENSOCKETFUNCTION, &Connection::open_socket);
  set(CURLOPT_OPENSOCKETDATA, &connection);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);  // connections spread over all addresses of a name
  // libcurl would read http_proxy and no_proxy from the process otherwise.
  set(CURLOPT_PROXY, settings_.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  if (!settings_.proxy_user.empty()) {
    set(CURLOPT_PROXYUSERPWD, settings_.proxy_user.c_str());
    set(CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC));
  }
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
#endif
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (!settings_.certificate_file.empty()) set(CURLOPT_SSLCERT, settings_.certificate_file.c_str());
  if (!settings_.key_file.empty()) set(CURLOPT_SSLKEY, settings_.key_file.c_str());
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(connect_seconds));
}

Result<std::unique_ptr<Connector>> Connector::make(const EngineSettings& settings) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURLM* const multi = curl_multi_init();
  if (multi == nullptr) return fail(ErrorCode::kInternal, "libcurl could not make a multi handle");
  // The engine owns the connections; libcurl must not close one because it has "too many".
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L << 16);
  return std::unique_ptr<Connector>(new Connector(settings, multi));
}

std::unique_ptr<Connection> Connector::connect(const std::string& origin, unsigned connect_seconds) {
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  auto connection = std::make_unique<Connection>(*this, origin, easy);
  set_options(*connection, connect_seconds);
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) return nullptr;
  return connection;
}

bool Connector::next_connected(Connected& outcome) {
  if (connecting_ == 0) return false;
  int running = 0;
  curl_multi_perform(multi_, &running);
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(multi_, &queued);
  if (message == nullptr || message->msg != CURLMSG_DONE) return false;
  const CURLcode code = message->data.result;
  char* user = nullptr;
  curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
  auto& connection = *static_cast<Connection*>(static_cast<void*>(user));
  connection.connecting_ = false;
  --connecting_;
  outcome = {.connection = &connection, .failure = failure_of(code)};
  if (code == CURLE_OK) {
    curl_socket_t descriptor = CURL_SOCKET_BAD;
    curl_easy_getinfo(connection.easy_, CURLINFO_ACTIVESOCKET, &descriptor);
    connection.descriptor_ = descriptor;
    if (descriptor == CURL_SOCKET_BAD) outcome.failure = Failure::kLocal;
  }
  if (outcome.failure != Failure::kNone) {
    long system_error = connection.local_errno_;
    if (system_error == 0) curl_easy_getinfo(connection.easy_, CURLINFO_OS_ERRNO, &system_error);
    if (is_local_limit(system_error)) {
      outcome.failure = Failure::kLocal;
      outcome.words =
          fmt::format("this host has no socket for the connection: {}", std::strerror(static_cast<int>(system_error)));
      return true;
    }
    // A gateway that doesn't get through (5xx) may do so later; what it forbids, it forbids.
    long said = 0;
    curl_easy_getinfo(connection.easy_, CURLINFO_HTTP_CONNECTCODE, &said);
    if (said >= 400 && said < 500) outcome.failure = Failure::kProxy;
    outcome.words = connection.error_words_[0] != '\0' ? connection.error_words_.data() : curl_easy_strerror(code);
  }
  return true;
}

void Connector::wait(std::span<pollfd> descriptors, int milliseconds) {
  if (connecting_ == 0) {
    poll(descriptors.data(), descriptors.size(), milliseconds);
    return;
  }
  static_assert(POLLIN == CURL_WAIT_POLLIN && POLLOUT == CURL_WAIT_POLLOUT);
  waited_.clear();
  for (const pollfd& one : descriptors) waited_.push_back({one.fd, one.events, 0});
  curl_multi_poll(multi_, waited_.data(), static_cast<unsigned>(waited_.size()), milliseconds, nullptr);
  // libcurl doesn't report errors and hang-ups of extra descriptors; a poll() without waiting does.
  poll(descriptors.data(), descriptors.size(), 0);
}

std::string library_version() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  return fmt::format("libcurl/{} {}", info->version, info->ssl_version != nullptr ? info->ssl_version : "without TLS");
}

}  // namespace mlps::http
