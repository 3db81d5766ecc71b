#include "benchmarks/training/command/rules.hpp"

#include <fmt/format.h>

namespace mlps::cli {
namespace {

using workloads::ParamVerdict;

// Below this, a run on one host draws a remark of the submission checker (rule 3.3.3).
constexpr uint32_t kFewAccelerators = 4;

class Judge {
 public:
  Judge(const TrainingOptions& options, const TrainingRulesInput& input) : options_(options), input_(input) {}

  TrainingRulesOutcome judge() {
    for (const workloads::ParamFinding& finding : input_.params) add_param(finding);
    if (!options_.workload_file.empty()) {
      add(ParamVerdict::kInvalid, "--workload-file replaces the workload of the rules", {});
    }
    const bool granted = input_.files + 1 == input_.minimum_files;
    if (granted && options_.common.mode != Mode::kWhatif) {
      outcome_.warnings.push_back(fmt::format(
          "dataset.num_files_train={} is one file below the rules' minimum of {}: data sets of versions "
          "before 3.0.43, which rounded down, have that many; the rules' checker grants it in the round, and not "
          "after it (rule 3.1.2)",
          input_.files, input_.minimum_files));
    }
    if (!granted && input_.files < input_.minimum_files) {
      add(ParamVerdict::kInvalid,
          fmt::format("dataset.num_files_train={} is below the rules' minimum of {}", input_.files,
                      input_.minimum_files),
          fmt::format("'mlpstorage {} training ... datasize' explains the minimum", mode_name(options_.common.mode)),
          "rule 3.1.2");
    }
    if (options_.common.mode != Mode::kWhatif) add_remarks();
    outcome_.division = worst_ == ParamVerdict::kInvalid ? "INVALID"
                        : worst_ == ParamVerdict::kOpen  ? "OPEN"
                                                         : "CLOSED";
    return std::move(outcome_);
  }

 private:
  void add_param(const workloads::ParamFinding& finding) {
    if (finding.verdict == ParamVerdict::kClosed || finding.verdict == ParamVerdict::kIgnored) return;
    // The ids are those by which `validate` tells the same.
    const char* const rule = options_.common.mode == Mode::kClosed ? "rule 3.6.2" : "rule 3.6.3";
    add(finding.verdict, fmt::format("--params {}: {}", finding.key, finding.reason), {}, rule);
  }

  void add(ParamVerdict verdict, std::string message, std::string suggestion, std::string rule = {}) {
    const bool invalid = verdict == ParamVerdict::kInvalid;
    if (worst_ != ParamVerdict::kInvalid) worst_ = verdict;
    if (options_.common.mode == Mode::kWhatif || (options_.common.mode == Mode::kOpen && !invalid)) return;
    if (options_.common.mode == Mode::kOpen && options_.common.allow_invalid_params) {
      outcome_.warnings.push_back(message + " (--allow-invalid-params: the run is INVALID)");
      return;
    }
    if (suggestion.empty()) {
      suggestion = invalid ? "leave it out; whatif runs anything, open does with --allow-invalid-params"
                           : "leave it out, or run it as 'open'";
    }
    outcome_.errors.push_back({invalid ? ErrorCode::kValidationInvalid : ErrorCode::kValidationOpenOnly,
                               std::move(message), std::move(rule), std::move(suggestion)});
  }

  void add_remarks() {
    const size_t hosts = options_.hosts.hosts.size();
    if (hosts == 1 && options_.processes < kFewAccelerators) {
      outcome_.warnings.push_back(fmt::format("{} accelerator{} per host: the submission checker objects below {}",
                                              options_.processes, options_.processes == 1 ? "" : "s",
                                              kFewAccelerators));
    }
    if (hosts > 1 && options_.processes % hosts != 0) {
      outcome_.warnings.push_back(
          fmt::format("{} accelerators can't be spread evenly over {} hosts", options_.processes, hosts));
    }
  }

  const TrainingOptions& options_;
  const TrainingRulesInput& input_;
  TrainingRulesOutcome outcome_;
  ParamVerdict worst_ = ParamVerdict::kClosed;
};

}  // namespace

TrainingRulesOutcome judge_training(const TrainingOptions& options, const TrainingRulesInput& input) {
  return Judge(options, input).judge();
}

}  // namespace mlps::cli
