#include "storage/http/engine.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstring>
#include <mutex>

namespace mlps::http {
namespace {

// An answer's headers beyond this are an attack or a fault, not an answer.
constexpr size_t kAnswerHeadersLimit = size_t{64} << 10;

/// A libcurl handle and the memory a request needs while it is under way.
struct Slot {
  CURL* easy = nullptr;
  Exchange* exchange = nullptr;
  uint64_t body_offset = 0;
  bool text_cut = false;  // the body was longer than text_limit
  bool sink_full = false;
  bool headers_too_long = false;
  std::array<curl_slist, HeaderList::kMax> lines = {};
  std::array<char, CURL_ERROR_SIZE> words = {};
};

size_t on_header(char* data, size_t, size_t length, void* user) {
  Slot& slot = *static_cast<Slot*>(user);
  Exchange& exchange = *slot.exchange;
  const std::string_view line(data, length);
  if (line.starts_with("HTTP/")) {  // also after "100 Continue": only the last answer counts
    exchange.answer_headers.clear();
    const auto blank = line.find(' ');
    exchange.status = blank == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(blank + 1, 3)).c_str());
    return length;
  }
  if (exchange.answer_headers.size() + length > kAnswerHeadersLimit) {
    slot.headers_too_long = true;
    return 0;
  }
  exchange.answer_headers.append(line);
  return length;
}

size_t on_body(char* data, size_t, size_t length, void* user) {
  Slot& slot = *static_cast<Slot*>(user);
  Exchange& exchange = *slot.exchange;
  if (exchange.first_byte_ns == 0) exchange.first_byte_ns = now_ns();
  const bool good = exchange.status >= 200 && exchange.status < 300;
  if (good && !exchange.sink.empty()) {
    if (length > exchange.sink.size() - exchange.received) {
      slot.sink_full = true;
      return 0;
    }
    std::memcpy(exchange.sink.data() + exchange.received, data, length);
    exchange.received += length;
    return length;
  }
  const size_t room = exchange.text_limit - exchange.text.size();
  exchange.text.append(data, std::min(length, room));
  exchange.received += length;
  if (length > room) {
    slot.text_cut = true;
    return 0;
  }
  return length;
}

size_t on_send(char* out, size_t, size_t room, void* user) {
  Slot& slot = *static_cast<Slot*>(user);
  const auto& body = slot.exchange->body;
  const size_t length = std::min<uint64_t>(room, body.size() - slot.body_offset);
  std::memcpy(out, body.data() + slot.body_offset, length);
  slot.body_offset += length;
  return length;
}

// libcurl rewinds the body when it repeats a request on a fresh connection by itself.
int on_seek(void* user, curl_off_t offset, int origin) {
  Slot& slot = *static_cast<Slot*>(user);
  if (origin != SEEK_SET || offset < 0 || static_cast<uint64_t>(offset) > slot.exchange->body.size()) {
    return CURL_SEEKFUNC_FAIL;
  }
  slot.body_offset = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

Failure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return Failure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
      return Failure::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Failure::kTls;
    case CURLE_OPERATION_TIMEDOUT:
      return Failure::kStalled;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_UPLOAD_FAILED:
      return Failure::kBroken;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return Failure::kMalformed;
    default:
      return Failure::kLocal;
  }
}

class CurlEngine final : public Engine {
 public:
  CurlEngine(const EngineSettings& settings, unsigned slots) : settings_(settings), slots_(slots) {}
  ~CurlEngine() override;

  Status open();
  void start(Exchange& exchange) override;
  void poll(std::chrono::nanoseconds timeout, std::vector<Exchange*>& done) override;
  void drop(Exchange& exchange) override;
  void wake() override;

 private:
  void set_fixed_options(Slot& slot) const;
  static void set_method(Slot& slot);
  void finish(Slot& slot, CURLcode code);
  void perform(std::vector<Exchange*>& done);
  void fail_start(Exchange& exchange, std::string words);

  EngineSettings settings_;
  std::vector<Slot> slots_;
  std::vector<int> free_;
  std::vector<Exchange*> failed_starts_;
  CURLM* multi_ = nullptr;
  std::atomic<bool> woken_ = false;
};

CurlEngine::~CurlEngine() {
  for (Slot& slot : slots_) {
    if (slot.easy == nullptr) continue;
    curl_multi_remove_handle(multi_, slot.easy);
    curl_easy_cleanup(slot.easy);
  }
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

Status CurlEngine::open() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  multi_ = curl_multi_init();
  if (multi_ == nullptr) return fail(ErrorCode::kInternal, "libcurl could not make a multi handle");
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  // One idle connection per slot and a few more for other endpoints; libcurl closes the oldest beyond.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(slots_.size() * 2 + 4));
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].easy = curl_easy_init();
    if (slots_[i].easy == nullptr) return fail(ErrorCode::kInternal, "libcurl could not make an easy handle");
    set_fixed_options(slots_[i]);
    free_.push_back(static_cast<int>(slots_.size() - 1 - i));
  }
  return {};
}

void CurlEngine::set_fixed_options(Slot& slot) const {
  CURL* easy = slot.easy;
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_PRIVATE, &slot);
  set(CURLOPT_ERRORBUFFER, slot.words.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOPROGRESS, 1L);
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PATH_AS_IS, 1L);  // the path on the wire must be the path that was signed
  set(CURLOPT_PROXY, "");       // libcurl would read http_proxy from the process otherwise
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
  set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
  set(CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(settings_.upload_buffer_bytes));
  set(CURLOPT_BUFFERSIZE, static_cast<long>(settings_.receive_buffer_bytes));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &slot);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &slot);
  set(CURLOPT_READFUNCTION, &on_send);
  set(CURLOPT_READDATA, &slot);
  set(CURLOPT_SEEKFUNCTION, &on_seek);
  set(CURLOPT_SEEKDATA, &slot);
}

// Bodies always travel as an "upload", so that even an empty one carries Content-Length and libcurl adds no
// Content-Type of its own.
void CurlEngine::set_method(Slot& slot) {
  const Exchange& exchange = *slot.exchange;
  CURL* easy = slot.easy;
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  switch (exchange.method) {
    case Method::kGet:
      break;
    case Method::kHead:
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
      break;
    case Method::kDelete:
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
    case Method::kPut:
    case Method::kPost:
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(exchange.body.size()));
      if (exchange.method == Method::kPost) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "POST");
      break;
  }
}

void CurlEngine::fail_start(Exchange& exchange, std::string words) {
  exchange.failure = Failure::kLocal;
  exchange.failure_text = std::move(words);
  failed_starts_.push_back(&exchange);
}

void CurlEngine::start(Exchange& exchange) {
  exchange.reset_answer();
  if (free_.empty()) return fail_start(exchange, "more requests at once than the session was opened for");
  const int index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[static_cast<size_t>(index)];
  exchange.slot = index;
  slot.exchange = &exchange;
  slot.body_offset = 0;
  slot.text_cut = slot.sink_full = slot.headers_too_long = false;
  slot.words[0] = '\0';
  for (size_t i = 0; i < exchange.headers.size(); ++i) {
    // libcurl only reads the lines; its struct has a mutable pointer for historical reasons.
    slot.lines[i].data = const_cast<char*>(exchange.headers.line(i));
    slot.lines[i].next = i + 1 < exchange.headers.size() ? &slot.lines[i + 1] : nullptr;
  }
  set_method(slot);
  curl_easy_setopt(slot.easy, CURLOPT_URL, exchange.url.c_str());
  curl_easy_setopt(slot.easy, CURLOPT_HTTPHEADER, exchange.headers.size() == 0 ? nullptr : slot.lines.data());
  curl_easy_setopt(slot.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(slot.easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(exchange.stall_seconds));
  curl_easy_setopt(slot.easy, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.total_milliseconds));
  if (const CURLMcode code = curl_multi_add_handle(multi_, slot.easy); code != CURLM_OK) {
    exchange.slot = -1;
    free_.push_back(index);
    fail_start(exchange, curl_multi_strerror(code));
  }
}

void CurlEngine::finish(Slot& slot, CURLcode code) {
  Exchange& exchange = *slot.exchange;
  curl_off_t sent = 0;
  long connects = 0;
  curl_easy_getinfo(slot.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  curl_easy_getinfo(slot.easy, CURLINFO_NUM_CONNECTS, &connects);
  exchange.sent = static_cast<uint64_t>(sent);
  exchange.reused = connects == 0;
  exchange.failure = failure_of(code);
  if (code == CURLE_WRITE_ERROR) {  // one of our own callbacks said stop
    // The start of an error's body is enough to know the error.
    exchange.failure = slot.text_cut && exchange.status >= 300 ? Failure::kNone : Failure::kTooLarge;
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    curl_off_t ready_to_send = 0;
    curl_easy_getinfo(slot.easy, CURLINFO_PRETRANSFER_TIME_T, &ready_to_send);
    if (ready_to_send == 0) exchange.failure = Failure::kConnect;
  }
  if (exchange.failure == Failure::kNone) return;
  if (slot.sink_full) {
    exchange.failure_text = fmt::format("the body is longer than {} bytes", exchange.sink.size());
  } else if (slot.text_cut) {
    exchange.failure_text = fmt::format("the body is longer than {} bytes", exchange.text_limit);
  } else if (slot.headers_too_long) {
    exchange.failure_text = fmt::format("the headers are longer than {} bytes", kAnswerHeadersLimit);
  } else {
    exchange.failure_text = slot.words[0] != '\0' ? slot.words.data() : curl_easy_strerror(code);
  }
}

void CurlEngine::perform(std::vector<Exchange*>& done) {
  int running = 0;
  curl_multi_perform(multi_, &running);
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* user = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
    Slot& slot = *static_cast<Slot*>(static_cast<void*>(user));
    finish(slot, code);
    curl_multi_remove_handle(multi_, easy);
    free_.push_back(slot.exchange->slot);
    slot.exchange->slot = -1;
    done.push_back(slot.exchange);
    slot.exchange = nullptr;
  }
  done.insert(done.end(), failed_starts_.begin(), failed_starts_.end());
  failed_starts_.clear();
}

void CurlEngine::poll(std::chrono::nanoseconds timeout, std::vector<Exchange*>& done) {
  const size_t before = done.size();
  const Nanos deadline = now_ns() + std::max<int64_t>(timeout.count(), 0);
  for (;;) {
    perform(done);
    if (done.size() != before) return;
    const Nanos left = deadline - now_ns();
    if (left <= 0 || woken_.exchange(false)) return;
    const int64_t milliseconds = std::min<int64_t>((left + 999'999) / 1'000'000, INT_MAX);
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(milliseconds), nullptr);
  }
}

void CurlEngine::drop(Exchange& exchange) {
  std::erase(failed_starts_, &exchange);
  if (exchange.slot < 0) return;
  Slot& slot = slots_[static_cast<size_t>(exchange.slot)];
  curl_multi_remove_handle(multi_, slot.easy);
  free_.push_back(exchange.slot);
  exchange.slot = -1;
  slot.exchange = nullptr;
}

void CurlEngine::wake() {
  woken_.store(true);
  curl_multi_wakeup(multi_);
}

}  // namespace

Result<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings, unsigned slots) {
  auto engine = std::make_unique<CurlEngine>(settings, slots);
  if (auto status = engine->open(); !status) return fail(std::move(status.error()));
  return engine;
}

std::string library_version() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  return fmt::format("libcurl/{} {}", info->version, info->ssl_version != nullptr ? info->ssl_version : "without TLS");
}

}  // namespace mlps::http
