#include "storage/object/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/server_words.hpp"

namespace mlps::object {
namespace {

std::pair<Action, ErrorCode> by_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return {Action::kFail, ErrorCode::kStorageDenied};
    case 404:
      return {Action::kFail, ErrorCode::kStorageNotFound};
    case 408:
      return {Action::kRetry, ErrorCode::kStorageUnreachable};
    case 412:
    case 416:
      return {Action::kFail, ErrorCode::kDataMismatch};
    case 429:
    case 503:
      return {Action::kThrottled, ErrorCode::kStorageThrottled};
    case 500:
    case 502:
    case 504:
      return {Action::kRetry, ErrorCode::kStorageProtocol};
    case 413:
    case 507:
      return {Action::kFail, ErrorCode::kStorageFull};
    default:
      return {Action::kFail, ErrorCode::kStorageProtocol};
  }
}

Verdict refused(Action action, ErrorCode code, std::string happened) {
  return {.action = action, .code = code, .happened = std::move(happened)};
}

Verdict judge_transport(const http::Exchange& exchange) {
  Verdict verdict = refused(Action::kFail, ErrorCode::kStorageUnreachable, printable(exchange.failure_text));
  verdict.answer_lost = true;
  switch (exchange.failure) {
    case http::Failure::kConnect:
      verdict.action = Action::kFailOver;
      verdict.answer_lost = false;
      break;
    case http::Failure::kBroken:
      verdict.action = exchange.reused && exchange.status == 0 ? Action::kRepeat : Action::kRetry;
      break;
    case http::Failure::kStalled:
      verdict.action = Action::kRetry;
      break;
    case http::Failure::kMalformed:
      // What an earlier answer has left behind on the connection is no answer to this request.
      if (exchange.reused && exchange.status == 0) verdict.action = Action::kRepeat;
      verdict.code = ErrorCode::kStorageProtocol;
      break;
    case http::Failure::kTooLarge:
      verdict.code = ErrorCode::kStorageProtocol;
      break;
    case http::Failure::kTls:
    case http::Failure::kProxy:
      verdict.answer_lost = false;
      break;
    case http::Failure::kLocal:
      verdict.action = Action::kRetry;
      verdict.answer_lost = false;
      break;
    case http::Failure::kNone:
      verdict.code = ErrorCode::kInternal;
      verdict.answer_lost = false;
  }
  return verdict;
}

/// The parts of "bytes 0-9/100"; the total is absent for '*'.
struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  std::optional<uint64_t> total;
};

std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  const auto slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = parse_number<uint64_t>(text.substr(0, dash));
  const auto last = parse_number<uint64_t>(text.substr(dash + 1, slash - dash - 1));
  const auto total = parse_number<uint64_t>(text.substr(slash + 1));
  if (!first || !last || *last < *first || (!total && text.substr(slash + 1) != "*")) return std::nullopt;
  return ContentRange{*first, *last, total};
}

Verdict check_range(const Call& call) {
  const auto header = call.exchange.header("content-range");
  const auto range = header ? parse_content_range(*header) : std::nullopt;
  if (!range) {
    return refused(Action::kFail, ErrorCode::kStorageProtocol,
                   fmt::format("HTTP 206 with Content-Range \"{}\"", printable(header.value_or(""))));
  }
  const uint64_t last = call.first_byte + call.sink.size() - 1;
  if (range->first != call.first_byte || range->last != last) {
    return refused(Action::kFail, ErrorCode::kDataMismatch,
                   fmt::format("the server sent bytes {}-{} for bytes {}-{}: the object has another size or the server "
                               "another idea of the range",
                               range->first, range->last, call.first_byte, last));
  }
  if (call.object_bytes && range->total && *range->total != *call.object_bytes) {
    return refused(Action::kFail, ErrorCode::kDataMismatch,
                   fmt::format("the object has {} bytes instead of {}", *range->total, *call.object_bytes));
  }
  return {};
}

Verdict check_read(const Call& call) {
  const http::Exchange& exchange = call.exchange;
  if (!call.range.empty()) {
    const bool whole = call.first_byte == 0 && call.object_bytes && *call.object_bytes == call.sink.size();
    if (exchange.status == 206) {
      if (Verdict verdict = check_range(call); verdict.action != Action::kAccept) return verdict;
    } else if (!whole) {
      return refused(
          Action::kFail, ErrorCode::kStorageProtocol,
          fmt::format("HTTP {} to a request for {}: the server ignores ranges", exchange.status, call.range));
    }
  }
  const auto announced = exchange.header("content-length");
  const auto length = announced ? parse_number<uint64_t>(*announced) : std::nullopt;
  if (exchange.status == 200 && length && *length != call.sink.size()) {
    return refused(Action::kFail, ErrorCode::kDataMismatch,
                   fmt::format("the object has {} bytes instead of {}", *length, call.sink.size()));
  }
  if (exchange.received != call.sink.size()) {
    return refused(Action::kRetry, ErrorCode::kStorageProtocol,
                   fmt::format("the body has {} bytes instead of {}", exchange.received, call.sink.size()));
  }
  return {};
}

}  // namespace

Verdict judge_error(const Dialect& dialect, int status, const ServerError& error) {
  auto [action, code] = by_status(status);
  const auto rules = dialect.error_rules();
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const ErrorRule& candidate) { return candidate.server_code == error.code; });
  if (rule != rules.end()) {
    action = rule->action;
    code = rule->code;
  }
  Verdict verdict{.action = action, .code = code};
  verdict.happened = fmt::format("HTTP {}", status);
  if (!error.code.empty()) verdict.happened += " " + error.code;
  if (!error.message.empty()) verdict.happened += ": " + error.message;
  verdict.server_code = error.code;
  verdict.request_id = error.request_id;
  verdict.region = error.region;
  return verdict;
}

Verdict judge(const Dialect& dialect, const Call& call) {
  const http::Exchange& exchange = call.exchange;
  Verdict verdict;
  // An error status counts even when the server cut the connection after it, as it may while a body is being sent.
  if (exchange.status >= 300) {
    ServerError error = dialect.read_error(exchange);
    if (dialect.accepts(call, error.code)) return {};
    if (error.code.empty() && error.message.empty()) error.message = words_of_body(exchange.text);
    verdict = judge_error(dialect, exchange.status, error);
    if (exchange.status == 412 && !call.if_match.empty()) {
      verdict.happened +=
          fmt::format(" (If-Match was {}, the ETag of an earlier answer)", printable(call.if_match, 100));
    }
    if (const auto location = exchange.header("location"); location && exchange.status < 400) {
      verdict.happened += fmt::format(" to {}", printable(*location));
    }
    // The server may have carried the request out before it failed.
    verdict.answer_lost = exchange.status >= 500;
    if (exchange.status == 417 && exchange.expect_continue) verdict.action = Action::kWithoutExpect;
    dialect.refine(call, verdict);
  } else if (exchange.failure != http::Failure::kNone) {
    verdict = judge_transport(exchange);
  } else if (exchange.status < 200) {
    verdict = refused(Action::kFail, ErrorCode::kStorageProtocol, fmt::format("HTTP {}", exchange.status));
  } else {
    if (call.kind == CallKind::kGetObject) verdict = check_read(call);
    if (verdict.action == Action::kAccept) verdict = dialect.judge_success(call);
  }
  if (verdict.action != Action::kAccept && verdict.request_id.empty()) {
    verdict.request_id = dialect.read_error(exchange).request_id;
  }
  return verdict;
}

Health health_of(const Call& call, const Verdict& verdict, Nanos now) {
  // A request with a deadline may end before its server has been quiet for long.
  constexpr Nanos kLongQuiet = 2'000'000'000;
  const http::Exchange& exchange = call.exchange;
  if (exchange.status == 0) {
    switch (exchange.failure) {
      case http::Failure::kConnect:
      case http::Failure::kTls:
        return Health::kAway;
      case http::Failure::kStalled:
        return now - std::max(call.sent_ns, exchange.progress_ns) >= kLongQuiet ? Health::kHung : Health::kBroken;
      case http::Failure::kBroken:
      case http::Failure::kMalformed:
        return Health::kBroken;
      default:
        return Health::kGood;
    }
  }
  if (verdict.action == Action::kThrottled) return Health::kSlow;
  if (exchange.status >= 500 && verdict.action == Action::kRetry) return Health::kFailing;
  return exchange.failure == http::Failure::kNone || exchange.failure == http::Failure::kTooLarge ? Health::kGood
                                                                                                  : Health::kBroken;
}

std::string cause_of(const http::Exchange& exchange, const Verdict& verdict) {
  if (exchange.status != 0 && (exchange.status >= 300 || exchange.failure == http::Failure::kNone)) {
    return fmt::format("HTTP {}{}{}", exchange.status, verdict.server_code.empty() ? "" : " ", verdict.server_code);
  }
  switch (exchange.failure) {
    case http::Failure::kConnect:
      return "no connection";
    case http::Failure::kTls:
      return "certificate refused";
    case http::Failure::kProxy:
      return "refused by the proxy";
    case http::Failure::kBroken:
      return "connection lost";
    case http::Failure::kStalled:
      return "no answer";
    case http::Failure::kTooLarge:
    case http::Failure::kMalformed:
      return "not HTTP";
    case http::Failure::kLocal:
    case http::Failure::kNone:
      break;
  }
  return "limit of this host";
}

bool may_heal(Action action) {
  return action == Action::kRetry || action == Action::kThrottled || action == Action::kRepeat ||
         action == Action::kFailOver;
}

bool is_servers_state(const Call& call, const Verdict& verdict) {
  return verdict.action == Action::kThrottled || verdict.action == Action::kFailOver ||
         verdict.code == ErrorCode::kStorageUnreachable || call.exchange.status >= 500;
}

}  // namespace mlps::object
