#include "flags/effects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace mlps::cli {
namespace {

struct Rule {
  std::string_view flag;
  bool (*applies)(const CommandLine& line, const BenchmarkOptions& options);
  std::string_view why;
};

bool has_slots(const BenchmarkOptions& options) {
  const auto& hosts = options.hosts.hosts;
  return std::any_of(hosts.begin(), hosts.end(), [](const auto& host) { return host.find(':') != std::string::npos; });
}

bool no_series(const CommandLine& /*line*/, const BenchmarkOptions& options) {
  return options.skip_timeseries;
}

bool is_object(const CommandLine& line, const BenchmarkOptions& /*options*/) {
  return line.protocol == AccessProtocol::kObject;
}

bool is_file(const CommandLine& line, const BenchmarkOptions& /*options*/) {
  return line.protocol == AccessProtocol::kFile;
}

constexpr auto kRules = std::to_array<Rule>({
    {"proxy", is_file, "files are on no server"},
    {"storage-patience", is_file, "files are on no server"},
    {"timeseries-interval", no_series, "--skip-timeseries takes no samples"},
    {"max-timeseries-samples", no_series, "--skip-timeseries takes no samples"},
    {"fadvise", is_object, "objects are in no page cache"},
    {"fadvise", [](const auto& line, const auto& options) { return !is_object(line, options) && options.o_direct; },
     "--o-direct goes past the page cache"},
    {"drop-caches-timeout-seconds", is_object, "objects are in no page cache"},
    {"loops",
     [](const auto& line, const auto& options) { return options.common.loops > 1 && !line.command.is(kMeasures); },
     "only 'run' is repeated"},
    {"loops",
     [](const auto& line, const auto& options) {
       return options.common.loops > 1 && line.command.is(kMeasures) && options.common.dry_run;
     },
     "a dry run prints the plan once"},
    {"allow-invalid-params", [](const auto&, const auto& options) { return options.common.mode == Mode::kWhatif; },
     "whatif stops at no rule"},
    {"oversubscribe",
     [](const auto&, const auto& options) { return options.hosts.hosts.size() == 1 && !has_slots(options); },
     "--hosts names one host, without a number of slots"},
});

bool given(const CommandLine& line, std::string_view flag) {
  const auto found = line.tokens.settings.find(flag);
  return found != line.tokens.settings.end() &&
         found->second.source <= Source::kEnvironment;  // by the user, for this command
}

}  // namespace

std::vector<std::string> flags_without_effect(const CommandLine& line, const BenchmarkOptions& options) {
  std::vector<std::string> warnings;
  for (const Flag* flag : line.command.flags()) {
    const bool counts = !flag->no_effect.empty() && line.command.has(*flag);
    if (counts && line.tokens.settings.contains(flag->name)) {
      warnings.push_back(fmt::format("{} has no effect: {}", typed_name(*flag), flag->no_effect));
    }
  }
  for (const Rule& rule : kRules) {
    if (!given(line, rule.flag) || !rule.applies(line, options)) continue;
    warnings.push_back(fmt::format("--{} has no effect: {}", rule.flag, rule.why));
  }
  std::map<std::string, std::string> last;
  for (const auto& [key, value] : options.common.params) {
    const auto [place, is_new] = last.try_emplace(key, value);
    if (is_new || place->second == value) continue;
    warnings.push_back(fmt::format("--params {} is given twice: {} counts, {} doesn't", key, value, place->second));
    place->second = value;
  }
  return warnings;
}

}  // namespace mlps::cli
