#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "results/json_text.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {

/// Writes one JSON object, indented by four as DLIO has it, without holding it in memory: for texts with a number per
/// step. Keeps the first error of the sink, and writes nothing after it.
class JsonStream {
 public:
  explicit JsonStream(const Sink& sink) : sink_(sink) { put("{"); }

  void member(std::string_view name, const Json& value);
  void begin_object(std::string_view name);
  void end_object();
  void begin_list(std::string_view name);
  void seconds(Nanos ns);  ///< a list element, exact to the nanosecond
  void end_list();
  /// Closes the outermost object.
  Status finish();

 private:
  void put(std::string_view text);
  void next_line();  // the comma of what went before, and the margin of what comes

  const Sink& sink_;
  Status status_;
  size_t depth_ = 1;
  bool first_ = true;  // nothing stands in the innermost container yet
  std::string scratch_;
};

}  // namespace mlps::results
