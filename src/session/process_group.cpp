#include "session/process_group.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "world/archive.hpp"
#include "world/host_facts.hpp"
#include "world/message_merger.hpp"
#include "world/mpi/mpi_wire.hpp"
#include "world/mpi_thread.hpp"

namespace mlps::cli {
namespace {

// The most time that process 0 may take to write its results while the others wait for the end of a group that failed.
constexpr Nanos kFarewellNs = 20'000'000'000;

std::unique_ptr<world::Transport> join_group(const world::Launched& launched) {
  const world::Introduction me{fmt::format("{}, binary {}", version_line(), binary_id()), world::host_name(),
                               ::getpid()};
  return world::start_mpi_thread([launched] { return world::open_mpi_wire(launched, world::plugin_folders()); }, me);
}

// An error code of that process status.
ErrorCode code_of(int status) {
  using enum ErrorCode;
  for (const ErrorCode code :
       {kValidationInvalid, kConfigInvalid, kPathNotFound, kPermissionDenied, kConfigParse, kTimeout, kInterrupted}) {
    if (exit_code(code) == status) return code;
  }
  return kInternal;
}

std::optional<Error> difference(const std::vector<Opinion>& opinions, const std::vector<std::string>& names,
                                const std::vector<world::Member>& members) {
  for (size_t process = 1; process < opinions.size(); ++process) {
    if (opinions[process].parts == opinions[0].parts) continue;
    std::vector<std::string> differing;
    for (size_t part = 0; part < names.size() && part < opinions[process].parts.size(); ++part) {
      if (opinions[process].parts[part] != opinions[0].parts[part]) differing.push_back(names[part]);
    }
    return Error{
        ErrorCode::kConfigIncompatible,
        fmt::format("host {} comes to another plan than host {}", members[process].host, members[0].host),
        fmt::format("from the same settings, so what the hosts see differs; in the plan: {}", join(differing, ", ")),
        "compare the data folder, or the bucket, as seen from both hosts"};
  }
  return std::nullopt;
}

}  // namespace

world::Bytes packed_values(const workloads::Values& values) {
  world::Packer packer;
  for (const auto& [key, value] : values) packer.text(key).text(value.value);
  return packer.take();
}

std::vector<Error> objections(const std::vector<Opinion>& opinions, const std::vector<std::string>& names,
                              const std::vector<world::Member>& members) {
  world::MessageMerger merger;
  std::set<std::string> hosts;
  for (size_t process = 0; process < opinions.size(); ++process) {
    hosts.insert(members[process].host);
    for (const Error& error : opinions[process].errors) merger.add(members[process].host, error);
  }
  std::vector<Error> errors = merger.errors(hosts.size());
  if (errors.empty()) {
    if (auto found = difference(opinions, names, members)) errors.push_back(std::move(*found));
  }
  return errors;
}

ProcessGroup::ProcessGroup() : transport_(std::make_unique<world::LocalTransport>()) {}

ProcessGroup::ProcessGroup(const world::Launched& launched)
    : interrupts_(InterruptWatch::Signals::kAllButUsr1), transport_(join_group(launched)) {
  attachment_.emplace(interrupts_, transport_->failure());
  // A process that could not join knows its number only from the launcher.
  index_ = has_met() ? transport_->index() : launched.index.value_or(0);
  if (!is_process0()) log::configure({LogLevel::kNone, ColorMode::kNever});
}

std::string ProcessGroup::host() const {
  return is_alone() ? std::string() : fmt::format("host {}", transport_->members()[transport_->index()].host);
}

std::string ProcessGroup::host_prefix() const {
  return is_alone() ? std::string() : host() + ": ";
}

std::optional<int> ProcessGroup::check_consensus(const std::vector<Error>& errors, const std::vector<PlanPart>& plan) {
  if (is_alone()) return errors.empty() ? std::nullopt : std::optional(report_failures(errors));
  Opinion mine{{}, errors};
  std::vector<std::string> names;
  for (const PlanPart& part : plan) {
    mine.parts.push_back(world::hash_of(part.packed));
    names.push_back(part.name);
  }
  const auto all = transport_->gather(world::Packer()(mine.parts, mine.errors).take());
  if (!all) return failure_status();
  uint64_t status = kExitSuccess;
  if (is_process0()) {
    std::vector<Opinion> opinions;
    for (const world::Bytes& bytes : *all) {
      Opinion& opinion = opinions.emplace_back();
      world::Unpacker in(bytes);
      in(opinion.parts, opinion.errors);
    }
    const std::vector<Error> found = objections(opinions, names, transport_->members());
    if (!found.empty()) status = static_cast<uint64_t>(report_failures(found));
  }
  if (const auto ended = broadcast(status)) return ended;
  return status == kExitSuccess ? std::nullopt : std::optional(static_cast<int>(status));
}

std::optional<int> ProcessGroup::broadcast(std::string& text) {
  return transport_->broadcast(text) ? std::nullopt : std::optional(failure_status());
}

std::optional<int> ProcessGroup::broadcast(uint64_t& number) {
  world::Bytes bytes = world::Packer().number(number).take();
  if (const auto status = broadcast(bytes)) return status;
  number = world::Unpacker(bytes).number();
  return std::nullopt;
}

void ProcessGroup::share_warnings(bool leave_out_known) {
  if (is_alone() || transport_->failure().raised()) return;
  const std::vector<std::string> warnings = log::problems();
  world::Packer packer;
  if (!is_process0()) {
    for (size_t i = warnings_shared_; i < warnings.size(); ++i) packer.text(warnings[i]);
  }
  warnings_shared_ = warnings.size();
  const auto all = transport_->gather(packer.take());
  if (!all) return;  // the failure is everybody's, and told at the end
  world::MessageMerger merger;
  for (size_t process = 0; process < all->size(); ++process) {
    for (world::Unpacker in((*all)[process]); in.good() && !in.empty();) {
      const std::string warning(in.text());
      const bool is_known = std::find(warnings.begin(), warnings.end(), warning) != warnings.end();
      if (!leave_out_known || !is_known) merger.add(transport_->members()[process].host, {.message = warning});
    }
  }
  for (const Error& warning : merger.errors()) log::warning("{}", warning.message);
}

world::LocalRanks ProcessGroup::ranks_of(const std::vector<world::HostShare>& shares) {
  const world::HostShare& mine = shares[transport_->index()];
  world::LocalRanks ranks{mine.first_rank, mine.ranks, shares.back().first_rank + shares.back().ranks,
                          transport_->index(), transport_->size()};
  if (!is_alone()) ranks.meet = [this] { return transport_->barrier(); };
  return ranks;
}

int ProcessGroup::failure_status() {
  const Error error = transport_->failure().first().value_or(Error{ErrorCode::kInternal, "the job failed"});
  const std::string text = render(error);
  const std::vector<std::string> known = log::problems();
  const std::string first_line = text.substr(0, text.find('\n'));
  if (std::find(known.begin(), known.end(), first_line) == known.end()) log::error("{}", text);
  return exit_code(error.code);
}

int ProcessGroup::end(int status) {
  if (is_process0()) status = status_with_output(status);
  if (attachment_ && status != kExitSuccess) {
    // mpirun, told to let the others live when one ends, forgets the status of a process that ends in order.
    // The others may learn of this before they have got the status itself, and must come to the same.
    transport_->failure().raise({code_of(status), fmt::format("the command ended with status {}", status)});
  }
  if (attachment_ && !transport_->close(kFarewellNs)) {
    const int reason = status == kExitSuccess ? failure_status() : status;
    if (speaks()) {
      if (!is_process0()) {
        Error error = *transport_->failure().first();
        if (!has_met()) error.host = fmt::format("host {}", world::host_name());
        print_error(render(error) + "\n");
      }
      say(reason);
    }
    transport_->end_job(reason);
  }
  if (is_process0()) say(status);
  return status;
}

// Returns whether this process reports the end: process 0 does, or without it the first process that is left.
bool ProcessGroup::speaks() {
  if (is_process0()) return true;
  // The other processes are not known; but an error that another has raised comes with its host.
  if (!has_met()) return index_ == 1 && !transport_->failure().first()->host;
  for (uint32_t process = 0; process < index_; ++process) {
    if (!transport_->lost(process)) return false;
  }
  return true;
}

void ProcessGroup::say(int status) {
  if (say_) say_(status);
}

}  // namespace mlps::cli
