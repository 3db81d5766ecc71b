#include "benchmarks/kvcache/run.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"
#include "base/process_usage.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "benchmarks/kvcache/progress.hpp"
#include "benchmarks/kvcache/rank_folder.hpp"
#include "benchmarks/kvcache/trial.hpp"

namespace mlps::kvcache {
namespace {

constexpr Nanos kProgressNs = 500'000'000;
constexpr Nanos kRemovalNs = 2'000'000'000;  // before the first window, of what an earlier run has left

/// Asks the kernel to give this thread, and those that it starts, short turns on a processor, for which it lets them
/// wait less: whoever sends requests on time computes little and often. Linux knows that from 6.12 on and does nothing
/// before; where it is refused, requests may be later on a busy machine, which the record shows.
void ask_for_short_turns() {
  if (::sched_getscheduler(0) != SCHED_OTHER) return;  // somebody has decided otherwise
  struct {
    uint32_t size = 48, policy = SCHED_OTHER;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime = 100'000, deadline = 0, period = 0;  // ns; runtime: the length of a turn
  } wanted;  // struct sched_attr of the kernel, of which the C library has no declaration
  static_assert(sizeof wanted == 48);
  wanted.nice = ::getpriority(PRIO_PROCESS, 0);
  if (::syscall(SYS_sched_setattr, 0, &wanted, 0) != 0) {
    log::info("the kernel refuses short turns: {}", std::strerror(errno));
  }
}

/// Runs this host's ranks; the first of them also prepares and closes each trial, when no window is open.
class KvCacheRun {
 public:
  KvCacheRun(const RunRequest& request, world::World& world)
      : request_(request),
        settings_(request.settings),
        store_(*request.store),
        world_(world),
        record_(describe_run(request)) {}

  RunRecord execute() {
    record_.run_start = Stamp::now();
    series_.emplace(record_.run_start.monotonic_ns);
    if (request_.on_progress) meter_ = std::make_unique<ProgressMeter>(request_, world_, *series_);
    Status ran = run_on_threads(
        world_.local_ranks(),
        {"rank threads", "--num-processes", [this](Error error) { world_.failure().raise(std::move(error)); }},
        [this](size_t place) { walk(static_cast<uint32_t>(place)); });
    if (!ran) world_.failure().raise(std::move(ran.error()));
    meter_.reset();
    end_trial();
    clear_folders();
    if (io_trace_) {
      if (Status written = io_trace_->finish(); !written) world_.failure().raise(written.error());
    }
    record_.run_end = Stamp::now();
    record_.series = series_->series();
    record_.peak_rss_bytes = peak_rss_bytes();
    record_.hosts = {summary()};
    record_.error = world_.failure().first();
    run::add_cause(record_.error, record_.reasons);
    std::stable_sort(record_.trials.begin(), record_.trials.end(), [](const RankTrial& a, const RankTrial& b) {
      return std::tuple(a.option, a.trial, a.rank) < std::tuple(b.option, b.trial, b.rank);
    });
    judge(record_, world_.local_ranks());
    return std::move(record_);
  }

 private:
  void walk(uint32_t place) {
    if (settings_.paged) ask_for_short_turns();
    const Nanos cost = world_.barrier_cost();
    if (place == 0) record_.barrier_cost_ns = cost;
    for (size_t option = 0; option < settings_.options.size(); ++option) {
      if (option > 0 && !world_.pause(settings_.inter_option_delay_s)) return;
      for (uint32_t trial = 0; trial < settings_.trials; ++trial) {
        if (!take_part(place, option, trial)) return;
      }
    }
  }

  bool take_part(uint32_t place, size_t option, uint32_t trial) {
    if (place == 0) {
      if (meter_) meter_->prepare(option, trial);
      if (Status begun = begin_trial(option, trial); !begun) world_.failure().raise(begun.error());
    }
    if (!world_.barrier()) return false;
    prepare(*trial_->ranks[place]);
    if (!world_.barrier()) return false;
    if (place == 0) {
      cpu_before_ = CpuTime::of_process();
      if (meter_) meter_->open();
    }
    RankTrial found = run_window(place, settings_.options[option], trial);
    if (!world_.barrier()) return false;
    if (place == 0) {
      cpu_before_.add_since(record_.cpu_user_s, record_.cpu_system_s);
      if (meter_) meter_->close();
      end_trial();
      if (Status removed = remove_all_entries(); !removed) world_.failure().raise(removed.error());
    }
    {
      const std::lock_guard lock(mutex_);
      record_.trials.push_back(std::move(found));
    }
    return world_.barrier();
  }

  // ---- the first rank, between windows

  Status begin_trial(size_t option, uint32_t trial_number) {
    if (option == 0 && trial_number == 0) {
      if (Status ready = prepare_folders(); !ready) return ready;
      if (Status ready = open_io_trace(); !ready) return ready;
    }
    auto trial =
        make_trial(request_, option, world_.first_rank(), names_, world_.failure(), &*series_, io_trace_.get());
    if (!trial) return fail(trial.error());
    trial_ = std::move(*trial);
    return {};
  }

  /// Ends the threads of the trial, after which nobody knows the ranks' operations any more.
  void end_trial() {
    if (trial_ == nullptr) return;
    for (auto* mover : {&trial_->storage, &trial_->memory}) {
      if (*mover == nullptr) continue;
      (*mover)->stop();
      merge<io::Stats>(mover == &trial_->storage ? record_.storage : record_.memory, (*mover)->stats());
      const Nanos first = (*mover)->first_part_ns();
      const bool is_first = mover == &trial_->storage && first != 0 && record_.first_byte_s == 0;
      if (is_first) record_.first_byte_s = to_seconds(first - record_.invocation_start.monotonic_ns);
      mover->reset();
    }
    trial_.reset();
  }

  // ---- folders

  Status open_io_trace() {
    if (request_.io_trace.empty()) return {};
    auto trace = IoTrace::open(request_.io_trace);
    if (!trace) return fail(trace.error());
    io_trace_ = std::move(*trace);
    return {};
  }

  Status prepare_folders() {
    for (uint32_t i = 0; i < world_.local_ranks() && !record_.traits.holds_objects; ++i) {
      names_.push_back(rank_folder(world_.first_rank() + i));
    }
    if (!record_.traits.holds_objects) return {};
    auto session = store_.open_session(1);
    if (!session) return fail(session.error());
    session_ = std::move(*session);
    const Nanos until = now_ns() + kRemovalNs;
    for (uint32_t i = 0; i < world_.local_ranks(); ++i) {
      const uint32_t rank = world_.first_rank() + i;
      const std::string root = store_.root().is_file_system() ? store_.root().path() : std::string();
      RankFolder folder(*session_, root, rank, entry_suffix(settings_.io));
      const auto left = folder.prepare([&] { return now_ns() > until || world_.failure().raised(); });
      if (!left) return fail(left.error());
      add_leftover(*left);
      if (left->entries > 0 || folder.is_crowded()) {
        log::warning("rank {}: {}{} entries of {} were left by a run that did not come to its end, and are removed{}",
                     rank, folder.is_crowded() ? "more than " : "", left->entries, human_bytes(left->bytes),
                     folder.is_crowded() ? "; the others stay until the last window has ended" : "");
      }
      record_.crowded_ranks += folder.is_crowded() ? 1 : 0;
      names_.push_back(folder.own());
      folders_.push_back(std::move(folder));
    }
    return {};
  }

  void add_leftover(const Leftover& left) {
    record_.leftover_entries += left.entries;
    record_.leftover_bytes += left.bytes;
  }

  Status remove_all_entries() const {
    for (const RankFolder& folder : folders_) {
      if (Status removed = folder.remove_own(); !removed) return removed;
    }
    return {};
  }

  /// At the end, however the run went: of the folders that were prepared nothing of ours stays. Whoever stops a run
  /// doesn't wait for what an earlier one has left.
  void clear_folders() {
    for (const RankFolder& folder : folders_) {
      const auto left = folder.clear([&] { return world_.failure().raised(); });
      if (!left) {
        log::warning("entries stay in the cache folder: {}", left.error().message);
      } else {
        add_leftover(*left);
      }
    }
  }

  // ---- every rank

  /// Lets a rank store what its window is to find.
  void prepare(Rank& rank) {
    const auto on_raise = world_.failure().on_raise([&rank] { rank.port.changed().notify(); });
    rank.simulation->prepare(now_ns());
    rank.hand_over();
    while (!rank.simulation->is_prepared() && !world_.failure().raised()) {
      const auto key = rank.port.changed().prepare_wait();
      rank.take_completions(INT64_MAX);
      const Nanos now = now_ns();
      rank.simulation->advance(now);
      rank.hand_over();
      if (!rank.simulation->is_prepared()) rank.port.changed().wait(key, rank.simulation->next_event());
    }
  }

  RankTrial run_window(uint32_t place, const OptionPlan& plan, uint32_t trial_number) {
    Rank& rank = *trial_->ranks[place];
    const auto on_raise = world_.failure().on_raise([&rank] { rank.port.changed().notify(); });
    const Stamp start = Stamp::now();
    const Nanos begin = start.monotonic_ns;
    const Nanos end = plan.duration_s > 0 ? begin + static_cast<Nanos>(plan.duration_s * kNanosPerSecond) : INT64_MAX;
    rank.port.set_window_end(end);
    rank.simulation->begin(begin);
    serve(place, rank, end);
    const Nanos ended = std::min(end, now_ns());
    rank.close(end, world_.failure());
    RankTrial found = rank.simulation->finish();
    found.option = plan.number;
    found.trial = trial_number;
    found.seed = settings_.seed + rank.port.rank();
    found.rank = rank.port.rank();
    found.start = start;
    found.elapsed_s = to_seconds(ended - begin);
    return found;
  }

  void serve(uint32_t place, Rank& rank, Nanos end) {
    Nanos next_tell = meter_ ? now_ns() + kProgressNs : INT64_MAX;
    while (!world_.failure().raised()) {
      const auto key = rank.port.changed().prepare_wait();
      rank.begin_round();
      rank.take_completions(end);
      const Nanos until = now_ns();
      Nanos now = until;
      while (now < end && rank.simulation->step(until, now)) now = now_ns();
      if (now >= end) return;
      rank.hand_over();
      if (const auto problem = rank.simulation->problem()) {
        return world_.failure().raise(*problem, rank.port.rank());
      }
      if (rank.simulation->is_done()) return;
      if (now >= next_tell) {
        tell(place, rank);
        next_tell = now + kProgressNs;
      }
      const Nanos next = std::min({rank.simulation->next_event(), end, next_tell});
      if (next > now && rank.simulation->look_ahead()) continue;
      rank.port.changed().wait(key, next);
    }
  }

  void tell(uint32_t place, const Rank& rank) {
    if (place == 0) meter_->moved(trial_->storage->live_bytes());
    meter_->tell(place, rank.simulation->counted().served.size(), rank.simulation->in_service(),
                 rank.simulation->waiting());
  }

  run::HostPart summary() const {
    run::HostPart part = run::describe_host(world_);
    part.workers = request_.io.front().storage.workers;
    part.first_byte_s = record_.first_byte_s;
    part.peak_rss_bytes = record_.peak_rss_bytes;
    part.servers = store_.server_uses();
    part.cpu_user_s = record_.cpu_user_s;
    part.cpu_system_s = record_.cpu_system_s;
    for (const RankTrial& trial : record_.trials) {
      const TierTraffic& storage = storage_of(trial);
      for (const Moved* moved : {&storage.read, &storage.demoted_out}) part.bytes_read += moved->inside + moved->late;
      for (const Moved* moved : {&storage.written, &storage.demoted_in}) {
        part.bytes_written += moved->inside + moved->late;
      }
    }
    part.retries = record_.storage.retries;
    part.retried_bytes = record_.storage.retried_bytes;
    return part;
  }

  const RunRequest& request_;
  const Settings& settings_;
  storage::Store& store_;
  world::World& world_;
  RunRecord record_;
  std::optional<io::SharedSeries> series_;
  std::unique_ptr<ProgressMeter> meter_;
  std::unique_ptr<IoTrace> io_trace_;
  std::unique_ptr<Trial> trial_;
  CpuTime cpu_before_;
  std::unique_ptr<storage::Session> session_;  // of the folders
  std::vector<RankFolder> folders_;            // that were prepared, of the first ranks
  std::vector<std::string> names_;             // what stands before the names of a rank's entries
  std::mutex mutex_;                           // of the record's trials
};

}  // namespace

std::string entry_suffix(KvIo io) {
  return io == KvIo::kCompat ? ".npy" : ".kv";
}

RunRecord describe_run(const RunRequest& request) {
  RunRecord record;
  static_cast<RunSettings&>(record) = request;
  record.invocation_start = request.invocation_start;
  record.location = request.store->root().to_string();
  record.traits = request.store->traits();
  record.store_settings = request.store->describe();
  record.injected_fault = request.injected_fault;
  return record;
}

RunRecord run(const RunRequest& request, world::World& world) {
  return KvCacheRun(request, world).execute();
}

}  // namespace mlps::kvcache
