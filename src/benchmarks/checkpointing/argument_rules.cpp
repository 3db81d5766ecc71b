#include "benchmarks/checkpointing/argument_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/units.hpp"
#include "base/version.hpp"
#include "flags/accelerators.hpp"

namespace mlps::checkpointing {
namespace {

using workloads::CheckpointWorkload;

constexpr uint32_t kSubsetProcesses = 8;
constexpr uint32_t kDefaultAcceleratorGb = 80;

class Checker {
 public:
  Checker(const Arguments& arguments, const CheckpointWorkload& workload)
      : arguments_(arguments), workload_(workload) {}

  ArgumentFindings run() {
    check_counts();
    check_processes();
    check_subset_claim();
    if (arguments_.mode != cli::Mode::kWhatif) {
      check_accelerators();
      check_host_memory();
    }
    check_fsync();
    return std::move(findings_);
  }

 private:
  // `rule` is its id, as `validate` has it for a run that broke it.
  void error(ErrorCode code, std::string message, std::string suggestion, std::string rule = {}) {
    if (!rule.empty()) rule = "rule " + rule;
    findings_.errors.push_back({code, std::move(message), std::move(rule), std::move(suggestion)});
  }
  void warn(std::string message) { findings_.warnings.push_back(std::move(message)); }

  // A verdict: in open it can be waved through, in closed it can't.
  void invalid(std::string message, std::string suggestion) {
    if (arguments_.mode == cli::Mode::kOpen && arguments_.allow_invalid_params) {
      findings_.is_invalid = true;
      warn(fmt::format("{} (allowed by --allow-invalid-params; the run is INVALID)", message));
    } else {
      error(ErrorCode::kValidationInvalid, std::move(message), std::move(suggestion));
    }
  }

  void check_counts() {
    const bool closed = arguments_.mode == cli::Mode::kClosed;
    if (arguments_.checkpoints_to_write == 0 && arguments_.checkpoints_to_read == 0) {
      error(
          ErrorCode::kConfigInvalid, "--num-checkpoints-write 0 and --num-checkpoints-read 0: nothing to measure",
          closed ? "closed takes 10 and 10 in one run, or 10 and 0 followed by 0 and 10" : "write or read at least 1");
    }
    if (!closed) return;
    const std::array<std::pair<const char*, uint32_t>, 2> counts = {
        {{"--num-checkpoints-write", arguments_.checkpoints_to_write},
         {"--num-checkpoints-read", arguments_.checkpoints_to_read}}};
    for (const auto& [flag, count] : counts) {
      if (count == 0 || count == 10) continue;
      error(ErrorCode::kConfigInvalid, fmt::format("{} {} is not legal in closed", flag, count),
            "closed takes 10, or 0 for the other half of a split run", "4.7.1");
    }
  }

  uint64_t model_parallel() const { return uint64_t{workload_.parallelism.tensor} * workload_.parallelism.pipeline; }
  bool can_be_subset() const { return workload_.closed_processes > kSubsetProcesses; }

  void check_processes() {
    const uint32_t processes = arguments_.processes;
    if (arguments_.mode == cli::Mode::kClosed) check_closed_processes(processes);
    if (arguments_.mode == cli::Mode::kOpen && processes % model_parallel() != 0) {
      invalid(fmt::format("--num-processes {} is not a multiple of {}, as open asks of {} (rule 4.6.4)", processes,
                          model_parallel(), workload_.cli_name),
              nearest_open(processes));
    }
  }

  void check_closed_processes(uint32_t processes) {
    const uint32_t closed = workload_.closed_processes;
    if (processes == closed) return;
    if (processes == kSubsetProcesses && can_be_subset()) {
      warn(
          fmt::format("{} on {} processes is a subset by the rules of MLPerf Storage {} as published; results of this "
                      "kind were withdrawn in its review, and later rules take a subset of llama3-8b only",
                      workload_.cli_name, processes, kRulesEdition));
      return;
    }
    // Open takes whole grids that hold a checkpoint.
    const bool open_legal = processes % model_parallel() == 0 && arguments_.checkpoint_bytes != 0;
    const std::string legal =
        can_be_subset() ? fmt::format("{}, or {} as a subset", closed, kSubsetProcesses) : fmt::format("{}", closed);
    error(open_legal ? ErrorCode::kValidationOpenOnly : ErrorCode::kValidationInvalid,
          fmt::format("--num-processes {} is not legal for {} in closed", processes, workload_.cli_name),
          fmt::format("closed takes {}{}", legal, open_legal ? "; open takes this count too" : ""), "4.6.1");
  }

  std::string nearest_open(uint32_t processes) const {
    const uint64_t step = model_parallel();
    const uint64_t below = processes / step * step;
    if (below == 0) return fmt::format("the nearest legal count is {}", step);
    return fmt::format("the nearest legal counts are {} and {}", below, below + step);
  }

  void check_subset_claim() {
    if (!arguments_.checkpoint_subset || arguments_.mode == cli::Mode::kWhatif) return;
    if (workload_.cli_name == "llama3-8b" && arguments_.processes == kSubsetProcesses) return;
    invalid(fmt::format("--checkpoint-subset with {} and {} processes", workload_.cli_name, arguments_.processes),
            "a subset claim is llama3-8b on exactly 8 processes");
  }

  void check_accelerators() {
    const uint32_t processes = arguments_.processes;
    const uint64_t hosts = std::max<uint32_t>(1, arguments_.hosts);
    if (processes <= 4 * hosts) {
      warn(fmt::format("{} process{} on {} host{}: the submission checker asks for more than 4 per host (rule 4.6.2)",
                       processes, processes == 1 ? "" : "es", hosts, hosts == 1 ? "" : "s"));
    }
    const uint32_t each = cli::accelerator_memory_gb(arguments_.accelerator_type).value_or(kDefaultAcceleratorGb);
    // "GB" of the rules is GiB here, as everywhere in mlpstorage 3.0.
    const double size = to_gib(arguments_.checkpoint_bytes);
    if (static_cast<double>(processes) * each < size) {
      warn(fmt::format("{} accelerators of {} GB can't hold a checkpoint of {:.2f} GiB (rule 4.3.4)", processes, each,
                       size));
    }
  }

  void check_host_memory() {
    if (arguments_.client_host_memory_gib <= 0 || arguments_.checkpoint_bytes == 0) return;
    const double per_host = to_gib(arguments_.checkpoint_bytes) / std::max<uint32_t>(1, arguments_.hosts);
    if (per_host < 3 * arguments_.client_host_memory_gib) {
      warn(
          fmt::format("one checkpoint is {:.2f} GiB per host, less than 3 times its memory ({:.2f} GiB): caches must "
                      "be flushed between writing and reading (rule 4.3.1)",
                      per_host, arguments_.client_host_memory_gib));
    }
  }

  void check_fsync() {
    if (workload_.fsync) return;
    if (arguments_.mode == cli::Mode::kWhatif) {
      return warn("checkpoint.fsync=False has no effect: files are fsynced all the same, as mlpstorage 3.0 does");
    }
    invalid("checkpoint.fsync=False is not legal (rule 4.3.2)",
            "leave it out: files are fsynced inside the timed interval, and results have to say so");
  }

  const Arguments& arguments_;
  const CheckpointWorkload& workload_;
  ArgumentFindings findings_;
};

}  // namespace

ArgumentFindings check_arguments(const Arguments& arguments, const CheckpointWorkload& workload) {
  return Checker(arguments, workload).run();
}

}  // namespace mlps::checkpointing
