#include "benchmarks/kvcache/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "benchmarks/kvcache/workload.hpp"

namespace mlps::kvcache {
namespace {

using nlohmann::json;

constexpr size_t kMostBlocks = 4 << 20;      // of a request
constexpr double kMostSeconds = 1e9;         // of a trace
constexpr uint64_t kCharactersPerToken = 4;  // where a text has no count of tokens
constexpr double kMillisPerSecond = 1e3;

/// Returns a whole number of a JSON object; nothing if it is none, or too
/// large.
std::optional<uint64_t> number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  if (!(value >= 0 && value <= static_cast<double>(kMostTraceTokens))) return std::nullopt;
  return static_cast<uint64_t>(value);
}

/// Returns the fields of a line of CSV without quotes.
std::vector<std::string_view> fields_of_line(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t comma = line.find(',');
    fields.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

/// Returns the seconds that "2023-11-16 18:17:03.9799600" stands for; nothing
/// for anything else.
std::optional<double> seconds_of_date(std::string_view text) {
  const std::string copy(text.substr(0, 19));
  std::tm parts{};
  if (copy.size() != 19 || ::strptime(copy.c_str(), "%Y-%m-%d %H:%M:%S", &parts) == nullptr) return std::nullopt;
  double fraction = 0;
  if (text.size() > 20 && text[19] == '.') {
    const size_t end = std::min(text.find_first_not_of("0123456789", 20), text.size());
    fraction = parse_number<double>("0." + std::string(text.substr(20, end - 20))).value_or(0);
  }
  return static_cast<double>(::timegm(&parts)) + fraction;
}

}  // namespace

std::string_view trace_format_name(TraceFormat format) {
  constexpr std::string_view kNames[] = {"mooncake", "bailian", "burstgpt", "azure", "sharegpt"};
  return kNames[static_cast<size_t>(format)];
}

uint64_t TraceReader::block_tokens() const {
  if (format_ == TraceFormat::kMooncake) return 512;
  return format_ == TraceFormat::kBailian ? 16 : 0;
}

Error TraceReader::bad(std::string what) const {
  return {ErrorCode::kConfigParse, fmt::format("trace {}, line {}: {}", text_->path(), text_->line_number(), what)};
}

Result<std::unique_ptr<TraceReader>> TraceReader::open(const std::string& path) {
  auto text = TraceText::open(path);
  if (!text) return fail(text.error());
  std::unique_ptr<TraceReader> reader(new TraceReader(std::move(*text)));
  if (Status known = reader->recognise(); !known) return fail(known.error());
  if (Status begun = reader->rewind(); !begun) return fail(begun.error());
  return reader;
}

Status TraceReader::recognise() {
  char first = 0;
  const auto there = text_->peek(first);
  if (!there) return fail(there.error());
  if (*there && first == '[') {
    format_ = TraceFormat::kShareGpt;
    return {};
  }
  std::string_view line;
  const auto read = text_->next_line(line);
  if (!read) return fail(read.error());
  const std::string head = lower(line);
  if (head.starts_with('{')) {
    format_ = head.find("\"chat_id\"") == std::string::npos ? TraceFormat::kMooncake : TraceFormat::kBailian;
  } else if (head.starts_with("timestamp,model,request tokens,response tokens")) {
    format_ = TraceFormat::kBurstGpt;
  } else if (head.starts_with("timestamp,contexttokens,generatedtokens")) {
    format_ = TraceFormat::kAzure;
  } else {
    return fail({ErrorCode::kConfigParse,
                 fmt::format("trace {} is of no known format", text_->path()),
                 "known are Mooncake and Bailian (JSON lines), ShareGPT "
                 "(JSON), BurstGPT and Azure LLM (CSV)",
                 {}});
  }
  return {};
}

Status TraceReader::rewind() {
  first_s_.reset();
  skipped_ = conversations_ = 0;
  turns_.clear();
  if (Status begun = text_->rewind(); !begun) return begun;
  if (format_ == TraceFormat::kMooncake || format_ == TraceFormat::kBailian) return {};
  if (format_ == TraceFormat::kShareGpt) {
    char bracket = 0;
    if (const auto there = text_->peek(bracket); !there) return fail(there.error());
    text_->take();
    return {};
  }
  std::string_view head;
  const auto taken = text_->next_line(head);
  return taken ? Status() : Status(fail(taken.error()));
}

Result<bool> TraceReader::next(TraceRequest& request) {
  request = {};
  if (format_ == TraceFormat::kShareGpt) return next_conversation(request);
  const bool csv = format_ == TraceFormat::kBurstGpt || format_ == TraceFormat::kAzure;
  return csv ? next_csv(request) : next_json(request);
}

Result<bool> TraceReader::next_json(TraceRequest& request) {
  std::string_view line;
  do {
    const auto read = text_->next_line(line);
    if (!read || !*read) return read;
  } while (trimmed(line).empty());
  const json row = json::parse(line, nullptr, false);
  if (!row.is_object()) return fail(bad("no JSON object"));
  const auto input = number_of(row, "input_length"), output = number_of(row, "output_length");
  if (!input) return fail(bad("input_length is no number of tokens"));
  const auto time = row.find("timestamp");
  if (time == row.end() || !time->is_number()) return fail(bad("timestamp is no number"));
  const double unit = format_ == TraceFormat::kMooncake ? kMillisPerSecond : 1;
  const double seconds = time->get<double>() / unit;
  if (!std::isfinite(seconds)) return fail(bad("timestamp is no number"));
  if (!first_s_) first_s_ = seconds;
  const double after = std::max(0.0, seconds - *first_s_);
  if (after > kMostSeconds) return fail(bad("timestamp is more than 30 years after the first"));
  request.at_ns = static_cast<Nanos>(after * kNanosPerSecond);
  request.input = *input;
  request.output = output.value_or(0);
  const auto blocks = row.find("hash_ids");
  if (blocks == row.end() || !blocks->is_array() || blocks->size() > kMostBlocks) {
    return fail(bad("hash_ids is no list of blocks"));
  }
  for (const json& block : *blocks) {
    if (!block.is_number_integer()) return fail(bad("hash_ids has what is no whole number"));
    request.blocks.push_back(block.get<uint64_t>());
  }
  return true;
}

Result<bool> TraceReader::next_csv(TraceRequest& request) {
  const bool azure = format_ == TraceFormat::kAzure;
  const size_t input_column = azure ? 1 : 2;
  std::string_view line;
  for (;;) {
    const auto read = text_->next_line(line);
    if (!read || !*read) return read;
    const auto fields = fields_of_line(line);
    if (fields.size() <= input_column + 1) {
      ++skipped_;
      continue;
    }
    const auto seconds = azure ? seconds_of_date(fields[0]) : parse_number<double>(fields[0]);
    const auto input = parse_number<uint64_t>(fields[input_column]);
    const auto output = parse_number<uint64_t>(fields[input_column + 1]);
    const bool usable = seconds && std::isfinite(*seconds) && std::abs(*seconds) < 1e12 && input && output &&
                        *input <= kMostTraceTokens && *output <= kMostTraceTokens && *output > 0;
    if (!usable) {
      ++skipped_;
      continue;
    }
    if (!first_s_) first_s_ = *seconds;
    const double after = std::clamp(*seconds - *first_s_, 0.0, kMostSeconds);
    request.at_ns = static_cast<Nanos>(after * kNanosPerSecond);
    request.input = *input;
    request.output = *output;
    return true;
  }
}

Result<bool> TraceReader::next_conversation(TraceRequest& request) {
  while (turns_.empty()) {
    char mark = 0;
    const auto there = text_->peek_mark(mark);
    if (!there) return there;
    if (!*there) return fail(bad("the list of conversations has no end"));
    if (mark == ']') return false;
    if (mark == ',') {
      text_->take();
      continue;
    }
    std::string value;
    if (const auto read = text_->next_value(value); !read) return read;
    if (Status taken = take_conversation(value); !taken) return fail(taken.error());
  }
  request = turns_.back();
  turns_.pop_back();
  return true;
}

/// Makes requests of pairs of what a human and what the model said; each
/// repeats the turns before it.
Status TraceReader::take_conversation(const std::string& text) {
  const json record = json::parse(text, nullptr, false);
  if (!record.is_object()) return fail(bad("a record is no JSON object"));
  const uint64_t session = conversations_++;
  const auto parts = record.find("conversations");
  if (parts == record.end() || !parts->is_array()) return fail(bad("a record has no conversations"));
  uint64_t before = 0, asked = 0;
  bool open = false;
  for (const json& part : *parts) {
    const auto who = part.find("from"), what = part.find("value");
    if (who == part.end() || what == part.end() || !who->is_string() || !what->is_string()) continue;
    const uint64_t tokens = std::max<uint64_t>(1, what->get_ref<const std::string&>().size() / kCharactersPerToken);
    if (*who == "human") {
      asked = tokens;
      open = true;
    } else if (*who == "gpt" && open) {
      TraceRequest turn;
      turn.input = before + asked;
      turn.output = tokens;
      turn.session = session;
      turns_.push_back(std::move(turn));
      before += asked + tokens;
      open = false;
    }
  }
  std::reverse(turns_.begin(), turns_.end());
  return {};
}

}  // namespace mlps::kvcache
