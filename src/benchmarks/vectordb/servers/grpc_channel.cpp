#include "benchmarks/vectordb/servers/grpc_channel.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::vectordb {
namespace {

constexpr size_t kPrefixBytes = 5;
constexpr size_t kMostAnswerBytes = size_t{512} << 20;
constexpr long kUploadBytes = 1 << 20;
constexpr const char* kMessageHeader = "grpc-message";

struct EndEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// Codes of gRPC that mean something of their own here.
ErrorCode code_of_status(const std::string& status) {
  static const std::map<std::string, ErrorCode> kCodes = {
      {"4", ErrorCode::kTimeout},         {"7", ErrorCode::kStorageDenied},       {"8", ErrorCode::kStorageThrottled},
      {"12", ErrorCode::kNotImplemented}, {"14", ErrorCode::kStorageUnreachable}, {"16", ErrorCode::kStorageDenied}};
  const auto found = kCodes.find(status);
  return found == kCodes.end() ? ErrorCode::kCommandFailed : found->second;
}

/// Returns the words of grpc-message, in which bytes stand as %XX.
std::string server_words(std::string_view text) {
  return printable(percent_decoded(text).value_or(std::string(text)));
}

class CurlChannel final : public GrpcChannel {
 public:
  CurlChannel(const ServerAddress& server, std::string service, CURL* handle)
      : server_(server), service_(std::move(service)), handle_(handle) {
    set_header("content-type", "application/grpc");
    set_header("te", "trailers");
    set_header("user-agent", "mlpstorage");
    set_header("Expect", "");
    set_options();
  }

  void set_header(std::string_view name, std::string_view value) override {
    const std::string line = fmt::format("{}:{}{}", name, value.empty() ? "" : " ", value);
    if (curl_slist* longer = curl_slist_append(headers_.get(), line.c_str())) {
      (void)headers_.release();
      headers_.reset(longer);
    }
    curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers_.get());
  }

  Result<std::string_view> call(std::string_view method, std::string_view message) override {
    what_ = fmt::format("{} of {}:{}", method, server_.host, server_.port);
    if (stopped_) return fail(ErrorCode::kInterrupted, what_ + ": the run is being stopped");
    const auto length = static_cast<uint32_t>(message.size());
    request_.assign(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) request_.push_back(static_cast<char>((length >> shift) & 0xFF));
    request_.append(message);
    body_.clear();
    answer_headers_.clear();
    words_[0] = '\0';
    const std::string url =
        fmt::format("{}://{}:{}/{}/{}", server_.tls ? "https" : "http", host(), server_.port, service_, method);
    curl_easy_setopt(handle_.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDS, request_.data());
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.size()));
    return judge(perform());
  }

  void stop() override { stopped_ = true; }

 private:
  std::string host() const {
    return server_.host.find(':') == std::string::npos ? server_.host : fmt::format("[{}]", server_.host);
  }

  void set_options() {
    const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(handle_.get(), option, value); };
    if (server_.tls) set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
    set(CURLOPT_POST, 1L);
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &look_at_stop);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");  // libcurl would read http_proxy from the process otherwise
    set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBytes);
    set(CURLOPT_ERRORBUFFER, words_.data());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(server_.timeout_s * 1e3));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(server_.timeout_s, 20.0) * 1e3));
    if (!server_.ca_file.empty()) set(CURLOPT_CAINFO, server_.ca_file.c_str());
  }

  /// Plain connections begin in HTTP/2 because libcurl is told so. Told so again on a connection that is kept, libcurl
  /// 7.88 begins anew on it, which servers refuse.
  CURLcode perform() {
    const auto once = [this] {
      if (!server_.tls) {
        curl_easy_setopt(handle_.get(), CURLOPT_HTTP_VERSION,
                         is_connected_ ? long{CURL_HTTP_VERSION_2_0} : long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
      }
      return curl_easy_perform(handle_.get());
    };
    CURLcode code = once();
    long made = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &made);
    // The server had ended the kept connection: on a new one nothing of the request has reached a service of it yet.
    const bool began_wrongly = code != CURLE_OK && is_connected_ && made > 0 && !server_.tls && !stopped_;
    is_connected_ = code == CURLE_OK;
    if (!began_wrongly) return code;
    body_.clear();
    answer_headers_.clear();
    code = once();
    is_connected_ = code == CURLE_OK;
    return code;
  }

  static size_t take_body(char* data, size_t size, size_t count, void* user) {
    auto& channel = *static_cast<CurlChannel*>(user);
    if (channel.body_.size() + size * count > kMostAnswerBytes) return 0;
    channel.body_.append(data, size * count);
    return size * count;
  }
  static size_t take_header(char* data, size_t size, size_t count, void* user) {
    const std::string_view line(data, size * count);
    const auto colon = line.find(':', 1);
    if (colon != std::string_view::npos) {
      static_cast<CurlChannel*>(user)->answer_headers_[lower(trimmed(line.substr(0, colon)))] =
          trimmed(line.substr(colon + 1));
    }
    return size * count;
  }
  static int look_at_stop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<CurlChannel*>(user)->stopped_ ? 1 : 0;
  }

  Result<std::string_view> judge(CURLcode code) {
    if (stopped_) return fail(ErrorCode::kInterrupted, what_ + ": the run is being stopped");
    if (code == CURLE_OPERATION_TIMEDOUT) {
      return fail(ErrorCode::kTimeout, fmt::format("{}: no answer within {} s", what_, server_.timeout_s),
                  words_.data(), "raise --request-timeout if the server needs so long");
    }
    if (code != CURLE_OK) {
      return fail(ErrorCode::kStorageUnreachable,
                  fmt::format("{}: {}", what_, words_[0] != '\0' ? words_.data() : curl_easy_strerror(code)), {},
                  "check --host, --port and --tls, and whether the server runs");
    }
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    const auto grpc = answer_headers_.find("grpc-status");
    if (grpc == answer_headers_.end()) {
      return fail(ErrorCode::kStorageProtocol,
                  fmt::format("{}: HTTP status {} without a status of gRPC", what_, status));
    }
    if (grpc->second != "0") {
      return fail(code_of_status(grpc->second),
                  fmt::format("{}: {}", what_, server_words(answer_headers_[kMessageHeader])),
                  fmt::format("gRPC status {}", grpc->second));
    }
    auto message = grpc_message(body_);
    if (!message) message.error().message = fmt::format("{}: {}", what_, message.error().message);
    return message;
  }

  const ServerAddress& server_;
  std::string service_, what_;
  std::unique_ptr<CURL, EndEasy> handle_;
  std::unique_ptr<curl_slist, EndList> headers_;
  std::atomic<bool> stopped_ = false;
  bool is_connected_ = false;
  std::string request_, body_;
  std::map<std::string, std::string> answer_headers_;
  std::array<char, CURL_ERROR_SIZE> words_ = {};
};

}  // namespace

Result<std::string_view> grpc_message(std::string_view body) {
  const auto unusable = [](std::string why) { return fail(ErrorCode::kStorageProtocol, std::move(why)); };
  if (body.size() < kPrefixBytes) return unusable("the answer has no message");
  if (body[0] != '\0') return unusable("the answer is compressed, which nobody asked for");
  uint64_t length = 0;
  for (size_t i = 1; i < kPrefixBytes; ++i) length = (length << 8) | static_cast<uint8_t>(body[i]);
  if (length != body.size() - kPrefixBytes) {
    return unusable(
        fmt::format("the answer has {} bytes, not the {} that it says", body.size() - kPrefixBytes, length));
  }
  return body.substr(kPrefixBytes);
}

Result<std::unique_ptr<GrpcChannel>> GrpcChannel::make(const ServerAddress& server, std::string service) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* handle = curl_easy_init();
  if (handle == nullptr) return fail(ErrorCode::kInternal, "libcurl could not make a handle");
  return std::make_unique<CurlChannel>(server, std::move(service), handle);
}

}  // namespace mlps::vectordb
