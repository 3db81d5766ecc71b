// An operation log as anyone may have written it: it ends, in an error of one line or in a plan that can be played.
#include <algorithm>

#include "base/zstd.hpp"
#include "fuzz.hpp"
#include "replay/plan.hpp"

namespace {

void read(std::string_view text) {
  using namespace mlps;
  const auto source = [&text](std::span<char> room) -> Result<size_t> {
    const size_t count = std::min(room.size(), text.size());
    std::copy_n(text.data(), count, room.data());
    text.remove_prefix(count);
    return count;
  };
  replay::LogReader reader(source, "log");
  replay::Planner planner("");
  replay::LogLine line;
  for (;;) {
    const auto there = reader.next(line);
    if (!there) {
      for (const char c : there.error().message) fuzz::require(c != '\n' && c != '\0', "an error is one line");
      return;
    }
    if (!*there) break;
    (void)planner.add(line);
  }
  const auto plan = planner.plan();
  if (!plan) return;
  uint64_t parts = 0;
  for (const replay::ObjectState& state : plan->states) {
    fuzz::require(state.before == replay::kNone || plan->states[state.before].name == state.name,
                  "an order is of one object");
    parts += state.makers + state.readers;
  }
  fuzz::require(parts == plan->operations.size(), "every operation belongs to a state");
  for (const replay::PlannedOperation& operation : plan->operations) {
    fuzz::require(operation.due_ns >= 0, "nothing comes before the first");
    const std::string& name = plan->names[plan->states[operation.state].name];
    fuzz::require(("/" + name + "/").find("/../") == std::string::npos && !name.starts_with("/"),
                  "names stay below the location");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view text = fuzz::text_of(data, size);
  read(text);
  std::string compressed;
  ZstdCompressor compressor;
  if (compressor.compress(text, ZstdCompressor::Then::kEnd, compressed)) read(compressed);
  return 0;
}
