#include "training/generate.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/log.hpp"
#include "base/units.hpp"
#include "training/generate_journal.hpp"
#include "training/generate_worker.hpp"

namespace mlps::training {
namespace {

using checkpointing::Verdict;

// Files begun above the oldest unfinished one: seconds of small files while one upload is being repeated.
constexpr uint64_t kWindow = uint64_t{1} << 18;
// Of absent files in a row, after which a resumed run looks for no more.
constexpr uint64_t kMinAbsentInARow = 1024;
// Looked at when a data set is said to be complete, of each set.
constexpr uint64_t kSampledFiles = 64;
constexpr auto kProgressTick = std::chrono::milliseconds(500);

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

rusage usage_of_process() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

/// Bytes of the files [0, files) of a set; arithmetic unless sizes vary.
uint64_t bytes_of_first(const Dataset& set, uint64_t files) {
  if (files == 0) return 0;
  if (!set.sizes_vary()) return files * set.file_bytes(0);
  uint64_t bytes = 0;
  for (uint64_t index = 0; index < files; ++index) bytes += set.file_bytes(index);
  return bytes;
}

uint64_t bytes_of_first(const Dataset& train, const Dataset& eval, uint64_t files) {
  const uint64_t of_train = std::min(files, train.files());
  return bytes_of_first(train, of_train) + bytes_of_first(eval, files - of_train);
}

/// E603 or E606 unless the first, the last and some files between are there with their sizes.
Status check_sample(const Dataset& set, storage::Session& session) {
  const uint64_t files = set.files();
  const uint64_t sampled = std::min(files, kSampledFiles);
  for (uint64_t i = 0; i < sampled; ++i) {
    const uint64_t index = sampled == 1 ? 0 : i * (files - 1) / (sampled - 1);
    const std::string name = set.name(index);
    const auto found = session.head(name);
    if (!found) return fail(found.error());
    if (found->size_bytes == set.file_bytes(index)) continue;
    return fail(ErrorCode::kDataMismatch,
                fmt::format("{}: {} bytes expected, {} found", name, grouped(set.file_bytes(index)),
                            grouped(found->size_bytes)),
                {},
                fmt::format("the manifest says that the data set is complete, but it was changed: remove {} to have "
                            "it generated again",
                            kManifestName));
  }
  return {};
}

void merge(GenerateRecord& into, const WriteNumbers& from) {
  into.write_ns.merge(from.write_ns);
  into.commit_ns.merge(from.commit_ns);
  into.prepare_ns += from.prepare_ns;
  into.submit_ns += from.submit_ns;
  into.wait_ns += from.wait_ns;
  into.other_ns += from.other_ns;
  into.files_written += from.files_written;
  into.files_kept += from.files_kept;
  into.files_repaired += from.files_repaired;
  into.bytes_written += from.bytes_written;
  into.bytes_kept += from.bytes_kept;
  into.retries += from.retries;
  into.retried_bytes += from.retried_bytes;
}

/// Tells a display how far the generation is, twice a second, from a thread that only reads the workers' counters.
class GenerateMeter {
 public:
  GenerateMeter(const GenerateRequest& request, const GenerateProgress& start,
                const std::vector<std::unique_ptr<WriteWorker>>& workers)
      : request_(request), start_(start), workers_(workers), thread_([this] { tick(); }) {}
  ~GenerateMeter() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      stop_.notify_all();
    }
    thread_.join();
  }

 private:
  void tick() {
    const Nanos begin = now_ns();
    Nanos last = begin;
    uint64_t last_bytes = start_.bytes;
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, kProgressTick, [&] { return stopping_; })) {
      GenerateProgress progress = start_;
      for (const auto& worker : workers_) {
        progress.files += worker->live_files();
        progress.bytes += worker->live_bytes();
      }
      const Nanos now = now_ns();
      progress.seconds = to_seconds(now - begin);
      progress.gib_per_s = to_gib(progress.bytes - last_bytes) / to_seconds(std::max<Nanos>(1, now - last));
      last = now;
      last_bytes = progress.bytes;
      request_.on_progress(progress);
    }
  }

  const GenerateRequest& request_;
  const GenerateProgress start_;
  const std::vector<std::unique_ptr<WriteWorker>>& workers_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

class Generation {
 public:
  Generation(const GenerateRequest& request, world::World& world)
      : request_(request),
        train_(*request.train),
        eval_(*request.eval),
        store_(*request.store),
        failure_(world.failure()),
        record_(describe_generation(request)) {}

  GenerateRecord execute() {
    record_.run_start = Stamp::now();
    if (Status done = carry_out(); !done) failure_.raise(std::move(done.error()));
    record_.run_end = Stamp::now();
    record_.peak_rss_bytes = static_cast<uint64_t>(usage_of_process().ru_maxrss) * kKiB;
    judge();
    return std::move(record_);
  }

 private:
  Status carry_out() {
    auto control = store_.open_session(1);
    if (!control) return fail(control.error());
    control_ = std::move(*control);
    const auto on_raise = failure_.on_raise([this] { control_->cancel(); });
    if (request_.destination.kind == DestinationState::Kind::kComplete) return keep_all();
    if (request_.destination.whole_files > record_.files) {
      return fail(ErrorCode::kInvalidStructure,
                  fmt::format("{} says that {} files are whole, of a data set of {}", kJournalName,
                              grouped(request_.destination.whole_files), grouped(record_.files)),
                  {}, "remove the folder and generate again");
    }
    const bool keeps = record_.traits.holds_objects;
    if (Status set = set_up(); !set) return set;
    if (keeps) {
      auto journalist =
          Journalist::start({request_.manifest.shape, request_.journal_interval_ns}, job_->window, store_, failure_);
      if (!journalist) return fail(journalist.error());
      journalist_ = std::move(*journalist);
    }
    write_files();
    if (journalist_) journalist_->stop();
    if (failure_.raised() || !keeps) return {};
    return finish();
  }

  /// Complete by its manifest.
  Status keep_all() {
    for (const Dataset* set : {&train_, &eval_}) {
      if (Status there = check_sample(*set, *control_); !there) return there;
    }
    record_.files_kept = record_.files;
    record_.bytes_kept = bytes_of_first(train_, eval_, record_.files);
    // The run that wrote the manifest may have ended before this.
    return control_->remove(kJournalName);
  }

  Status set_up() {
    const uint64_t first = request_.destination.whole_files;
    record_.files_kept = first;
    record_.bytes_kept = bytes_of_first(train_, eval_, first);
    const bool resumes = request_.destination.kind == DestinationState::Kind::kUnfinished;
    const uint64_t in_flight = uint64_t{request_.writes.workers} * request_.writes.depth;
    job_.reset(new WriteJob{train_, eval_, store_, failure_, request_.writes, request_.index_files,
                            CommitWindow(first, record_.files, kWindow),
                            Probe(resumes ? std::max(kMinAbsentInARow, 2 * in_flight) : 0)});
    for (uint32_t i = 0; i < request_.writes.workers; ++i) {
      auto worker = WriteWorker::create(*job_);
      if (!worker) return fail(worker.error());
      workers_.push_back(std::move(*worker));
    }
    return {};
  }

  void write_files() {
    const auto on_raise = failure_.on_raise([this] {
      for (const auto& worker : workers_) worker->cancel();
    });
    std::unique_ptr<GenerateMeter> meter;
    if (request_.on_progress) {
      const uint64_t expected = train_.expected_bytes() + eval_.expected_bytes();
      meter = std::make_unique<GenerateMeter>(
          request_, GenerateProgress{record_.files_kept, record_.files, record_.bytes_kept, expected}, workers_);
    }
    start_ = now_ns();
    const rusage before = usage_of_process();
    std::vector<std::thread> threads;
    try {
      for (const auto& worker : workers_) threads.emplace_back([&worker] { worker->work(); });
    } catch (const std::system_error& error) {
      failure_.raise({ErrorCode::kInternal,
                      fmt::format("can't start an I/O thread: {}", error.what()),
                      {},
                      "raise the limit of threads (ulimit -u), or lower --io-workers"});
    }
    for (std::thread& thread : threads) thread.join();
    const rusage after = usage_of_process();
    record_.cpu_user_s = seconds_of(after.ru_utime) - seconds_of(before.ru_utime);
    record_.cpu_system_s = seconds_of(after.ru_stime) - seconds_of(before.ru_stime);
    record_.seconds = to_seconds(now_ns() - start_);
    for (const auto& worker : workers_) {
      merge(record_, worker->numbers());
      bytes_planned_ += worker->numbers().bytes_planned;
      for (const std::string& problem : worker->problems()) log::warning("{}", problem);
    }
  }

  /// Every file is committed: makes it last, and says so. The manifest takes the journal's place, in this order, so
  /// that there is no moment at which neither tells what the folder holds.
  Status finish() {
    if (Status flushed = store_.flush(); !flushed) return flushed;
    record_.seconds = to_seconds(now_ns() - start_);
    const std::string text = manifest_text(request_.manifest);
    if (Status put = control_->put(kManifestName, std::as_bytes(std::span(text))); !put) return put;
    return control_->remove(kJournalName);
  }

  /// The verdict: passed only if nothing failed and every file is accounted for.
  void judge() {
    const auto account = [&](const char* what, uint64_t planned, uint64_t done) {
      if (planned != done)
        record_.reasons.push_back(fmt::format("{}: {} planned, {} done", what, grouped(planned), grouped(done)));
    };
    record_.error = failure_.first();
    checkpointing::add_cause(record_.error, record_.reasons);
    account("files", record_.files, record_.files_written + record_.files_kept);
    if (!record_.error) account("bytes written", bytes_planned_, record_.bytes_written);
    record_.verdict = checkpointing::judge(record_.reasons, record_.error);
  }

  const GenerateRequest& request_;
  const Dataset& train_;
  const Dataset& eval_;
  storage::Store& store_;
  world::Failure& failure_;
  GenerateRecord record_;
  std::unique_ptr<storage::Session> control_;
  std::unique_ptr<WriteJob> job_;
  std::vector<std::unique_ptr<WriteWorker>> workers_;
  std::unique_ptr<Journalist> journalist_;
  Nanos start_ = 0;
  uint64_t bytes_planned_ = 0;
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

GenerateRecord generate(const GenerateRequest& request, world::World& world) {
  return Generation(request, world).execute();
}

}  // namespace mlps::training
