#include "benchmarks/training/generate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/numbers.hpp"
#include "base/process_usage.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/training/check_files.hpp"
#include "benchmarks/training/durability_rounds.hpp"
#include "benchmarks/training/file_writer.hpp"
#include "benchmarks/training/generate_journal.hpp"
#include "benchmarks/training/generate_meter.hpp"
#include "io/io_thread_pool.hpp"

namespace mlps::training {
namespace {

using run::Verdict;

// Files begun above the oldest unfinished one: seconds of small files while one upload is being repeated.
constexpr uint64_t kWindow = uint64_t{1} << 18;
// Of absent files in a row, after which a resumed run looks for no more.
constexpr uint64_t kMinAbsentInARow = 1024;

class Generation {
 public:
  Generation(const GenerateRequest& request, world::Transport& transport)
      : request_(request),
        train_(*request.train),
        eval_(*request.eval),
        store_(*request.store),
        transport_(transport),
        failure_(transport.failure()),
        record_(describe_generation(request)),
        is_complete_(request.destination.kind == DestinationState::Kind::kComplete),
        vouched_(request.verify ? 0
                 : is_complete_ ? record_.files
                                : request.destination.whole_files) {}

  GenerateRecord execute() {
    record_.run_start = Stamp::now();
    if (Status done = carry_out(); !done) failure_.raise(std::move(done.error()));
    record_.run_end = Stamp::now();
    record_.peak_rss_bytes = peak_rss_bytes();
    record_.hosts = {summary()};
    record_.error = failure_.first();
    run::add_cause(record_.error, record_.reasons);
    judge_generation(record_, expected_files());
    return std::move(record_);
  }

 private:
  bool leads() const { return transport_.index() == 0; }

  /// Every process makes the same collective calls: those of the rounds, and one at the end.
  Status carry_out() {
    auto control = store_.open_session(1);
    if (!control) return fail(control.error());
    control_ = std::move(*control);
    const auto on_raise = failure_.on_raise([this] { control_->cancel(); });
    if (vouched_ > record_.files) {
      return fail(ErrorCode::kInvalidStructure,
                  fmt::format("{} says that {} files are whole, of a data set of {}", kJournalName, grouped(vouched_),
                              grouped(record_.files)),
                  {}, "remove the folder and generate again");
    }
    if (Status looked = look_at_vouched(); !looked) return looked;
    if (!is_complete_ || damaged_files_ > 0 || request_.verify) {
      if (Status set = set_up(); !set) return set;
      if (Status written = write_share(); !written) return written;
    }
    return finish();
  }

  /// Asks for the sizes of the files that the journal or the manifest vouches for, this process of every n-th; all
  /// learn how many are missing or wrong. Then the share is known.
  Status look_at_vouched() {
    std::vector<uint64_t> damaged;
    if (Status looked = look_at(train_, 0, damaged); !looked) return looked;
    if (Status looked = look_at(eval_, train_.files(), damaged); !looked) return looked;
    record_.files_kept = vouched_kept_;
    double sums[] = {static_cast<double>(damaged.size()), static_cast<double>(record_.bytes_kept)};
    if (Status met = transport_.reduce(world::Reduction::kSum, sums); !met) return met;
    damaged_files_ = static_cast<uint64_t>(sums[0]);
    bytes_kept_by_all_ = static_cast<uint64_t>(sums[1]);
    if (damaged_files_ > 0 && leads()) {
      log::warning("{} of {} files that were written before are missing or have a wrong size: they are written again",
                   grouped(damaged_files_), grouped(vouched_));
    }
    share_.emplace(vouched_, record_.files, transport_.index(), transport_.size(), std::move(damaged));
    return {};
  }

  /// Appends the damaged ones of the files that are vouched for and belong to `set`, whose first is the file `base` of
  /// the list, and counts the others. An index file is part of its file.
  Status look_at(const Dataset& set, uint64_t base, std::vector<uint64_t>& damaged) {
    const FileShare share(base, std::min(vouched_, base + set.files()), transport_.index(), transport_.size());
    const auto number = [&](uint64_t i) { return share.file(i) - base; };
    std::vector<char> whole(share.count(), 0);
    Status asked = ask_files(
        share.count(), [&](uint64_t i) { return set.name(number(i)); }, store_, failure_,
        [&](uint64_t i, std::optional<uint64_t> bytes) { whole[i] = bytes == set.file_bytes(number(i)); });
    if (!asked) return asked;
    if (request_.index_files) {
      asked = ask_files(
          share.count(), [&](uint64_t i) { return set.index_name(number(i)); }, store_, failure_,
          [&](uint64_t i, std::optional<uint64_t> bytes) {
            if (bytes != set.format().index_text(set.shape(number(i))).value_or("").size()) whole[i] = 0;
          });
      if (!asked) return asked;
    }
    for (uint64_t i = 0; i < whole.size(); ++i) {
      if (whole[i] == 0) {
        damaged.push_back(share.file(i));
      } else {
        ++vouched_kept_;
        record_.bytes_kept += set.file_bytes(number(i));
      }
    }
    return {};
  }

  /// Of the data set, that this process's record is to know of.
  uint64_t expected_files() const { return vouched_kept_ + (share_ ? share_->count() : 0); }

  Status set_up() {
    job_.reset(new WriteJob{train_, eval_, store_, failure_, request_.writes, request_.index_files, request_.verify,
                            *share_, CommitWindow(0, share_->count(), kWindow), PresenceGuess(absent_in_a_row())});
    for (uint32_t i = 0; i < request_.writes.workers; ++i) {
      writers_.push_back(std::make_unique<FileWriter>(*job_));
    }
    auto threads = io::IoThreadPool::start(request_.writes, true, store_, failure_, io::pointers(writers_),
                                           request_.on_progress ? &series_ : nullptr);
    if (!threads) return fail(std::move(threads.error()));
    threads_ = std::move(*threads);
    return {};
  }

  /// After how many absent files no more are looked for.
  uint64_t absent_in_a_row() const {
    if (request_.destination.kind == DestinationState::Kind::kEmpty) return 0;
    if (request_.verify) return UINT64_MAX;
    if (is_complete_) return 0;  // those that are written are missing, or of a wrong size
    return std::max(kMinAbsentInARow, 2 * uint64_t{request_.writes.workers} * request_.writes.depth);
  }

  WriteCount count_live() const {
    WriteCount count{0, threads_->live_bytes()};
    for (const auto& writer : writers_) {
      count.files += writer->live_files();
      count.bytes += writer->live_kept_bytes();
    }
    return count;
  }

  std::unique_ptr<GenerateMeter> start_meter(const DurabilityRounds& rounds) const {
    if (!request_.on_progress) return nullptr;
    const GenerateMeter::Start start{{vouched_ - damaged_files_, bytes_kept_by_all_},
                                     {record_.files, train_.expected_bytes() + eval_.expected_bytes()},
                                     transport_.size()};
    const auto own = [this] { return count_live(); };
    const auto others = [&rounds] { return rounds.others(); };
    return std::make_unique<GenerateMeter>(request_, start, GenerateMeter::Sources{own, others, series_}, failure_);
  }

  /// Returns when every process has written its files and made them last, or one has failed.
  Status write_share() {
    const DurabilityRounds::Settings settings{request_.manifest.shape, request_.journal_interval_ns,
                                              record_.traits.holds_objects && !is_complete_,
                                              [this] { return count_live(); }};
    const auto rounds = DurabilityRounds::start(settings, *share_, job_->window, store_, transport_);
    if (!rounds) return fail(rounds.error());
    const auto meter = start_meter(**rounds);
    write_files();
    // Raised here already, so that the others wait for no round of this process any more.
    if (Status flushed = make_durable(); !flushed) failure_.raise(std::move(flushed.error()));
    if (failure_.raised()) return fail(*failure_.first());
    record_.seconds = to_seconds(now_ns() - start_);
    (*rounds)->finish();
    if (failure_.raised()) return fail(*failure_.first());
    return {};
  }

  Status make_durable() {
    // A process that had nothing to write may not see the folder yet.
    return failure_.raised() || share_->count() == 0 ? Status() : store_.flush();
  }

  void write_files() {
    start_ = now_ns();
    const CpuTime before = CpuTime::of_process();
    threads_->begin();
    threads_->wait_idle();
    before.add_since(record_.cpu_user_s, record_.cpu_system_s);
    record_.seconds = to_seconds(now_ns() - start_);
    for (const auto& writer : writers_) merge<WriteNumbers>(record_, writer->numbers());
    if (request_.verify && record_.files_repaired > 0) {
      log::warning("{} what was to be there: written again",
                   counted(static_cast<double>(record_.files_repaired), "file doesn't hold", "files don't hold"));
    }
  }

  /// Declares the data set complete: every file of every process is durable. The manifest is written before the journal
  /// is removed, so that at any moment one of them describes the folder. No process succeeds before. A manifest that
  /// was there stays; the run that wrote it may have ended before it removed the journal.
  Status finish() {
    if (leads() && record_.traits.holds_objects) {
      const std::string text = manifest_text(request_.manifest);
      if (!is_complete_) {
        if (Status put = control_->put(kManifestName, std::as_bytes(std::span(text))); !put) return put;
      }
      if (Status removed = control_->remove(kJournalName); !removed) return removed;
    }
    return transport_.barrier();
  }

  /// This process's entry among the hosts.
  run::HostPart summary() const {
    run::HostPart part;
    const world::Member& member = transport_.members()[transport_.index()];
    part.host = member.host;
    part.pid = member.pid;
    part.process = transport_.index();
    part.workers = static_cast<uint32_t>(writers_.size());
    const Nanos first = threads_ ? threads_->first_part_ns() : 0;
    if (first != 0) part.first_byte_s = to_seconds(first - request_.invocation_start.monotonic_ns);
    part.peak_rss_bytes = record_.peak_rss_bytes;
    part.cpu_user_s = record_.cpu_user_s;
    part.cpu_system_s = record_.cpu_system_s;
    part.bytes_written = record_.stats.bytes;
    part.retries = record_.stats.retries;
    part.retried_bytes = record_.stats.retried_bytes;
    part.servers = store_.server_uses();
    return part;
  }

  const GenerateRequest& request_;
  const Dataset& train_;
  const Dataset& eval_;
  storage::Store& store_;
  world::Transport& transport_;
  world::Failure& failure_;
  GenerateRecord record_;
  const bool is_complete_;      // by its manifest
  const uint64_t vouched_;      // files from the front of the list that are taken on the word of journal or manifest
  uint64_t vouched_kept_ = 0;   // of them, that this process has found in their size
  uint64_t damaged_files_ = 0;  // of them, over all processes
  uint64_t bytes_kept_by_all_ = 0;
  std::optional<FileShare> share_;
  std::unique_ptr<storage::Session> control_;
  std::unique_ptr<WriteJob> job_;
  std::vector<std::unique_ptr<FileWriter>> writers_;
  io::SharedSeries series_{now_ns()};  // looked at by the meter alone
  std::unique_ptr<io::IoThreadPool> threads_;
  Nanos start_ = 0;
};

}  // namespace

GenerateRecord describe_generation(const GenerateRequest& request) {
  GenerateRecord record;
  record.invocation_start = request.invocation_start;
  record.model = request.model;
  record.format = request.manifest.dataset_format;
  record.location = request.store->root().to_string();
  record.traits = request.store->traits();
  record.store_settings = request.store->describe();
  record.writes = request.writes;
  record.data_seed = request.train->seed();
  record.injected_fault = request.injected_fault;
  record.files = request.train->files() + request.eval->files();
  return record;
}

void judge_generation(GenerateRecord& record, uint64_t expected_files) {
  const auto account = [&](const char* what, uint64_t planned, uint64_t done) {
    if (planned == done) return;
    record.reasons.push_back(fmt::format("{}: {} planned, {} done", what, grouped(planned), grouped(done)));
  };
  account("files", expected_files, record.files_written + record.files_kept);
  if (!record.error) account("bytes written", record.bytes_planned, record.stats.bytes);
  record.verdict = run::judge(record.reasons, record.error);
}

GenerateRecord generate(const GenerateRequest& request, world::Transport& transport) {
  return Generation(request, transport).execute();
}

}  // namespace mlps::training
