#include "benchmarks/kvcache/command/options.hpp"

#include <fmt/format.h>

namespace mlps::cli {

RankDemand ranks_of(const KvCacheOptions& options) {
  return {options.num_processes, true};
}

Result<Location> folder_of(const KvCacheOptions& options, const Environment& environment) {
  // What --kv-io direct means for a path is what --o-direct means.
  const bool object = options.protocol == AccessProtocol::kObject;
  const auto typed = parse_location(options.cache_dir);
  const bool is_null = typed && typed->scheme() == Scheme::kNull;
  const bool direct = options.settings.io == kvcache::KvIo::kDirect && !object && !is_null;
  return checkpoint_location(options.cache_dir, options.protocol.value_or(AccessProtocol::kFile), direct, environment);
}

std::vector<std::pair<std::string, std::string>> rows_of(const KvCacheOptions& options) {
  std::vector<std::pair<std::string, std::string>> rows;
  if (!options.cache_dir.empty()) rows.emplace_back("cache_dir", options.cache_dir);
  if (options.protocol) rows.emplace_back("data_access_protocol", protocol_name(options));
  rows.emplace_back("num_processes", std::to_string(options.num_processes));
  if (options.settings.paged) rows.emplace_back("trace", options.settings.paged->trace);
  for (const kvcache::OptionPlan& option : options.settings.options) {
    if (options.settings.paged) break;
    rows.emplace_back(fmt::format("option {}", option.number),
                      fmt::format("{}, {} users, {} s", option.model.key, option.users, option.duration_s));
  }
  rows.emplace_back("trials", std::to_string(options.settings.trials));
  return rows;
}

}  // namespace mlps::cli
