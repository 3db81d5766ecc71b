#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mlps::world {

/// Gathers what hosts have to say, each thing once, so that a mistake of thirty hosts is one line.
class MessageMerger {
 public:
  /// Messages with the same `essence` say the same; by default the message itself.
  explicit MessageMerger(std::function<std::string(std::string_view)> essence = {}) : essence_(std::move(essence)) {}

  void add(const std::string& host, const Error& error);

  /// Everything, with "host b: " or "hosts b, c: " before each message; not before one that `everybody` hosts or more
  /// have in common.
  std::vector<Error> errors(size_t everybody = SIZE_MAX) const;
  /// The same without saying whose they are.
  std::vector<Error> nameless() const { return errors(0); }

 private:
  struct Line {
    Error error;
    std::string essence;
    std::vector<std::string> hosts;
    bool details_differ = false;
  };
  std::function<std::string(std::string_view)> essence_;
  std::vector<Line> lines_;
};

}  // namespace mlps::world
