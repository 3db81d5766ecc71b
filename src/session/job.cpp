#include "session/job.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "base/version.hpp"
#include "session/execution.hpp"
#include "world/message_merger.hpp"
#include "world/mpi_thread.hpp"
#include "world/host_facts.hpp"
#include "world/mpi/mpi_wire.hpp"
#include "world/packet.hpp"

namespace mlps::cli {
namespace {

// How long process 0 may take to write its results while the others wait for the end of a job that failed.
constexpr Nanos kFarewellNs = 20'000'000'000;

std::unique_ptr<world::Transport> join(const world::Launched& launched) {
  const world::Introduction me{fmt::format("{}, binary {}", version_line(), binary_id()), world::host_name(),
                               ::getpid()};
  return world::start_mpi_thread([launched] { return world::open_mpi_wire(launched, world::plugin_folders()); }, me);
}

/// What a process says when all are asked whether to go on.
struct Opinion {
  uint64_t plan = 0;
  std::vector<Error> errors;
};

world::Bytes pack(const std::vector<Error>& errors, std::string_view plan) {
  world::Packer packer;
  packer.number(std::hash<std::string_view>()(plan)).number(errors.size());
  for (const Error& error : errors) packer.error(error);
  return packer.take();
}

Opinion unpack(std::string_view bytes) {
  world::Unpacker in(bytes);
  Opinion opinion;
  opinion.plan = in.number();
  for (uint64_t left = in.number(); left > 0 && in.good(); --left) opinion.errors.push_back(in.error());
  return opinion;
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

std::optional<Error> other_plan(const std::vector<Opinion>& opinions, const std::vector<world::Member>& members) {
  for (size_t process = 1; process < opinions.size(); ++process) {
    if (opinions[process].plan == opinions[0].plan) continue;
    return Error{ErrorCode::kConfigIncompatible,
                 fmt::format("host {} comes to another plan than host {}", members[process].host, members[0].host),
                 "from the same settings, so what the hosts see differs",
                 "compare the data folder, or the bucket, as seen from both hosts"};
  }
  return std::nullopt;
}

std::vector<Error> objections(const std::vector<Opinion>& opinions, const std::vector<world::Member>& members) {
  world::MessageMerger chorus;
  std::set<std::string> hosts;
  for (size_t process = 0; process < opinions.size(); ++process) {
    hosts.insert(members[process].host);
    for (const Error& error : opinions[process].errors) chorus.add(members[process].host, error);
  }
  std::vector<Error> errors = chorus.errors(hosts.size());
  if (const auto other = other_plan(opinions, members); other && errors.empty()) errors.push_back(*other);
  return errors;
}

}  // namespace

Job::Job() : transport_(std::make_unique<world::LocalTransport>()) {}

Job::Job(const world::Launched& launched) : transport_(join(launched)) {
  attachment_.emplace(interrupts_, transport_->failure());
  // A process that could not join doesn't know its number: the launcher's word has to do.
  index_ = has_met() ? transport_->index() : launched.index.value_or(0);
  if (!leads()) log::configure({LogLevel::kNone, ColorMode::kNever});
}

std::string Job::whose() const {
  return is_alone() ? std::string() : fmt::format("host {}: ", transport_->members()[transport_->index()].host);
}

std::optional<int> Job::agree(const std::vector<Error>& errors, std::string_view plan) {
  if (is_alone()) return errors.empty() ? std::nullopt : std::optional(report_failures(errors));
  const auto all = transport_->gather(pack(errors, plan));
  if (!all) return failed();
  uint64_t status = kExitSuccess;
  if (leads()) {
    std::vector<Opinion> opinions;
    for (const world::Bytes& bytes : *all) opinions.push_back(unpack(bytes));
    const std::vector<Error> found = objections(opinions, transport_->members());
    if (!found.empty()) status = static_cast<uint64_t>(report_failures(found));
  }
  if (const auto ended = share(status)) return ended;
  return status == kExitSuccess ? std::nullopt : std::optional(static_cast<int>(status));
}

std::optional<int> Job::share(std::string& text) {
  return transport_->broadcast(text) ? std::nullopt : std::optional(failed());
}

std::optional<int> Job::share(uint64_t& number) {
  world::Bytes bytes = world::Packer().number(number).take();
  if (const auto status = share(bytes)) return status;
  number = world::Unpacker(bytes).number();
  return std::nullopt;
}

void Job::share_warnings(bool leave_out_known) {
  if (is_alone() || transport_->failure().raised()) return;
  const std::vector<std::string> warnings = log::problems();
  world::Packer packer;
  if (!leads()) {
    for (size_t i = warnings_shared_; i < warnings.size(); ++i) packer.text(warnings[i]);
  }
  warnings_shared_ = warnings.size();
  const auto all = transport_->gather(packer.take());
  if (!all) return;  // the failure is everybody's, and told at the end
  world::MessageMerger chorus;
  for (size_t process = 0; process < all->size(); ++process) {
    for (world::Unpacker in((*all)[process]); in.good() && !in.empty();) {
      const std::string warning(in.text());
      const bool is_known = std::find(warnings.begin(), warnings.end(), warning) != warnings.end();
      if (!leave_out_known || !is_known) chorus.add(transport_->members()[process].host, {.message = warning});
    }
  }
  for (const Error& warning : chorus.errors()) log::warning("{}", warning.message);
}

world::LocalRanks Job::ranks_of(const std::vector<world::HostShare>& shares) {
  const world::HostShare& mine = shares[transport_->index()];
  world::LocalRanks ranks{mine.first_rank, mine.ranks, shares.back().first_rank + shares.back().ranks,
                          transport_->index(), transport_->size()};
  if (!is_alone()) ranks.meet = [this] { return transport_->barrier(); };
  return ranks;
}

int Job::failed() {
  const Error error = transport_->failure().first().value_or(Error{ErrorCode::kInternal, "the job failed"});
  const std::string text = render(error);
  const std::vector<std::string> known = log::problems();
  const std::string first_line = text.substr(0, text.find('\n'));
  if (std::find(known.begin(), known.end(), first_line) == known.end()) log::error("{}", text);
  return exit_code(error.code);
}

int Job::end(int status) {
  if (attachment_ && status != kExitSuccess) {
    // mpirun, told to let the others live when one ends, forgets the status of a process that ends in order.
    // The others may hear of this before they have got the status itself, and must come to the same.
    transport_->failure().raise({code_of(status), fmt::format("the command ended with status {}", status)});
  }
  if (attachment_ && !transport_->close(kFarewellNs)) {
    const int reason = status == kExitSuccess ? failed() : status;
    if (speaks()) {
      if (!leads()) {
        Error error = *transport_->failure().first();
        if (!has_met()) error.message = fmt::format("host {}: {}", world::host_name(), error.message);
        fmt::print(stderr, "{}\n", render(error));
      }
      say(reason);
    }
    transport_->end_job(reason);
  }
  if (leads()) say(status);
  return status;
}

// Whether what there is to say is for this process to say: process 0, or without it the first one that is left.
bool Job::speaks() {
  if (leads()) return true;
  // Who else is there isn't known; but what another has said comes with its name.
  if (!has_met()) return index_ == 1 && !transport_->failure().first()->message.starts_with("host ");
  for (uint32_t process = 0; process < index_; ++process) {
    if (!transport_->lost(process)) return false;
  }
  return true;
}

void Job::say(int status) {
  if (say_) say_(status);
}

}  // namespace mlps::cli
