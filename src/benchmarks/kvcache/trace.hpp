#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "benchmarks/kvcache/trace_text.hpp"

/// Traces of requests that others have recorded.
namespace mlps::kvcache {

enum class TraceFormat { kMooncake, kBailian, kBurstGpt, kAzure, kShareGpt };
/// Returns "mooncake", "bailian", "burstgpt", "azure", "sharegpt".
std::string_view trace_format_name(TraceFormat format);

struct TraceRequest {
  Nanos at_ns = 0;      ///< after the first request of the trace
  uint64_t input = 0;   ///< tokens of the prompt
  uint64_t output = 0;  ///< tokens generated
  /// Blocks of the prompt, where the trace has them: a number stands for a
  /// block and all that goes before it.
  std::vector<uint64_t> blocks;
  /// Where it has none: the conversation whose earlier turns the prompt
  /// repeats, and how many tokens these have.
  std::optional<uint64_t> session;
};

inline constexpr uint64_t kMostTraceTokens = 100'000'000;  ///< of a request

/// Reads requests one after the other, whatever the size of the trace. The
/// format is told by the beginning of the file: JSON lines with `hash_ids`
/// (with `chat_id`: Bailian, blocks of 16 tokens and seconds; else Mooncake,
/// 512 and milliseconds), a JSON list of `conversations` (ShareGPT), or a head
/// line of CSV (BurstGPT, Azure LLM 2023 and 2024). Hostile input is refused
/// with E104, file and line.
class TraceReader {
 public:
  static Result<std::unique_ptr<TraceReader>> open(const std::string& path);

  TraceFormat format() const { return format_; }
  /// Returns the tokens of a block of the trace; 0: it has none.
  uint64_t block_tokens() const;
  /// Reads the next request; false at the end.
  Result<bool> next(TraceRequest& request);
  /// Begins with the first request again.
  Status rewind();
  /// Rows that are no requests: failed ones, or those without a number where
  /// one belongs (CSV only).
  uint64_t skipped() const { return skipped_; }

 private:
  explicit TraceReader(std::unique_ptr<TraceText> text) : text_(std::move(text)) {}
  Status recognise();
  Status begin();
  Result<bool> next_json(TraceRequest& request);
  Result<bool> next_csv(TraceRequest& request);
  Result<bool> next_conversation(TraceRequest& request);
  Status take_conversation(const std::string& text);
  Error bad(std::string what) const;

  std::unique_ptr<TraceText> text_;
  TraceFormat format_ = TraceFormat::kMooncake;
  std::optional<double> first_s_;
  uint64_t skipped_ = 0, conversations_ = 0;
  std::vector<TraceRequest> turns_;  // ShareGPT: of the current conversation, the next one last
};

}  // namespace mlps::kvcache
