#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/settings.hpp"
#include "run/run_facts.hpp"
#include "storage/store.hpp"
#include "world/archive.hpp"
#include "world/transport.hpp"

namespace mlps::vectordb {

/// What one rank loaded.
struct RankLoad {
  uint32_t rank = 0;
  uint64_t first = 0, end = 0;  ///< its keys
  uint64_t inserted = 0;        ///< that the engine accepted
  Stamp start, finish;
  Histogram insert;  ///< one value per batch
};
constexpr auto fields_of(Of<RankLoad>) {
  return std::tuple(kept("rank", &RankLoad::rank), kept("first_key", &RankLoad::first), kept("end_key", &RankLoad::end),
                    kept("inserted", &RankLoad::inserted), kept("start_ns", &RankLoad::start),
                    kept("finish_ns", &RankLoad::finish), summed("insert", &RankLoad::insert));
}

/// One search as its caller saw it.
struct BatchSample {
  uint64_t at_ns = 0;    ///< after the start of its worker's window: when it was sent, or was due
  uint64_t took_ns = 0;  ///< until the answer was there
  uint32_t queries = 0;
  bool ok = false;
};
constexpr auto fields_of(Of<BatchSample>) {
  return std::tuple(kept("", &BatchSample::at_ns), kept("", &BatchSample::took_ns), kept("", &BatchSample::queries),
                    kept("", &BatchSample::ok));
}

/// The recall of the first answer that a worker got to a query.
struct FirstAnswer {
  uint32_t query = 0;
  double recall = 0, exact = 0;  ///< with the epsilon that was asked for, and without
};
constexpr auto fields_of(Of<FirstAnswer>) {
  return std::tuple(kept("", &FirstAnswer::query), kept("", &FirstAnswer::recall), kept("", &FirstAnswer::exact));
}

/// What one worker did in one window.
struct WorkerWindow {
  uint32_t window = 0, rank = 0;
  Stamp start;
  uint64_t completed = 0;                                 ///< queries whose answer came inside the window
  uint64_t answered = 0;                                  ///< queries with an answer, also after the window's end
  uint64_t failed = 0;                                    ///< searches without one
  uint64_t short_answers = 0;                             ///< queries with fewer neighbours than there are
  uint64_t ties = 0;                                      ///< neighbours as near as the last one of the exact answer
  double recall_sum = 0, exact_sum = 0, recall1_sum = 0;  ///< over all answered queries
  QueryCost cost;
  Histogram latency, lateness;
  std::string first_error;  ///< of a search
  std::vector<BatchSample> batches;
  std::vector<FirstAnswer> first_answers;
};
constexpr auto fields_of(Of<WorkerWindow>) {
  using W = WorkerWindow;
  return std::tuple(kept("window", &W::window), kept("rank", &W::rank), kept("start_ns", &W::start),
                    kept("queries_completed", &W::completed), kept("queries_answered", &W::answered),
                    kept("searches_failed", &W::failed), kept("short_answers", &W::short_answers),
                    kept("ties", &W::ties), kept("", &W::recall_sum), kept("", &W::exact_sum),
                    kept("", &W::recall1_sum), summed("cost", &W::cost), summed("search", &W::latency),
                    summed("lateness", &W::lateness), kept("", &W::first_error), kept("", &W::batches),
                    kept("", &W::first_answers));
}

/// Bytes that a block device of a host moved while a window was open.
struct DeviceUse {
  std::string device;
  uint64_t reads = 0, writes = 0, read_bytes = 0, written_bytes = 0;
};
constexpr auto fields_of(Of<DeviceUse>) {
  return std::tuple(kept("device", &DeviceUse::device), kept("reads", &DeviceUse::reads),
                    kept("writes", &DeviceUse::writes), kept("read_bytes", &DeviceUse::read_bytes),
                    kept("written_bytes", &DeviceUse::written_bytes));
}

/// What a window cost one host.
struct HostWindow {
  uint32_t window = 0, process = 0;
  double seconds = 0, cpu_user_s = 0, cpu_system_s = 0;
  std::vector<DeviceUse> devices;
  std::optional<uint64_t> cached_bytes = {}, stored_bytes = {};  ///< of the collection's files, as the window opened
  std::optional<uint64_t> memory_limit_bytes = {};  ///< of this process's control groups, page cache included
};
constexpr auto fields_of(Of<HostWindow>) {
  using H = HostWindow;
  return std::tuple(kept("window", &H::window), kept("process", &H::process), kept("seconds", &H::seconds),
                    kept("cpu_user_s", &H::cpu_user_s), kept("cpu_system_s", &H::cpu_system_s),
                    kept("devices", &H::devices), kept("page_cache_bytes", &H::cached_bytes),
                    kept("stored_bytes", &H::stored_bytes), kept("memory_limit_bytes", &H::memory_limit_bytes));
}

/// What was inserted while a window was open, by process 0.
struct InsertWindow {
  uint32_t window = 0;
  uint64_t first = 0;     ///< key
  uint64_t inserted = 0;  ///< vectors that the engine accepted
  double seconds = 0;
  Histogram insert, lateness, flush;  ///< of batches; from when a batch was due until it was sent
};
constexpr auto fields_of(Of<InsertWindow>) {
  using I = InsertWindow;
  return std::tuple(kept("window", &I::window), kept("first_key", &I::first), kept("inserted", &I::inserted),
                    kept("seconds", &I::seconds), summed("insert", &I::insert), summed("lateness", &I::lateness),
                    summed("flush", &I::flush));
}

/// What a window is for.
struct WindowPlan {
  uint32_t effort = 0;
  std::optional<double> target = {};  ///< recall, of a sweep
  bool reached = true;                ///< false: no effort reaches it, and this one comes nearest
};
constexpr auto fields_of(Of<WindowPlan>) {
  return std::tuple(kept("effort", &WindowPlan::effort), kept("recall_target", &WindowPlan::target),
                    kept("target_reached", &WindowPlan::reached));
}

/// One effort that a sweep has tried, with one worker.
struct SweepStep {
  uint32_t effort = 0;
  double recall = 0, queries_per_s = 0, latency_p95_ms = 0, reads_per_query = 0, bytes_per_query = 0;
};
constexpr auto fields_of(Of<SweepStep>) {
  using S = SweepStep;
  return std::tuple(kept("effort", &S::effort), kept("recall", &S::recall), kept("queries_per_s", &S::queries_per_s),
                    kept("latency_p95_ms", &S::latency_p95_ms), kept("reads_per_query", &S::reads_per_query),
                    kept("bytes_per_query", &S::bytes_per_query));
}

/// Seconds of the steps of a command; nothing where it has no such step.
struct Steps {
  std::optional<double> create_s = {}, insert_s = {}, flush_s = {}, build_s = {}, load_s = {}, queries_s = {},
                        truth_s = {}, rows_s = {}, sweep_s = {};
};
constexpr auto fields_of(Of<Steps>) {
  return std::tuple(kept("create_s", &Steps::create_s), kept("insert_s", &Steps::insert_s),
                    kept("flush_s", &Steps::flush_s), kept("build_s", &Steps::build_s), kept("load_s", &Steps::load_s),
                    kept("queries_s", &Steps::queries_s), kept("truth_s", &Steps::truth_s),
                    kept("row_check_s", &Steps::rows_s), kept("sweep_s", &Steps::sweep_s));
}

/// The exact answers that the recall is against.
struct TruthFacts {
  std::string identity;
  uint64_t rows = 0;  ///< that each query was compared with
  bool reused = false;
  uint64_t rows_checked = 0, rows_right = 0;  ///< stored rows that were looked up, and found as they should be
  uint64_t rows_grown = 0;                    ///< rows that were inserted by earlier runs, after the load
  uint64_t new_checked = 0, new_right = 0;    ///< the same of rows that this run inserted, after its windows
};

/// Holds everything a load or a search found out. It is made for the ranks of one host; gathering makes the record of
/// process 0 that of all ranks.
struct RunRecord : run::RunFacts, Settings {
  bool searches = false;  ///< false: this is a load
  uint32_t ranks = 1;     ///< of all hosts
  Steps steps;
  CollectionFacts facts;
  TruthFacts truth;
  std::string server_version;
  std::vector<WindowPlan> windows;
  std::vector<SweepStep> sweep;
  std::vector<RankLoad> loads;
  std::vector<WorkerWindow> workers;  ///< in the order of window and rank
  std::vector<HostWindow> host_windows;
  std::vector<InsertWindow> inserts;  ///< process 0's, where vectors are inserted
};
constexpr auto fields_of(Of<RunRecord>) {
  return std::tuple(summed("", &RunRecord::loads), summed("", &RunRecord::workers),
                    summed("", &RunRecord::host_windows));
}

/// The verdict on a record that is to hold the work of `ranks` ranks.
void judge(RunRecord& record, uint32_t ranks);

/// Packs the share of this process, and makes process 0's record that of all; see run::gather_record().
world::Bytes pack_part(const RunRecord& record);
Status merge_parts(RunRecord& record, const std::vector<world::Bytes>& sent, const std::vector<world::Member>& members);

}  // namespace mlps::vectordb
