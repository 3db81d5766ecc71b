#include "storage/http/service_call.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include "base/text.hpp"
#include "base/waiting.hpp"

namespace mlps::http {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr Nanos kFirstPause = 200'000'000;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What the callbacks of libcurl need.
struct Receiver {
  ServiceAnswer answer;
  const std::atomic<bool>& stop;
};

size_t take_body(char* data, size_t size, size_t count, void* user) {
  auto& receiver = *static_cast<Receiver*>(user);
  if (receiver.answer.body.size() + size * count > kMostBytes) return 0;
  receiver.answer.body.append(data, size * count);
  return size * count;
}

size_t take_header(char* data, size_t size, size_t count, void* user) {
  const std::string_view line(data, size * count);
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    static_cast<Receiver*>(user)->answer.headers[lower(trimmed(line.substr(0, colon)))] =
        trimmed(line.substr(colon + 1));
  }
  return size * count;
}

int look_at_stop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Receiver*>(user)->stop ? 1 : 0;
}

std::string shown_url(const ServiceRequest& request) {
  return request.url.substr(0, request.url.find('?'));
}

void set_options(CURL* handle, const ServiceRequest& request, const curl_slist* headers, Receiver& receiver) {
  const auto set = [handle](CURLoption option, auto value) { curl_easy_setopt(handle, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_HTTPHEADER, headers);
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST") {
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
  }
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &receiver);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &receiver);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &look_at_stop);
  set(CURLOPT_XFERINFODATA, &receiver);
  set(CURLOPT_NOSIGNAL, 1L);
  // libcurl would read http_proxy and no_proxy from the process otherwise.
  const bool by_proxy = !request.way.proxy.empty() && !is_beside_host(request.url);
  set(CURLOPT_PROXY, by_proxy ? request.way.proxy.c_str() : "");
  set(CURLOPT_NOPROXY, "");
  if (by_proxy && !request.way.proxy_user.empty()) {
    set(CURLOPT_PROXYUSERPWD, request.way.proxy_user.c_str());
    set(CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC));
  }
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
#endif
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!request.way.ca_file.empty()) set(CURLOPT_CAINFO, request.way.ca_file.c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_milliseconds));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_milliseconds));
}

Result<ServiceAnswer> call_once(const ServiceRequest& request, const std::atomic<bool>& stop) {
  const std::unique_ptr<CURL, CloseHandle> handle(curl_easy_init());
  std::unique_ptr<curl_slist, FreeList> headers;
  for (const auto& [name, value] : request.headers) {
    // libcurl leaves out a header whose value is empty, unless it ends in ';'.
    const std::string line = value.empty() ? name + ";" : fmt::format("{}: {}", name, value);
    if (curl_slist* longer = curl_slist_append(headers.get(), line.c_str())) {
      (void)headers.release();
      headers.reset(longer);
    }
  }
  if (!handle) return fail(ErrorCode::kInternal, "libcurl could not make a handle");
  Receiver receiver{{}, stop};
  std::array<char, CURL_ERROR_SIZE> words = {};
  set_options(handle.get(), request, headers.get(), receiver);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, words.data());
  const CURLcode code = curl_easy_perform(handle.get());
  const std::string what = fmt::format("{} {}", request.method, shown_url(request));
  if (stop) return fail(ErrorCode::kInterrupted, what + ": the run is being stopped");
  if (code == CURLE_WRITE_ERROR) return fail(ErrorCode::kStorageProtocol, what + ": the answer has more than 1 MiB");
  if (code != CURLE_OK) {
    return fail(ErrorCode::kStorageUnreachable,
                fmt::format("{}: {}", what, words[0] != '\0' ? words.data() : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  receiver.answer.status = static_cast<int>(status);
  return std::move(receiver.answer);
}

bool worth_repeating(const Result<ServiceAnswer>& answer) {
  if (!answer) return answer.error().code == ErrorCode::kStorageUnreachable;
  return answer->status == 429 || answer->status >= 500;
}

}  // namespace

bool is_beside_host(std::string_view url) {
  const auto scheme = url.find("://");
  std::string host = lower(scheme == std::string_view::npos ? url : url.substr(scheme + 3));
  host.resize(std::min(host.find('/'), host.size()));
  for (const char* beginning :
       {"169.254.", "127.", "localhost", "[::1]", "[fe80:", "[fd00:ec2:", "metadata.google.internal"}) {
    if (host.starts_with(beginning)) return true;
  }
  return false;
}

Result<ServiceAnswer> call_service(const ServiceRequest& request, const std::atomic<bool>& stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  Nanos pause = kFirstPause;
  for (unsigned attempt = 1;; ++attempt, pause *= 2) {
    auto answer = call_once(request, stop);
    if (attempt >= request.attempts || stop || !worth_repeating(answer)) return answer;
    sleep_for(pause);
  }
}

}  // namespace mlps::http
