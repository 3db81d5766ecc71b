#include "gates/gates.hpp"

#include <utility>

#include "gates/findings.hpp"
#include "gates/host_checks.hpp"
#include "gates/job_facts.hpp"
#include "world/archive.hpp"

namespace mlps::gates {
namespace {

using world::Bytes;

// Raises the failure for all processes, so that none waits for this one.
tl::unexpected<Error> failed(world::Transport& transport, Error error) {
  transport.failure().raise(error);
  return fail(std::move(error));
}

/// Returns the packed findings of all processes, in process 0. The mark of CAP-02 is removed when this returns; if it
/// couldn't be, `left_behind` has a warning.
Result<std::vector<Bytes>> check_together(HostChecks& checks, world::Transport& transport,
                                          std::vector<std::string>& left_behind) {
  std::optional<ProbeFile> probe;
  Bytes message;
  if (transport.index() == 0) message = pack(checks.open(left_behind, probe));
  if (Status told = transport.broadcast(message); !told) return fail(std::move(told.error()));
  const Result<Opening> opening = unpack_opening(message);
  if (!opening) return failed(transport, opening.error());
  checks.check(*opening);
  return transport.gather(pack(checks.findings()));
}

Result<Report> judge(const std::vector<Bytes>& all, std::vector<std::string> left_behind, world::Transport& transport) {
  std::vector<Findings> findings;
  for (const Bytes& bytes : all) {
    Result<Findings> one = unpack_findings(bytes);
    if (!one) return failed(transport, std::move(one.error()));
    findings.push_back(std::move(*one));
  }
  for (std::string& warning : left_behind) findings.front().warnings.push_back(std::move(warning));
  return merge(transport.members(), std::move(findings));
}

/// Broadcasts process 0's first failure.
Status broadcast_first_failure(Report& report, world::Transport& transport) {
  Bytes message;
  if (report.first_failure) message = world::Packer()(*report.first_failure).take();
  if (Status told = transport.broadcast(message); !told) return told;
  if (message.empty() || transport.index() == 0) return {};
  world::Unpacker in(message);
  in(report.first_failure.emplace());
  if (in.whole()) return {};
  return failed(transport, {ErrorCode::kMpiCommunication, "process 0 sent a damaged message about the gates"});
}

}  // namespace

Result<Report> run_gates(const Request& request, world::Transport& transport) {
  HostChecks checks(request, transport);
  std::vector<std::string> left_behind;
  const auto all = check_together(checks, transport, left_behind);
  if (!all) {
    Error error = all.error();
    for (const std::string& warning : left_behind) error.details += (error.details.empty() ? "" : "; ") + warning;
    return fail(std::move(error));
  }
  Result<Report> report;
  if (transport.index() == 0) report = judge(*all, std::move(left_behind), transport);
  if (!report) return report;
  if (transport.index() == 0 && request.checks_job) {
    for (std::string& warning : job_warnings(transport.members())) report->warnings.push_back(std::move(warning));
  }
  if (Status told = broadcast_first_failure(*report, transport); !told) return fail(std::move(told.error()));
  report->separation = checks.separation();
  report->available_memory_bytes = checks.findings().available_bytes.value_or(0);
  return report;
}

}  // namespace mlps::gates
