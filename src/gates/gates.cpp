#include "gates/gates.hpp"

#include <utility>

#include "gates/findings.hpp"
#include "gates/host_checks.hpp"
#include "gates/job_facts.hpp"
#include "world/archive.hpp"

namespace mlps::gates {
namespace {

using world::Bytes;

/// Returns what a process has sent. Bytes that can't be used are raised for all processes, so that none waits for this
/// one.
template <class T>
Result<T> unpack_or_raise(const std::string& kind, std::string_view bytes, world::Transport& transport) {
  Result<T> value = world::unpack<T>(kind, "another process", bytes);
  if (!value) transport.failure().raise(value.error());
  return value;
}

/// Gives every process the value of process 0.
template <class T>
Status share(const std::string& kind, T& value, world::Transport& transport) {
  Bytes message = world::pack(kind, value);
  if (Status told = transport.broadcast(message); !told) return told;
  Result<T> came = unpack_or_raise<T>(kind, message, transport);
  if (!came) return fail(std::move(came.error()));
  value = std::move(*came);
  return {};
}

/// Returns the packed findings of all processes, in process 0. The mark of CAP-02 is removed when this returns; if it
/// couldn't be, `left_behind` has a warning.
Result<std::vector<Bytes>> check_together(HostChecks& checks, world::Transport& transport,
                                          std::vector<std::string>& left_behind) {
  std::optional<ProbeFile> probe;
  Opening opening;
  if (transport.index() == 0) opening = checks.open(left_behind, probe);
  if (Status told = share("opening of the gates", opening, transport); !told) return fail(std::move(told.error()));
  checks.check(opening);
  return transport.gather(world::pack(kFindings, checks.findings()));
}

Result<Report> judge(const std::vector<Bytes>& all, std::vector<std::string> left_behind, world::Transport& transport) {
  std::vector<Findings> findings;
  for (const Bytes& bytes : all) {
    Result<Findings> one = unpack_or_raise<Findings>(kFindings, bytes, transport);
    if (!one) return fail(std::move(one.error()));
    findings.push_back(std::move(*one));
  }
  for (std::string& warning : left_behind) findings.front().warnings.push_back(std::move(warning));
  return merge(transport.members(), std::move(findings));
}

}  // namespace

Result<Report> run_gates(const Request& request, world::Transport& transport) {
  HostChecks checks(request, transport);
  std::vector<std::string> left_behind;
  const auto all = check_together(checks, transport, left_behind);
  if (!all) {
    checks.take_back_folders();
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
  if (Status told = share("first failure of the gates", report->first_failure, transport); !told) {
    return fail(std::move(told.error()));
  }
  if (report->first_failure) checks.take_back_folders();
  report->separation = checks.separation();
  report->available_memory_bytes = checks.findings().available_bytes.value_or(0);
  return report;
}

}  // namespace mlps::gates
