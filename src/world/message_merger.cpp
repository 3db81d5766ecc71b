#include "world/message_merger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace mlps::world {

void MessageMerger::add(const std::string& host, const Error& error) {
  const std::string essence = essence_ ? essence_(error.message) : error.message;
  const auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& other) {
    return other.error.code == error.code && other.error.suggestion == error.suggestion && other.essence == essence;
  });
  if (line == lines_.end()) {
    lines_.push_back({error, essence, {host}});
    return;
  }
  if (line->error.details != error.details) line->details_differ = true;
  if (std::find(line->hosts.begin(), line->hosts.end(), host) == line->hosts.end()) line->hosts.push_back(host);
}

std::vector<Error> MessageMerger::errors(size_t everybody) const {
  std::vector<Error> result;
  for (const Line& line : lines_) {
    Error& error = result.emplace_back(line.error);
    if (line.hosts.size() >= everybody) continue;
    error.message =
        fmt::format("{} {}: {}", line.hosts.size() == 1 ? "host" : "hosts", join(line.hosts, ", "), error.message);
    // Request numbers and the like differ: those of one host are enough to look into it.
    if (line.details_differ) error.details = fmt::format("host {}: {}", line.hosts.front(), error.details);
  }
  return result;
}

}  // namespace mlps::world
