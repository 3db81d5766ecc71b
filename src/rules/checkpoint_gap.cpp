#include "rules/checkpoint_gap.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rules/rule.hpp"

/// Rules 4.7: how many checkpoints the runs wrote and read, and what lay between.
namespace mlps::rules {
namespace {

constexpr double kMostGapSeconds = 30;
constexpr double kClosedCheckpoints = 10;

// A combined run writes and reads ten; a split one writes ten, then reads ten.
void check_structure(const Workload& workload, const std::vector<const Leaf*>& runs, Judge& judge) {
  if (judge.terms().as_3046 || workload.place.division != "closed") return;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const bool writes : {true, false}) {
      const double wanted = runs.size() == 1 || writes == (i == 0) ? kClosedCheckpoints : 0;
      const char* const key = writes ? "num_checkpoints_write" : "num_checkpoints_read";
      const auto count = runs[i]->args()[key].number();
      if (count && *count != wanted) {
        judge.add(
            Severity::kError, metadata_path(*runs[i]), fmt::format("args.{}", key),
            fmt::format("is {:g}; closed wants {:g} in this run: 10 and 10 in one, or 10 and 0 followed by 0 and 10",
                        *count, wanted));
      }
    }
  }
}

// What else tells whether a run read from its storage, and not from memory.
std::string read_evidence(const Tree& tree, const Leaf& reader) {
  Problems ignored;
  const Document record = tree.json(joined(reader.place.path, "mlpstorage_record.json"), ignored);
  const auto cached = record.at("read.metrics.cached_share").number();
  const bool direct = reader.args()["o_direct"].boolean() == true;
  return fmt::format("; {}{}", direct ? "it read with O_DIRECT, " : "",
                     cached ? fmt::format("{:.1f} % of what it read lay in the page cache before", 100 * *cached)
                            : std::string("nothing tells how much of what it read lay in the page cache"));
}

void check_cold_reads(const Tree& tree, const Workload& workload, Judge& judge) {
  const std::vector<const Leaf*> runs = workload.of("run");
  check_structure(workload, runs, judge);
  if (runs.size() != 2) return;  // a combined run has no gap
  const CheckpointGap gap = gap_between(*runs[0], *runs[1]);
  const std::string path = metadata_path(*runs[1]);
  if (!gap.seconds) {
    judge.add(path, "invocation_start_time", gap.why_unknown);
  } else if (*gap.seconds < 0) {
    judge.add(
        Severity::kWarning, path, gap.start_origin,
        fmt::format("is {:.1f} s before the end of the run that wrote ({}): the clocks disagree, the gap is not judged",
                    -*gap.seconds, gap.end_origin));
  } else if (*gap.seconds > kMostGapSeconds) {
    judge.add(path, gap.start_origin,
              fmt::format("is {:.1f} s after the end of the run that wrote ({}); the rules allow 30 s{}", *gap.seconds,
                          gap.end_origin, read_evidence(tree, *runs[1])));
  }
}

// The end of a run's program, else of what it measured.
std::optional<double> first_moment(std::initializer_list<Node> values) {
  for (const Node& value : values) {
    if (const auto moment = parse_moment(value.text_or(""))) return moment;
  }
  return std::nullopt;
}

void check_total_duration(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const std::vector<const Leaf*> runs = workload.of("run");
  if (runs.size() != 2) return;
  const auto start = first_moment({runs[0]->metadata["invocation_start_time"], runs[0]->summary["start"]});
  const auto end = first_moment({runs[1]->metadata["invocation_end_time"], runs[1]->summary["end"]});
  if (!start || !end) {
    return judge.add(Severity::kError, workload.place.path, "",
                     start ? "the run that reads has no readable end" : "the run that wrote has no readable start");
  }
  judge.add(
      workload.place.path, "",
      fmt::format("from the start of the run that wrote to the end of the one that read: {:.0f} s", *end - *start));
}

void check_remapping(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const auto declared = workload.system.at("system_under_test.solution.capabilities.remap_time_in_seconds").number();
  const std::vector<const Leaf*> runs = workload.of("run");
  if (!declared || *declared <= 0 || runs.size() != 2) return;
  const CheckpointGap gap = gap_between(*runs[0], *runs[1]);
  if (gap.seconds && *gap.seconds >= 0 && *gap.seconds < *declared / 2) {
    judge.add(metadata_path(*runs[1]), gap.start_origin,
              fmt::format("is {:.1f} s after the end of the run that wrote; the description of the system says that "
                          "remapping takes {:g} s",
                          *gap.seconds, *declared));
  }
}

void check_simultaneous(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const Node can = workload.system.at("system_under_test.solution.capabilities");
  for (const char* key : {"simultaneous_write", "simultaneous_read"}) {
    for (const Leaf* leaf : workload.of("run")) {
      const auto hosts = leaf->summary["num_hosts"].number();
      if (can[key].boolean() == false && hosts && *hosts > 1) {
        judge.add(summary_path(*leaf), "num_hosts",
                  fmt::format("is {:g}; the description of the system says {}: false", *hosts, key));
      }
    }
  }
}

using enum Example::Change;

const std::vector<Rule>& rules_of_checkpoint_times() {
  static const std::vector<Rule> kRules = {
      {"4.7.1",
       "checkpointCacheFlushValidation",
       "checkpointing",
       "closed writes ten and reads ten, in one run or in two; between two lie at most 30 s, from the end of the "
       "program that wrote to the "
       "start of the one that reads.",
       kWarningInRound,
       Deviation("looks at the times only, never at the numbers of checkpoints", false),
       {kSet, "closed/ORG/results/SYSTEM/checkpointing/llama3-8b/*/checkpointing_*_metadata.json",
        "args.num_checkpoints_write", "10", "3"},
       &check_cold_reads},
      {"4.7.2",
       "checkpointTotalTestDuration",
       "checkpointing",
       "Where one run writes and another reads, the time from the start of the first to the end of the second is "
       "known.",
       {Severity::kInfo, Severity::kInfo, Severity::kInfo},
       "",
       {},
       &check_total_duration},
      {"4.7.3",
       "checkpointRemappingTimeReporting",
       "checkpointing",
       "Where remapping takes time, at least half of it lies between the run that writes and the one that reads.",
       kAlwaysError,
       "",
       {kSet, "open/ORG/systems/SYSTEM.yaml", "system_under_test.solution.capabilities.remap_time_in_seconds", "0",
        "100"},
       &check_remapping},
      {"4.7.4",
       "checkpointSimultaneousRwSupport",
       "checkpointing",
       "A system that several hosts used at once is described as one that can be.",
       kAlwaysWarning,
       "",
       {kSet, "open/ORG/systems/SYSTEM.yaml", "system_under_test.solution.capabilities.simultaneous_write", "true",
        "false"},
       &check_simultaneous},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> checkpoint_time_rules() {
  return rules_of_checkpoint_times();
}

CheckpointGap gap_between(const Leaf& writer, const Leaf& reader) {
  // The program's own start and end count, so that the collection of facts before and after is no part of the gap.
  struct Source {
    Node value;
    const char* origin;
  };
  const auto first = [](std::initializer_list<Source> sources) {
    for (const Source& source : sources) {
      if (parse_moment(source.value.text_or(""))) return source;
    }
    return Source{{}, ""};
  };
  const Source end = first({{writer.metadata["invocation_end_time"], "invocation_end_time"},
                            {writer.summary["end_time"], "end_time of summary.json"},
                            {writer.summary["end"], "end of summary.json"}});
  const Source start = first({{reader.metadata["invocation_start_time"], "invocation_start_time"},
                              {reader.metadata["run_datetime"], "run_datetime"},
                              {reader.summary["start"], "start of summary.json"}});
  CheckpointGap gap{{}, end.origin, start.origin, {}};
  bool end_aware = false;
  bool start_aware = false;
  const auto from = parse_moment(end.value.text_or(""), &end_aware);
  const auto to = parse_moment(start.value.text_or(""), &start_aware);
  if (!from || !to) {
    gap.why_unknown = from ? "the run that reads has no readable start" : "the run that wrote has no readable end";
  } else if (end_aware != start_aware) {
    gap.why_unknown = "one of the moments names its zone and the other doesn't: the clocks can't be compared";
  } else {
    gap.seconds = *to - *from;
  }
  return gap;
}

}  // namespace mlps::rules
