#include "cli/flag_help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace mlps::cli {
namespace {

std::string value_form(const Flag& flag, Mode mode) {
  if (flag.kind == FlagKind::kSwitch) return {};
  if (flag.kind != FlagKind::kChoice || !flag.value_name.empty()) return std::string(value_word(flag));
  return fmt::format("{{{}}}", join(choices_of(flag, mode), ","));
}

// Of the topics of help; every other flag says what is done.
constexpr std::array<std::string_view, kFlagTopics.size()> kTopicNames = {
    "",
    "results-dir systemname host port user collection database-name tls ca-file storage-root storage-type output out "
    "config-file config workload-file",
    "o-direct fadvise io-workers io-depth io-part-size io-memory storage-patience proxy inject-fault verify dry-run "
    "loops "
    "read-ahead drop-caches-timeout-seconds kv-io cache-state cache-memory beam-width payload cleanup seed "
    "skip-validation skip-fs-separation-gate allow-invalid-params verify-lockfile request-timeout ready-timeout "
    "build-memory gt-cache-dir",
    "hosts exec-type mpi-bin mpi-btl mpi-params oversubscribe allow-run-as-root npernode num-client-hosts "
    "client-host-memory-in-gb",
    "json quiet verbose debug stream-log-level color label op-log csv metrics live-json timeseries-interval "
    "skip-timeseries max-timeseries-samples emit-fio io-trace",
};

}  // namespace

size_t flag_topic(const Flag& flag) {
  if (flag.kind == FlagKind::kLocation) return 1;
  for (size_t topic = 0; topic < kTopicNames.size(); ++topic) {
    const std::vector<std::string> names = split(kTopicNames[topic], " ");
    if (std::find(names.begin(), names.end(), flag.name) != names.end()) return topic;
  }
  return 0;
}

std::vector<const Flag*> sorted_flags(const CommandSyntax& command) {
  std::vector<const Flag*> flags = command.flags();
  std::erase_if(flags, [&](const Flag* flag) { return !command.is(flag->commands); });
  std::sort(flags.begin(), flags.end(), [](const Flag* a, const Flag* b) { return a->name < b->name; });
  return flags;
}

std::string flag_form(const Flag& flag, Mode mode) {
  std::string form = typed_name(flag);
  if (!flag.short_name.empty()) form += fmt::format(", -{}", flag.short_name);
  const std::string value = value_form(flag, mode);
  if (!value.empty()) form += fmt::format(" {}", value);
  return form;
}

std::string flag_text(const Flag& flag) {
  std::string text(flag.text);
  if (!flag.default_text.empty()) text += fmt::format(" Default: {}.", flag.default_text);
  if (!flag.variable.empty()) text += fmt::format(" Environment: {}.", flag.variable);
  return text;
}

std::string flag_remarks(const CommandSyntax& command, const Flag& flag) {
  std::string remarks;
  const ModeMask modes = command.modes_of(flag);
  if (modes != kAllModes) remarks += fmt::format(" Only {}.", mode_names(modes));
  if (command.is(flag.required)) {
    remarks += flag.required_modes == kAllModes ? " Required."
                                                : fmt::format(" Required in {}.", mode_names(flag.required_modes));
  }
  if (flag.user_file) remarks += " Also in the per-user file.";
  return remarks;
}

}  // namespace mlps::cli
