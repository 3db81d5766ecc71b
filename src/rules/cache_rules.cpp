#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "rules/cache_figures.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"

/// Rules 6.x: kv_cache. The checker of mlpstorage 3.0 names them and looks at nothing.
namespace mlps::rules {
namespace {

struct ClosedOption {
  const char* number;
  const char* model;
  double users, duration, gpu_gb, cpu_gb, allocations;
};
constexpr std::array<ClosedOption, 3> kClosedOptions = {{{"1", "llama3.1-8b", 200, 300, 0, 0, 16},
                                                         {"2", "llama3.1-8b", 100, 300, 0, 4, 16},
                                                         {"3", "llama3.1-70b-instruct", 70, 300, 0, 0, 4}}};

// Old metadata hold defaults of the command line in place of what ran: those say nothing.
void check_options(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node options = leaf->parameters()["options"];
    if (!options.is_object()) continue;
    for (const ClosedOption& wanted : kClosedOptions) {
      const Node option = options[wanted.number];
      const std::string key = fmt::format("parameters.options.{}", wanted.number);
      if (option["model"].text_or("") != wanted.model) {
        judge.add(metadata_path(*leaf), key + ".model",
                  fmt::format("is {}; closed has {}", option["model"].dump(), wanted.model));
      }
      for (const auto& [name, value] : {std::pair{"num_users", wanted.users},
                                        {"duration", wanted.duration},
                                        {"gpu_mem_gb", wanted.gpu_gb},
                                        {"cpu_mem_gb", wanted.cpu_gb},
                                        {"max_concurrent_allocs", wanted.allocations}}) {
        if (option[name].number() != value) {
          judge.add(metadata_path(*leaf), fmt::format("{}.{}", key, name),
                    fmt::format("is {}; closed has {:g}", option[name].dump(), value));
        }
      }
    }
  }
}

void check_sequence(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node sequence = leaf->parameters()["sequence"];
    if (!sequence.is_object()) continue;
    for (const auto& [name, value] : {std::pair{"seed", 42.0}, {"trials", 3.0}, {"inter_option_delay_s", 90.0}}) {
      if (sequence[name].number() != value) {
        judge.add(metadata_path(*leaf), fmt::format("parameters.sequence.{}", name),
                  fmt::format("is {}; closed has {:g}", sequence[name].dump(), value));
      }
    }
    const Node config = sequence["config"];
    if (config.has_value() && config.text_or("") != "default") {
      judge.add(metadata_path(*leaf), "parameters.sequence.config",
                fmt::format("is {}; closed runs the default configuration", config.dump()));
    }
  }
}

// The command line's own default, true, was never passed on; what ran stands in the features.
void check_autoscaling(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node features = leaf->parameters()["features"];
    for (const std::string& key : features.keys()) {
      if (key.find("autoscal") != std::string::npos && features[key].boolean() == true) {
        judge.add(metadata_path(*leaf), "parameters.features." + key, "is true; closed has no autoscaling");
      }
    }
  }
}

void check_cache_paths(const Tree& tree, const Workload& workload, Judge& judge) {
  check_separate_arguments(workload, {"cache_dir"}, judge);
  check_separation(tree, workload, judge);
}

// mlpstorage 3.0 knows plain files only; of this program, whose runs of open may do otherwise, the arguments tell.
void check_io_model(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const Node args = leaf->args();
    if (args["o_direct"].boolean() == true) {
      judge.add(metadata_path(*leaf), "args.o_direct", "is true; closed reads what it wrote and synced as plain files");
    }
    if (const auto way = args["kv_io"].text(); way && *way == "direct") {
      judge.add(metadata_path(*leaf), "args.kv_io", "is direct; closed has plain files (compat)");
    }
  }
}

void check_gateway(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    const std::string folder = leaf->args()["cache_dir"].text_or("");
    const char* const key = leaf->args()["data_access_protocol"].text_or("") == "object" ? "args.data_access_protocol"
                            : folder.find("://") != std::string::npos                    ? "args.cache_dir"
                                                                                         : nullptr;
    if (key != nullptr) {
      judge.add(metadata_path(*leaf), key, "names object storage; closed reaches it through a file system");
    }
  }
}

void check_invocation(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "open") return;
  for (const Leaf* leaf : workload.of("run")) {
    if (!leaf->metadata.is_there() || leaf->metadata["executed_command"].text()) continue;
    judge.add(metadata_path(*leaf), "executed_command", "is missing: nothing tells what was invoked");
  }
}

void check_immutable(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.division != "closed") return;
  for (const Leaf* leaf : workload.of("run")) {
    for (const std::string& key : leaf->metadata["override_parameters"].keys()) {
      if (key.starts_with("storage.")) continue;  // the tool's own
      judge.add(metadata_path(*leaf), "override_parameters." + key,
                "closed varies the system's name, folders, hosts and the number of clients only");
    }
  }
}

using enum Example::Change;
constexpr std::string_view kCacheMetadata =
    "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/kv_cache_*_metadata.json";

const std::vector<Rule>& rules_of_cache() {
  static const std::vector<Rule> kRules = {
      {"6.3.1.1",
       "kvcacheFixedWorkloadPerOption",
       kCache,
       "closed runs the three options with their fixed values.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "parameters.options.1.num_users", "200", "20"},
       &check_options},
      {"6.3.2.1",
       "kvcacheClosedSequenceLocks",
       kCache,
       "closed has seed 42, 3 trials, 90 s between the options, and the default configuration.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "parameters.sequence.trials", "3", "1"},
       &check_sequence},
      {"6.3.2.2",
       "kvcacheAutoscalingProhibited",
       kCache,
       "closed has no autoscaling.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "parameters.features.autoscaling", "false", "true"},
       &check_autoscaling},
      {"6.4.1",
       "kvcachePosixCacheDir",
       kCache,
       "The cache folder and the results folder are given and differ; with files they lie on different file systems, "
       "and the run shows it.",
       kWarningThroughRound,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "args.cache_dir", "\"/cache\"", "null"},
       &check_cache_paths},
      {"6.4.2",
       "kvcachePosixIoModel",
       kCache,
       "closed writes entries as plain files, syncs them, and reads them after their pages were dropped.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "args.o_direct", "false", "true"},
       &check_io_model},
      {"6.5.1",
       "kvcacheObjectViaGateway",
       kCache,
       "closed reaches object storage through a file system (a gateway, a mount), never by its own protocol.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "args.data_access_protocol", "\"file\"", "\"object\""},
       &check_gateway},
      {"6.6.1",
       "kvcacheClosedImmutable",
       kCache,
       "closed varies the system's name, folders, hosts and the number of clients only.",
       kAlwaysError,
       kLooksAtNothing,
       {kSet, kCacheMetadata, "override_parameters", "{}", "{\"decode.batch_size\": \"8\"}"},
       &check_immutable},
      {"6.6.3",
       "kvcacheOpenInvocationNote",
       kCache,
       "The metadata of an open run have the command that was executed.",
       kWarningThroughRound,
       kLooksAtNothing,
       {kSet, "open/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/kv_cache_*_metadata.json", "executed_command", "",
        "null"},
       &check_invocation},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> cache_rules() {
  return rules_of_cache();
}

}  // namespace mlps::rules
