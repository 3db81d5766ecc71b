#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"
#include "run/host_part.hpp"
#include "storage/store.hpp"

namespace mlps::run {

enum class Verdict { kIncomplete, kPassed, kFailed, kInterrupted };
std::string_view verdict_name(Verdict verdict);  ///< "incomplete", "passed", "failed", "interrupted"

/// Holds the facts that the records of all benchmarks share; the record of a benchmark derives from it. A record is of
/// the ranks of one process until the gathering of the benchmark makes that of process 0 the record of all.
struct RunFacts {
  Stamp invocation_start;     ///< entry of main()
  Stamp run_start, run_end;   ///< the benchmark proper: first barrier to last
  double first_byte_s = 0;    ///< from invocation_start to the first data operation on any host; 0: none, or not taken
  Nanos barrier_cost_ns = 0;  ///< a barrier of all ranks when nobody is late, measured before the run; 0: not measured
  std::vector<HostPart> hosts;  ///< one entry for each process whose work is in this record, in order
  std::string location;         ///< the measured folder, rendered
  storage::StoreTraits traits;  ///< of the store that is measured
  std::vector<std::pair<std::string, std::string>> store_settings;
  std::string injected_fault;   ///< empty: none
  uint64_t peak_rss_bytes = 0;  ///< of the process that had most
  Verdict verdict = Verdict::kIncomplete;
  std::vector<std::string> reasons;  ///< why the verdict is not "passed"; empty when it is
  std::vector<std::string> caveats;  ///< why the number of a run that passed is not about the storage
  std::optional<Error> error;        ///< the first cause
};

/// Lists what other processes need of these facts; the rest is equal in all of them, or made by gathering.
constexpr auto fields_of(Of<RunFacts>) {
  return std::tuple(kept("", &RunFacts::invocation_start), kept("", &RunFacts::hosts), kept("", &RunFacts::reasons));
}
static_assert(own_members<RunFacts>() == 15, "is a new member equal in all processes, or made by gathering?");

/// Returns why `hosts` of a share are not the one entry of `process`, whose ranks begin with `first_rank`; or nothing.
std::string misplaced(const std::vector<HostPart>& hosts, uint32_t process, uint64_t first_rank);

/// Empties the facts of process 0 of what add_host() puts into them.
void begin_whole(RunFacts& whole);
/// Adds the entry, the reasons and the costs of one process; `whose` stands before its reasons.
void add_host(RunFacts& whole, const RunFacts& part, const world::Member& member, const std::string& whose);

/// The shares of the time in which the storage waited for this client that are worth a warning, and that make the
/// number one that is not about the storage.
inline constexpr double kSlowClient = 0.01;
inline constexpr double kTooSlowClient = 0.05;

/// Returns an error as one of the reasons: "[E403] host b: write x: full".
std::string as_reason(const Error& error);

/// Inserts the first cause at the front of `reasons`.
void add_cause(const std::optional<Error>& error, std::vector<std::string>& reasons);
/// Returns kPassed without reasons, kInterrupted if the first cause is an interrupt, else kFailed. Sets `error` to E606
/// with the first reason if there are reasons but no first cause.
Verdict judge(const std::vector<std::string>& reasons, std::optional<Error>& error);

/// Makes the record of a process say that it could not be gathered because of `cause` and stays the share of this
/// process.
void stay_a_share(RunFacts& share, const Error& cause, const world::Transport& transport);

}  // namespace mlps::run
