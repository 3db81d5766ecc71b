#include "session/measured_run.hpp"

#include "session/placement.hpp"

namespace mlps::cli {

int RunSteps::run() {
  const int status = run_steps();
  claim_.reset();  // needs the store, which the benchmark holds
  return status;
}

int RunSteps::run_steps() {
  auto shares = place_ranks(options_, ranks(), group_.transport().members());
  if (const auto status = group_.check_consensus(errors_of(shares), agreed_plan())) return *status;
  shares_ = std::move(*shares);
  if (const auto status = before_gates()) return *status;
  Result<gates::Report> gates = check_gates();
  if (const auto status = report_gates(gates)) return *status;
  gates_ = std::move(*gates);
  if (const auto status = after_gates()) return *status;
  const Status claimed = group_.is_process0() ? claim_folders() : Status();
  if (const auto status = group_.check_consensus(errors_of(claimed))) return *status;
  const int status = repeats() ? repeat(common_, [this] { return run_once(); }) : run_once();
  if (group_.is_process0()) settle_what_was_written(status == kExitSuccess);
  return status;
}

Result<gates::Report> RunSteps::check_gates() const {
  gates::Request request = gate_request();
  request.store = &store();
  request.wanted_part_bytes = options_.io_part_bytes;
  request.results_dir = common_.results_dir;
  if (common_.skip_fs_separation_gate) {
    request.separation_waived_by = "--skip-fs-separation-gate";
  } else if (common_.mode == Mode::kWhatif) {  // no rule holds there
    request.separation_waived_by = "whatif";
  }
  return gates::run_gates(request, group_.transport());
}

Status RunSteps::make_run_folder() {
  if (!group_.is_process0()) return {};
  if (checks_system()) {
    if (Status same = check_system(common_, cluster_.members(group_, shares_)); !same) return same;
  }
  auto folder = begin_run_folder(common_, folder_request());
  if (!folder) return fail(folder.error());
  folder_ = std::move(*folder);
  return {};
}

void RunSteps::fill_about(uint32_t processes, results::RunContext& about) const {
  fill_context(options_, processes, folder_, cluster_.members(group_, shares_), about);
  about.separation = gates_.separation;
}

}  // namespace mlps::cli
