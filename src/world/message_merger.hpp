#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mlps::world {

/// Merges messages of several hosts, so that a mistake of thirty hosts is one line.
class MessageMerger {
 public:
  /// Messages with the same `essence` are merged; by default the essence is the whole message.
  explicit MessageMerger(std::function<std::string(std::string_view)> essence = {}) : essence_(std::move(essence)) {}

  void add(const std::string& host, const Error& error);

  /// Returns each message once, with "host b: " or "hosts b, c: " before it, unless `everybody` hosts or more have it
  /// in common.
  std::vector<Error> errors(size_t everybody = SIZE_MAX) const;
  /// Returns each message once, without host names.
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
