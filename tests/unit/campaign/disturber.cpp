#include "disturber.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

namespace mlps::test {
namespace {

using Fault = Reply::Fault;
using When = FaultKind::When;

constexpr unsigned kMostInARow = 3;
constexpr size_t kLongBody = 256 << 10;

size_t body_bytes(const Request& request) {
  const auto header = request.headers.find("content-length");
  return header == request.headers.end() ? 0 : std::stoull(header->second);
}

bool sends_much(const Request& request, const Asked& /*asked*/) {
  return body_bytes(request) >= kLongBody;
}
bool sends_something(const Request& request, const Asked& /*asked*/) {
  return body_bytes(request) > 0;
}
bool has_body_in_answer(const Request& request, const Asked& /*asked*/) {
  return request.method != "HEAD" && request.method != "DELETE";
}
bool is_kept(const Request& request, const Asked& /*asked*/) {
  return request.kept;
}
bool writes(const Request& request, const Asked& /*asked*/) {
  return request.method != "GET" && request.method != "HEAD";
}
bool is_complete(const Request& /*request*/, const Asked& asked) {
  return asked.kind == "CompleteMultipartUpload";
}
bool expects(const Request& request, const Asked& /*asked*/) {
  return request.headers.contains("expect");
}
bool can_tell_skew(const Request& request, const Asked& asked) {
  return request.method != "HEAD" || asked.kind == "Get Blob Properties";
}

std::string date_in_an_hour() {
  const time_t when = time(nullptr) + 3600;
  tm utc = {};
  gmtime_r(&when, &utc);
  std::array<char, 64> text = {};
  strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return text.data();
}

/// An empty code: the answer is a proxy's, in no protocol's form.
const std::vector<FaultKind>& all_kinds() {
  constexpr std::array<const char*, kProtocols> kProxy = {"", "", ""};
  static const std::vector<FaultKind> kKinds = {
      {"reset", When::kEither, {.fault = Fault::kResetAtOnce}, {}, nullptr, "connection lost"},
      {"reset in the head", When::kEither, {.fault = Fault::kResetInHeaders}, {}, nullptr, "connection lost"},
      {"reset in the body", When::kAfter, {.fault = Fault::kResetInBody}, {}, has_body_in_answer, "connection lost"},
      {"short body", When::kAfter, {.fault = Fault::kShortBody}, {}, has_body_in_answer, "connection lost"},
      {"reset in the upload",
       When::kBefore,
       {.fault = Fault::kResetInUpload, .upload_bytes = 2000},
       {},
       sends_much,
       "connection lost"},
      {"hang", When::kEither, {.fault = Fault::kHang}, {}, nullptr, "no answer"},
      {"garbage on a kept connection", When::kBefore, {.fault = Fault::kGarbage}, {}, is_kept, "not HTTP"},
      {"500", When::kEither, {.status = 500}, {"InternalError", "InternalError", "backendError"}},
      {"502", When::kEither, {.status = 502}, kProxy},
      {"503", When::kEither, {.status = 503}, {"SlowDown", "ServerBusy", "backendError"}},
      {"503 with Retry-After", When::kEither, {.status = 503, .headers = {{"Retry-After", "1"}}}, kProxy},
      {"503 before the body",
       When::kBefore,
       {.status = 503, .fault = Fault::kRefuseEarly},
       {"SlowDown", "ServerBusy", "backendError"},
       sends_much},
      {"504", When::kEither, {.status = 504, .close = true}, kProxy},
      {"408", When::kBefore, {.status = 408, .close = true}, kProxy},
      {"429", When::kBefore, {.status = 429}, {"TooManyRequests", "TooManyRequests", "rateLimitExceeded"}},
      {"400 RequestTimeout", When::kBefore, {.status = 400}, {"RequestTimeout", nullptr, nullptr}, writes},
      {"500 OperationTimedOut", When::kBefore, {.status = 500}, {nullptr, "OperationTimedOut", nullptr}},
      {"damaged on its way", When::kBefore, {.status = 400}, {"BadDigest", "Crc64Mismatch", nullptr}, sends_something},
      {"409", When::kBefore, {.status = 409}, {"OperationAborted", nullptr, "conflict"}, writes},
      {"200 with an error", When::kEither, {.status = 200}, {"InternalError", nullptr, nullptr}, is_complete},
      {"another clock",
       When::kBefore,
       {.status = 403},
       {"RequestTimeTooSkewed", "AuthenticationFailed", nullptr},
       can_tell_skew},
      {"417", When::kBefore, {.status = 417}, kProxy, expects},
      // These are none.
      {"leftovers", When::kAfter, {.fault = Fault::kLeftovers}},
      {"slow", When::kAfter, {.delay_ms = 50}},
      {"byte by byte", When::kAfter, {.one_byte_pieces = true}},
      {"chunked", When::kAfter, {.chunked = true}, {}, has_body_in_answer},
      {"Connection: close", When::kAfter, {.close = true}},
      {"103 first", When::kAfter, {.early_hints = true}},
  };
  return kKinds;
}

bool has_status(const FaultKind& kind) {
  return kind.reply.status != 200 || kind.codes[0] != nullptr;
}

/// Returns whether an answer's body, or what stands for it, tells the code.
bool tells_code(const Request& request, Protocol protocol, const std::string& code) {
  return !code.empty() && (request.method != "HEAD" || protocol == Protocol::kAzure);
}

std::string between(const std::string& text, std::string_view begin, std::string_view end) {
  const size_t at = text.find(begin);
  if (at == std::string::npos) return {};
  return text.substr(at + begin.size(), text.find(end, at + begin.size()) - at - begin.size());
}

std::string status_cause(int status, const std::string& code) {
  return fmt::format("HTTP {}{}{}", status, code.empty() ? "" : " ", code);
}

}  // namespace

uint64_t mixed(uint64_t a, uint64_t b) {
  uint64_t x = a + 0x9E3779B97F4A7C15ULL * (b + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

std::vector<const FaultKind*> fault_kinds(Protocol protocol) {
  std::vector<const FaultKind*> out;
  for (const FaultKind& kind : all_kinds()) {
    if (!has_status(kind) || kind.codes[static_cast<size_t>(protocol)] != nullptr) out.push_back(&kind);
  }
  return out;
}

bool is_failure(const FaultKind& kind) {
  return kind.cause != nullptr || has_status(kind);
}

Disturber::Disturber(Service& service, uint64_t seed)
    : service_(service), seed_(seed), kinds_(fault_kinds(service.protocol())) {}

void Disturber::attach() {
  service_.server().disturb([this](const Request& request) { return before(request); },
                            [this](const Request& request, Reply& own) { after(request, own); });
}

void Disturber::disturb_bucket(bool whether) {
  const auto lock = service_.server().lock();
  bucket_ = whether;
}

void Disturber::break_port(size_t port, const FaultKind& kind) {
  const auto lock = service_.server().lock();
  broken_ = {port, &kind};
}

void Disturber::always(const FaultKind& kind, std::string request_kind, bool after) {
  const auto lock = service_.server().lock();
  mode_ = Mode::kAlways;
  always_ = &kind;
  always_at_ = std::move(request_kind);
  always_after_ = after;
}

void Disturber::never() {
  const auto lock = service_.server().lock();
  mode_ = Mode::kNever;
}

Disturber::Tally Disturber::tally() const {
  const auto lock = service_.server().lock();
  return tally_;
}

Reply Disturber::reply_of(const FaultKind& kind) const {
  Reply reply = kind.reply;
  if (!has_status(kind)) return reply;
  const std::string code = kind.codes[static_cast<size_t>(service_.protocol())];
  Reply own =
      code.empty() ? Reply{.body = "<html><h1>said a proxy</h1></html>"} : service_.error_reply(reply.status, code);
  reply.body = std::move(own.body);
  reply.headers.insert(reply.headers.end(), own.headers.begin(), own.headers.end());
  if (reply.status == 403) reply.headers.emplace_back("Date", date_in_an_hour());
  return reply;
}

/// Returns what goes wrong this time, and whether after the request was carried out; null: nothing.
const FaultKind* Disturber::choose(const Request& request, const Asked& asked, Track& track, bool& after) {
  const uint64_t draw = mixed(mixed(seed_, std::hash<std::string>()(asked.identity)), track.times++);
  // Of many parts fewer are disturbed, so that the other requests get their share.
  const uint64_t percent = asked.kind == "objects.insert, part" ? 5 : 30;
  if (track.in_a_row >= kMostInARow || draw % 100 >= percent) {
    track.in_a_row = 0;
    return nullptr;
  }
  std::vector<const FaultKind*> fitting;
  for (const FaultKind* kind : kinds_) {
    const bool once_a_call = kind->reply.status == 403;
    if (once_a_call && track.times > 1) continue;
    if (kind->fits == nullptr || kind->fits(request, asked)) fitting.push_back(kind);
  }
  size_t at = (draw >> 8) % fitting.size();
  // What hangs costs seconds.
  if (fitting[at]->reply.fault == Fault::kHang && (draw >> 40) % 4 != 0) at = (at + 1) % fitting.size();
  ++track.in_a_row;
  after = fitting[at]->when == When::kAfter || (fitting[at]->when == When::kEither && (draw >> 50) % 2 == 0);
  return fitting[at];
}

std::optional<Reply> Disturber::before(const Request& request) {
  const Asked asked = service_.asked(request);
  const bool of_bucket = looks_at_bucket(asked.kind) && !bucket_;
  if (broken_ && broken_->first == request.port) {
    if (!of_bucket) count(*broken_->second, request, asked, false);
    return reply_of(*broken_->second);
  }
  if (of_bucket || mode_ == Mode::kNever) return std::nullopt;
  Track& track = tracks_[asked.identity];
  bool after = always_after_;
  const FaultKind* kind = nullptr;
  if (mode_ == Mode::kAtRandom) kind = choose(request, asked, track, after);
  if (mode_ == Mode::kAlways && asked.kind == always_at_) kind = always_;
  track.pending = after ? kind : nullptr;
  if (kind == nullptr || after) return std::nullopt;
  count(*kind, request, asked, false);
  return reply_of(*kind);
}

void Disturber::after(const Request& request, Reply& own) {
  const Asked asked = service_.asked(request);
  const FaultKind* kind = std::exchange(tracks_[asked.identity].pending, nullptr);
  const Protocol protocol = service_.protocol();
  if (own.status >= 300) {
    // An answer of the store's own, to what was carried out before: the client knows what a deletion means by it.
    const bool is_accepted = request.method == "DELETE" || asked.kind == "Put Block List, empty";
    std::string code = between(own.body, "<Code>", "</Code>") + between(own.body, "\"reason\":\"", "\"");
    if (!tells_code(request, protocol, code)) code.clear();
    if (!is_accepted) ++tally_.causes[{request.port, status_cause(own.status, code)}];
    tally_.story += fmt::format("  {} {}: the server's own {} {}\n", asked.kind, request.target, own.status, code);
    return;
  }
  if (kind == nullptr) return;
  const Fault fault = kind->reply.fault;
  const bool cuts_body = fault == Fault::kResetInBody || fault == Fault::kShortBody;
  if ((cuts_body || kind->reply.chunked) && own.body.empty()) return;
  if (kind->reply.one_byte_pieces && own.body.size() > 2000) return;
  count(*kind, request, asked, true);
  if (has_status(*kind)) {
    own = reply_of(*kind);
    return;
  }
  own.fault = fault;
  own.delay_ms = kind->reply.delay_ms;
  own.one_byte_pieces = kind->reply.one_byte_pieces;
  own.chunked = kind->reply.chunked;
  own.close = kind->reply.close;
  own.early_hints = kind->reply.early_hints;
}

void Disturber::count(const FaultKind& kind, const Request& request, const Asked& asked, bool after) {
  tally_.story += fmt::format("  {} {}: {}{}\n", asked.kind, request.target, kind.name, after ? ", carried out" : "");
  ++tally_.met[{kind.name, asked.kind}];
  if (kind.reply.fault == Fault::kLeftovers) ++tally_.leftovers[request.port];
  if (!is_failure(kind)) return;
  ++tally_.failures;
  std::string cause = kind.cause != nullptr ? kind.cause : "";
  if (has_status(kind)) {
    const std::string code = kind.codes[static_cast<size_t>(service_.protocol())];
    cause = status_cause(kind.reply.status, tells_code(request, service_.protocol(), code) ? code : "");
  }
  auto& causes = kind.reply.fault == Fault::kRefuseEarly ? tally_.early : tally_.causes;
  ++causes[{request.port, cause}];
}

}  // namespace mlps::test
