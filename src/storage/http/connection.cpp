#include "storage/http/connection.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

namespace mlps::http {
namespace {

// An encrypted write that could not be finished must be repeated with the same bytes, so its size is fixed.
constexpr size_t kTlsPiece = size_t{256} << 10;

Failure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return Failure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
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

class CurlConnector;

class CurlConnection final : public Connection {
 public:
  CurlConnection(CurlConnector& connector, std::string origin, CURL* easy)
      : Connection(std::move(origin)), connector_(connector), easy_(easy), tls_(this->origin().starts_with("https")) {
    error_words_[0] = '\0';
  }
  ~CurlConnection() override;

  // Plain bytes go to the socket itself: libcurl would receive at most CURLOPT_BUFFERSIZE at a time.
  Moved send(std::span<const std::byte> data) override {
    if (!tls_) return plain(::send(descriptor_, data.data(), data.size(), MSG_NOSIGNAL), data.size());
    size_t count = 0;
    const size_t most = std::min(kTlsPiece, data.size());
    const CURLcode code = curl_easy_send(easy_, data.data(), most, &count);
    Moved result = moved(code, count);
    result.partly = count < most;
    return result;
  }
  Moved receive(std::span<std::byte> room) override {
    if (!tls_) return plain(::recv(descriptor_, room.data(), room.size(), 0), room.size());
    size_t count = 0;
    const CURLcode code = curl_easy_recv(easy_, room.data(), room.size(), &count);
    return moved(code, count);
  }
  void acknowledge() override {
    const int one = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
  }
  std::string words() const override;
  int descriptor() const override { return descriptor_; }

 private:
  friend class CurlConnector;

  Moved moved(CURLcode code, size_t count) {
    last_ = code;
    if (code == CURLE_AGAIN) return {.again = true};
    if (code != CURLE_OK || count == 0) return {.ended = true};
    return {.bytes = count};
  }

  Moved plain(ssize_t count, size_t asked) {
    last_errno_ = count < 0 ? errno : 0;
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {.again = true};
    if (count <= 0) return {.ended = true};
    return {.bytes = static_cast<size_t>(count), .partly = static_cast<size_t>(count) < asked};
  }

  CurlConnector& connector_;
  CURL* easy_;
  bool tls_;
  bool connecting_ = true;
  int descriptor_ = -1;
  CURLcode last_ = CURLE_OK;
  int last_errno_ = 0;
  std::array<char, CURL_ERROR_SIZE> error_words_;
};

class CurlConnector final : public Connector {
 public:
  explicit CurlConnector(const EngineSettings& settings) : settings_(settings), multi_(curl_multi_init()) {
    // This class owns the connections; libcurl must not close one because it has "too many".
    if (multi_ != nullptr) curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L << 16);
  }
  ~CurlConnector() override {
    if (multi_ != nullptr) curl_multi_cleanup(multi_);
  }
  bool good() const { return multi_ != nullptr; }

  std::unique_ptr<Connection> connect(const std::string& origin) override;
  bool next_connected(Connected& outcome) override;
  void wait(pollfd* descriptors, size_t count, int milliseconds) override;
  size_t connecting() const override { return connecting_; }
  void forget(CurlConnection& connection);

 private:
  void set_options(CurlConnection& connection) const;

  EngineSettings settings_;
  CURLM* multi_;
  size_t connecting_ = 0;
  std::vector<curl_waitfd> waited_;
};

CurlConnection::~CurlConnection() {
  connector_.forget(*this);
}

std::string CurlConnection::words() const {
  if (last_errno_ != 0) return std::strerror(last_errno_);
  if (last_ == CURLE_OK) return "closed by the server";
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  if (system_error != 0) return std::strerror(static_cast<int>(system_error));
  return error_words_[0] != '\0' ? error_words_.data() : curl_easy_strerror(last_);
}

void CurlConnector::forget(CurlConnection& connection) {
  if (connection.connecting_) --connecting_;
  curl_multi_remove_handle(multi_, connection.easy_);
  curl_easy_cleanup(connection.easy_);
}

void CurlConnector::set_options(CurlConnection& connection) const {
  const auto set = [easy = connection.easy_](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_PRIVATE, &connection);
  set(CURLOPT_ERRORBUFFER, connection.error_words_.data());
  set(CURLOPT_URL, connection.origin().c_str());
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_PROXY, "");  // libcurl would read http_proxy from the process otherwise
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
#endif
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_seconds));
}

std::unique_ptr<Connection> CurlConnector::connect(const std::string& origin) {
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  ++connecting_;
  auto connection = std::make_unique<CurlConnection>(*this, origin, easy);
  set_options(*connection);
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) return nullptr;
  return connection;
}

bool CurlConnector::next_connected(Connected& outcome) {
  if (connecting_ == 0) return false;
  int running = 0;
  curl_multi_perform(multi_, &running);
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(multi_, &queued);
  if (message == nullptr || message->msg != CURLMSG_DONE) return false;
  const CURLcode code = message->data.result;
  char* user = nullptr;
  curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
  auto& connection = *static_cast<CurlConnection*>(static_cast<void*>(user));
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
    outcome.words = connection.error_words_[0] != '\0' ? connection.error_words_.data() : curl_easy_strerror(code);
  }
  return true;
}

void CurlConnector::wait(pollfd* descriptors, size_t count, int milliseconds) {
  if (connecting_ == 0) {
    poll(descriptors, count, milliseconds);
    return;
  }
  waited_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const auto wanted = [&](short bit, short curl_bit) {
      return static_cast<short>((descriptors[i].events & bit) != 0 ? curl_bit : 0);
    };
    waited_[i] = {descriptors[i].fd,
                  static_cast<short>(wanted(POLLIN, CURL_WAIT_POLLIN) | wanted(POLLOUT, CURL_WAIT_POLLOUT)), 0};
  }
  curl_multi_poll(multi_, waited_.data(), static_cast<unsigned>(count), milliseconds, nullptr);
  // libcurl doesn't report errors and hang-ups of extra descriptors; a poll() without waiting does.
  poll(descriptors, count, 0);
}

}  // namespace

Result<std::unique_ptr<Connector>> make_connector(const EngineSettings& settings) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  auto connector = std::make_unique<CurlConnector>(settings);
  if (!connector->good()) return fail(ErrorCode::kInternal, "libcurl could not make a multi handle");
  return connector;
}

std::string library_version() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  return fmt::format("libcurl/{} {}", info->version, info->ssl_version != nullptr ? info->ssl_version : "without TLS");
}

}  // namespace mlps::http
