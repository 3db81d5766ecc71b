#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/manifest.hpp"
#include "io/plan.hpp"
#include "io/stats.hpp"
#include "live/state.hpp"
#include "run/run_facts.hpp"
#include "storage/store.hpp"
#include "world/transport.hpp"

namespace mlps::training {

using WritePlan = io::Plan;
struct WriteRequest {
  uint32_t processes = 1;  ///< --num-processes: parallel generators of all hosts, as the rules count them
  uint32_t hosts = 1;      ///< that share them and the files; the rest is of each host
  std::optional<uint32_t> workers = {};
  std::optional<uint32_t> depth = {};
  uint64_t part_bytes = 0;
  uint64_t memory_bytes = 0;
  uint32_t cores = 1;
};
/// Returns what no file of a set is larger than.
uint64_t largest_file_bytes(const Dataset& set);

Result<WritePlan> plan_writes(const Dataset& train, const Dataset& eval, storage::Store& store,
                              const WriteRequest& request);

/// The content of the destination before anything is written.
struct DestinationState {
  enum class Kind {
    kEmpty,       ///< nothing, or an empty folder
    kUnfinished,  ///< our journal of the same data set: go on where it stopped
    kComplete     ///< our manifest of the same data set: nothing to do but to look, and to mend what is damaged
  };
  Kind kind = Kind::kEmpty;
  uint64_t whole_files = 0;  ///< kUnfinished: files [0, whole_files) of the list [train..., eval...] are whole
};
/// Looks at the data folder. Refuses a non-empty folder without a journal or manifest of this program, or with those of
/// another data set: E404 says what is there, how it differs, and what to do. A failed list is an error, never "empty".
Result<DestinationState> inspect_destination(storage::Store& store, const std::string& shape);

/// Packs a state, for process 0 to send to the others.
world::Bytes encode(const DestinationState& state);
Result<DestinationState> decode_destination(std::string_view bytes);  ///< E503

struct GenerateRequest {
  std::string model;
  const Dataset* train = nullptr;
  const Dataset* eval = nullptr;    ///< may be empty, never nullptr
  storage::Store* store = nullptr;  ///< the data folder, opened with Durability::kOnFlush
  WritePlan writes;
  Manifest manifest;             ///< written last
  DestinationState destination;  ///< the same in every process
  bool index_files = false;      ///< beside tfrecords, on file systems only
  bool verify = false;           ///< read whatever is there, and write again what is not as it should be
  std::string injected_fault;
  Stamp invocation_start;
  Nanos journal_interval_ns = 1'000'000'000;  ///< how often the journal is brought up to date
  live::Show on_progress;                     ///< may be empty
};

/// Numbers of one file writer, or of all, summed.
struct WriteNumbers {
  uint64_t files_written = 0;
  uint64_t files_kept = 0;      ///< found whole, or in their size where the journal or the manifest vouched for them
  uint64_t files_repaired = 0;  ///< of files_written: were there, but not whole, or were vouched for and aren't there
  uint64_t bytes_planned = 0;   ///< sizes of files_written
  uint64_t bytes_kept = 0;
  io::Stats stats;  ///< of what was written of the files' data; index files count as retries only
};
constexpr auto fields_of(Of<WriteNumbers>) {
  using N = WriteNumbers;
  return std::tuple(summed("files_written", &N::files_written), summed("files_kept", &N::files_kept),
                    summed("files_repaired", &N::files_repaired), summed("", &N::bytes_planned),
                    summed("bytes_kept", &N::bytes_kept), summed("", &N::stats));
}

/// Of one process, until gather_record() makes that of process 0 the whole.
struct GenerateRecord : run::RunFacts, WriteNumbers {
  std::string model, format;
  WritePlan writes;
  uint64_t data_seed = 0;
  uint64_t files = 0;  ///< of the data set
  double seconds = 0;  ///< first write to last commit and flush
  double cpu_user_s = 0, cpu_system_s = 0;
};
/// Lists what differs from process to process.
constexpr auto fields_of(Of<GenerateRecord>) {
  using R = GenerateRecord;
  return std::tuple_cat(fields_of(Of<WriteNumbers>()),
                        std::tuple(highest("seconds", &R::seconds), summed("cpu_user_s", &R::cpu_user_s),
                                   summed("cpu_system_s", &R::cpu_system_s)));
}
static_assert(own_members<GenerateRecord, 2>() == 8,
              "is a new member equal in all processes, or does the list lack it?");

GenerateRecord describe_generation(const GenerateRequest& request);

/// Adds to the reasons what is not accounted for, of the `expected_files` that the record should know of, and sets the
/// verdict: passed only if nothing failed and nothing is missing.
void judge_generation(GenerateRecord& record, uint64_t expected_files);

/// Collective; the request is the same in every process but for store, display and stamps. Writes what is missing of
/// the data set, each process every n-th file of it, in the order of the list, each file whole and checked before it
/// counts. Files that the journal or the manifest vouches for are looked at first: those that are missing or of a wrong
/// size are written again; to `verify`, nobody's word counts, and every file is read. A journal
/// (`.mlps-datagen-journal.json`), which process 0 writes when all have met, says how far everything is whole on every
/// host, so that a killed run goes on there, with any number of processes; the manifest comes last. All processes end
/// together: either every one has seen the manifest written, or all have failed. Raising the transport's failure stops
/// all within seconds: uploads are aborted, the journal stays. The transport is not used by others meanwhile, but for
/// its failure.
GenerateRecord generate(const GenerateRequest& request, world::Transport& transport);

}  // namespace mlps::training
