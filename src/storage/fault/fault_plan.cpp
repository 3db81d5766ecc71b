#include "storage/fault/fault_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/text.hpp"
#include "base/units.hpp"
#include "payload/mix.hpp"

namespace mlps::storage::fault {
namespace {

constexpr std::array kAllOps = {OpKind::kBeginWrite, OpKind::kWritePart, OpKind::kCommitWrite, OpKind::kAbortWrite,
                                OpKind::kBeginRead,  OpKind::kReadPart,  OpKind::kEndRead};

constexpr uint32_t bit(OpKind kind) {
  return 1U << static_cast<unsigned>(kind);
}
constexpr uint32_t kParts = bit(OpKind::kWritePart) | bit(OpKind::kReadPart);
constexpr uint32_t kAny = (1U << kAllOps.size()) - 1;

/// A kind of fault: its word, the operations it applies to, and the default of the number behind '=' (0: it takes
/// none).
struct Kind {
  FaultKind kind;
  std::string_view word;
  uint32_t operations;
  uint32_t default_amount;
};

constexpr std::array kKinds = {
    Kind{FaultKind::kReset, "reset", kAny, kMaxAttempts},
    Kind{FaultKind::kError500, "error500", kAny, kMaxAttempts},
    Kind{FaultKind::kSlowdown, "slowdown", kAny, 2},
    Kind{FaultKind::kDenied, "denied", kAny, 0},
    Kind{FaultKind::kShort, "short", kParts, 0},
    Kind{FaultKind::kLost, "lost", bit(OpKind::kWritePart) | bit(OpKind::kCommitWrite), 0},
    Kind{FaultKind::kFlip, "flip", kParts, 0},
    Kind{FaultKind::kFull, "full", bit(OpKind::kBeginWrite) | bit(OpKind::kWritePart) | bit(OpKind::kCommitWrite), 0},
    Kind{FaultKind::kSlow, "slow", kAny, 100},
    Kind{FaultKind::kRate, "rate", kParts, 0},
    Kind{FaultKind::kHang, "hang", kAny & ~(bit(OpKind::kAbortWrite) | bit(OpKind::kEndRead)), 0},
};

const Kind& facts_of(FaultKind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& known) { return known.kind == kind; });
}

std::string legal_kinds() {
  std::vector<std::string_view> words;
  words.reserve(kKinds.size());
  for (const Kind& kind : kKinds) words.push_back(kind.word);
  return join(words, ", ");
}

std::string legal_operations(uint32_t mask) {
  std::vector<std::string_view> words;
  for (const OpKind kind : kAllOps) {
    if ((mask & bit(kind)) != 0) words.push_back(op_name(kind));
  }
  return join(words, ", ");
}

tl::unexpected<Error> refuse(std::string message, std::string legal) {
  return fail(ErrorCode::kConfigInvalid, std::move(message), "legal: " + legal,
              "a fault is kind[=number]:operation[:object-substring][@n[+]]");
}

/// Returns the positive number that fills all of `text`.
std::optional<uint64_t> positive(std::string_view text) {
  const auto value = parse_number<uint64_t>(text);
  return value && *value > 0 ? value : std::nullopt;
}

/// Cuts `text` at the first `separator` and returns the piece before it.
std::string_view cut(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return head;
}

}  // namespace

Nanos RateLimit::admit(uint64_t bytes, uint64_t bytes_per_s, Nanos now) {
  const auto length = static_cast<Nanos>(static_cast<double>(bytes) / static_cast<double>(bytes_per_s) * 1e9);
  Nanos free = free_ns_.load(std::memory_order_relaxed);
  while (!free_ns_.compare_exchange_weak(free, std::max(free, now) + length, std::memory_order_relaxed)) {
  }
  return std::max(free, now) + length;
}

std::string_view kind_name(FaultKind kind) {
  return facts_of(kind).word;
}

Status FaultPlan::parse_kind(std::string_view text, Rule& rule) {
  const std::string_view word = cut(text, '=');
  const auto known = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) { return kind.word == word; });
  if (known == kKinds.end()) return refuse(fmt::format("unknown fault \"{}\"", word), legal_kinds());
  rule.fault = {known->kind, known->default_amount};
  if (known->kind == FaultKind::kRate) return parse_rate(text, rule);
  if (text.empty()) return {};
  const std::optional<uint64_t> amount = positive(text);
  if (!amount || *amount > 1'000'000 || known->default_amount == 0) {
    return refuse(fmt::format("\"{}\" can't be the number of fault \"{}\"", text, word),
                  "slow=milliseconds, and reset, error500, slowdown=attempts; up to 1000000");
  }
  rule.fault.amount = *amount;
  return {};
}

Status FaultPlan::parse_rate(std::string_view text, Rule& rule) {
  const Result<uint64_t> bytes = parse_size(text);
  if (!bytes || *bytes == 0) {
    return refuse(fmt::format("\"{}\" can't be the number of fault \"rate\"", text),
                  "rate=bytes per second, such as rate=100MiB");
  }
  rule.fault.amount = *bytes;
  rule.fault.limit = &rule.limit;
  rule.onwards = true;
  return {};
}

Status FaultPlan::parse_nth(std::string_view text, Rule& rule) {
  if (text.ends_with('+')) {
    rule.onwards = true;
    text.remove_suffix(1);
  }
  const std::optional<uint64_t> nth = positive(text);
  if (!nth)
    return refuse(fmt::format("\"{}\" is no count of operations", text), "@1, @2, ... or @1+ for all from there");
  rule.nth = *nth;
  return {};
}

Result<std::unique_ptr<FaultPlan::Rule>> FaultPlan::parse_rule(std::string_view text) {
  auto rule = std::make_unique<Rule>();
  if (const size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (Status parsed = parse_nth(text.substr(at + 1), *rule); !parsed) return fail(std::move(parsed.error()));
    text = text.substr(0, at);
  }
  if (Status parsed = parse_kind(cut(text, ':'), *rule); !parsed) return fail(std::move(parsed.error()));
  const std::string_view word = cut(text, ':');
  const Kind& kind = facts_of(rule->fault.kind);
  const auto operation = std::find_if(kAllOps.begin(), kAllOps.end(), [&](OpKind op) { return op_name(op) == word; });
  if (operation == kAllOps.end() || (kind.operations & bit(*operation)) == 0) {
    return refuse(fmt::format("fault \"{}\" can't happen to \"{}\"", kind.word, word),
                  legal_operations(kind.operations));
  }
  rule->operation = *operation;
  rule->substring = text;
  return rule;
}

Result<std::unique_ptr<FaultPlan>> FaultPlan::parse(std::string_view spec, uint64_t seed) {
  auto plan = std::make_unique<FaultPlan>();
  plan->text_ = spec;
  plan->seed_ = seed;
  do {
    Result<std::unique_ptr<Rule>> rule = parse_rule(cut(spec, ','));
    if (!rule) return fail(std::move(rule.error()));
    plan->rules_.push_back(std::move(*rule));
  } while (!spec.empty());
  return plan;
}

std::optional<Fault> FaultPlan::match(OpKind operation, std::string_view object) {
  // A fault of reads applies to ranges as to parts.
  if (operation == OpKind::kReadRange) operation = OpKind::kReadPart;
  std::optional<Fault> fault;
  for (const auto& rule : rules_) {
    if (rule->operation != operation || object.find(rule->substring) == std::string_view::npos) continue;
    const uint64_t count = rule->seen.fetch_add(1, std::memory_order_relaxed) + 1;
    const bool due = rule->onwards ? count >= rule->nth : count == rule->nth;
    if (due && !fault) fault = rule->fault;
  }
  return fault;
}

uint64_t FaultPlan::bit_of(std::string_view object, uint32_t part, uint64_t length) const {
  uint64_t hash = payload::mix64(seed_ + part);
  for (const char letter : object) hash = payload::mix64(hash ^ static_cast<unsigned char>(letter));
  return hash % (length * 8);
}

}  // namespace mlps::storage::fault
