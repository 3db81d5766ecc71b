#include "benchmarks/checkpointing/run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/process_usage.hpp"
#include "base/stall_meter.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/metrics.hpp"
#include "benchmarks/checkpointing/progress.hpp"
#include "benchmarks/checkpointing/stored_checkpoints.hpp"
#include "io/object_pool.hpp"
#include "world/cpu_pressure.hpp"

namespace mlps::checkpointing {
namespace {

constexpr const char* kMismatchHint =
    "the storage returned other bytes than it was given, or the object is from another run; compare --seed and "
    "--size-scale with the run that wrote it";
// A page cache that still holds more than this share of a checkpoint is worth a warning.
constexpr double kWarmShare = 0.01;

/// Runs this host's share of a plan: rank threads go through the events together; the first of them also prepares and
/// closes each event, in the time that no rank's clock runs.
class CheckpointRun {
 public:
  CheckpointRun(const RunRequest& request, world::World& world)
      : request_(request),
        plan_(share_of(request.plan, world.first_rank(), world.local_ranks())),
        store_(*request.store),
        world_(world),
        record_(describe_run(request)),
        intervals_(plan_.ranks.size()) {
    record_.first_rank = world.first_rank();
  }

  RunRecord execute() {
    record_.run_start = Stamp::now();
    if (auto status = set_up(); !status) {
      world_.failure().raise(status.error());
    } else {
      run_ranks();
      pool_->stop();
      merge<io::Stats>(record_.write, pool_->stats(true));
      merge<io::Stats>(record_.read, pool_->stats(false));
      const Nanos first = pool_->first_part_ns();
      if (first != 0) record_.first_byte_s = to_seconds(first - record_.invocation_start.monotonic_ns);
    }
    record_.run_end = Stamp::now();
    record_.peak_rss_bytes = peak_rss_bytes();
    record_.hosts = {summary()};
    record_.error = world_.failure().first();
    run::add_cause(record_.error, record_.reasons);
    judge(record_, plan_);
    for (const std::string& warning : slow_client(record_, run::kSlowClient)) log::warning("{}", warning);
    return std::move(record_);
  }

 private:
  Status set_up() {
    auto control = store_.open_session(1);
    if (!control) return fail(control.error());
    control_ = std::move(*control);
    if (Status started = stalls_.start([this](Error error) { world_.failure().raise(std::move(error)); }); !started) {
      return started;
    }
    io::Plan io = request_.io;
    io.buffers = request_.payload != PayloadMode::kNone;
    auto pool = io::ObjectPool::start({io, request_.verify, kMismatchHint}, store_, world_.failure(),
                                      request_.on_progress ? &series_ : nullptr);
    if (!pool) return fail(std::move(pool.error()));
    pool_ = std::move(*pool);
    if (request_.on_progress) meter_ = std::make_unique<ProgressMeter>(request_, plan_, *pool_, series_, world_);
    return {};
  }

  void run_ranks() {
    Status ran = run_on_threads(
        plan_.ranks.size(),
        {"rank threads", "--num-processes", [this](Error error) { world_.failure().raise(std::move(error)); }},
        [this](size_t place) { walk(static_cast<uint32_t>(place)); });
    if (!ran) world_.failure().raise(std::move(ran.error()));
    meter_.reset();
  }

  /// Carries out all events of the rank at `place` of this host.
  void walk(uint32_t place) {
    const Nanos cost = world_.barrier_cost();
    if (place == 0) record_.barrier_cost_ns = cost;
    for (const Phase phase : {Phase::kWrite, Phase::kRead}) {
      uint32_t count = planned(phase);
      for (uint32_t checkpoint = 1; checkpoint <= count; ++checkpoint) {
        if (!take_part(place, phase, checkpoint)) return;
        if (!request_.ends_early || checkpoint == count) continue;
        if (place == 0) consider_end(phase, checkpoint);
        if (!world_.barrier()) return;
        count = planned(phase);
      }
    }
  }

  /// Changes only between the end of a checkpoint and the barrier behind it, where nobody else asks.
  uint32_t planned(Phase phase) const {
    return phase == Phase::kWrite ? plan_.checkpoints_to_write : plan_.checkpoints_to_read;
  }

  /// Ends the plan of a phase with this checkpoint, if it is to end early. Only what was written is read.
  void consider_end(Phase phase, uint32_t checkpoint) {
    const auto ended = request_.ends_early(record_, phase);
    if (!ended) {
      world_.failure().raise(ended.error());
      return;
    }
    if (*ended == run::EndedBy::kPlan) return;
    (phase == Phase::kWrite ? record_.write_ended_by : record_.read_ended_by) = *ended;
    CheckpointPlan shorter = plan_;
    shorter.checkpoints_to_read = std::min(shorter.checkpoints_to_read, checkpoint);
    if (phase == Phase::kWrite) shorter.checkpoints_to_write = checkpoint;
    record_.plan.checkpoints_to_write = shorter.checkpoints_to_write;
    record_.plan.checkpoints_to_read = shorter.checkpoints_to_read;
    if (meter_) meter_->shorten(shorter);
    plan_ = std::move(shorter);
  }

  /// One save or load, in the order of DLIO: pause, barrier, clock.
  bool take_part(uint32_t place, Phase phase, uint32_t checkpoint) {
    if (place == 0) {
      if (meter_) meter_->prepare(phase, checkpoint);
      if (auto status = prepare(phase, checkpoint); !status) world_.failure().raise(status.error());
      if (meter_) meter_->pause();
    }
    if (!world_.pause(plan_.pause_seconds)) return false;
    if (place == 0) open_event();
    const Nanos arrived = now_ns();
    if (!world_.barrier()) return false;
    io::RankQueue& queue = work_->queue(place);
    RankInterval& interval = intervals_[place];
    interval = {};
    interval.rank = plan_.ranks[place].rank;
    interval.start = Stamp::now();
    interval.barrier_ns = interval.start.monotonic_ns - arrived;
    work_->activate(place, interval.start.monotonic_ns);
    if (!queue.wait_done()) return false;
    Nanos end = queue.end_ns();
    if (plan_.rank_sync) {
      if (!world_.barrier()) return false;
      end = now_ns();
    }
    interval.duration_ns = end - interval.start.monotonic_ns;
    interval.bytes = plan_.ranks[place].total_bytes();
    interval.prepare_ns = queue.prepare_ns();
    interval.storage_ns = queue.storage_ns();
    if (!world_.barrier()) return false;
    if (place == 0) close_event();
    return true;
  }

  /// Checks the objects to be read and queues every rank's objects. Called by the first rank, before the pause.
  Status prepare(Phase phase, uint32_t checkpoint) {
    cached_before_.reset();
    uint64_t seed = record_.seed;
    if (phase == Phase::kRead && record_.traits.holds_objects) {
      if (checkpoint == 1) {
        if (auto status = prepare_reading(); !status) return status;
      }
      auto cached = residency(plan_, checkpoint, store_);
      if (!cached) return fail(cached.error());
      cached_before_ = *cached;
      warn_if_warm(checkpoint);
      if (request_.verify && !request_.seed_is_given && plan_.checkpoints_to_write == 0) {
        auto found = find_seed(plan_, checkpoint, *control_);
        if (!found) return fail(found.error());
        seed = record_.seed = *found;
      }
    }
    auto work = std::make_unique<io::PhaseWork>(phase == Phase::kWrite,
                                                fmt::format("{} of checkpoint {}", phase_name(phase), checkpoint),
                                                static_cast<uint32_t>(plan_.ranks.size()), world_.first_rank());
    for (const RankPlan& rank : plan_.ranks) {
      for (const PlannedObject& planned : rank.objects) {
        const payload::Source content(seed, payload_name(plan_, checkpoint, planned));
        work->queue(rank.rank - world_.first_rank())
            .add(
                store_.object({object_name(checkpoint, planned), planned.size_bytes, request_.io.part_bytes, content}));
      }
    }
    work_ = std::move(work);
    phase_ = phase;
    checkpoint_ = checkpoint;
    return {};
  }

  /// Checks, once between the phases, that every expected object exists, and drops them from this host's page cache.
  Status prepare_reading() {
    for (uint32_t checkpoint = 1; checkpoint <= plan_.checkpoints_to_read; ++checkpoint) {
      if (auto status = check_stored(plan_, checkpoint, *control_); !status) return status;
    }
    if (!record_.traits.file_system) return {};
    for (uint32_t checkpoint = 1; checkpoint <= plan_.checkpoints_to_read; ++checkpoint) {
      if (auto status = evict(plan_, checkpoint, store_); !status) return status;
    }
    record_.eviction =
        "before reading: every host wrote back the files it is to read (sync) and told the kernel to drop their pages "
        "(fadvise DONTNEED)";
    return {};
  }

  /// Says, once in what was done about the page cache, that pages stayed there all the same, or may have.
  void warn_if_warm(uint32_t checkpoint) {
    if (!record_.traits.file_system || (cached_before_ && cached_before_->total_bytes == 0)) return;
    if (!cached_before_) {
      if (stayed_) return;
      stayed_ = true;
      record_.eviction += "; how many stayed is not known: the kernel doesn't tell this user of these files";
      log::warning(
          "checkpoint {}: whether its bytes are in this host's page cache is not known: the kernel tells only "
          "who owns the files or may write them",
          checkpoint);
      return;
    }
    const double share =
        static_cast<double>(cached_before_->cached_bytes) / static_cast<double>(cached_before_->total_bytes);
    if (share <= kWarmShare) return;
    log::warning("checkpoint {}: {:.1f} % of its bytes are still in this host's page cache before reading", checkpoint,
                 100 * share);
    if (stayed_) return;
    stayed_ = true;
    record_.eviction += fmt::format("; but {:.1f} % of checkpoint {} stayed there", 100 * share, checkpoint);
  }

  void open_event() {
    if (work_ == nullptr) return;
    cpu_before_ = CpuTime::of_process();
    stopped_.emplace(stalls_, quota_);
    if (meter_) meter_->enter();
    pool_->work_on(*work_);
  }

  /// The host's first rank, after the closing barrier: all ranks' intervals are complete and no I/O thread looks
  /// at the work any more.
  void close_event() {
    pool_->wait_idle();
    CheckpointEvent event{phase_, checkpoint_, intervals_.front().start, 0, 0, intervals_, cached_before_};
    Nanos last_end = 0;
    for (const RankInterval& interval : intervals_) {
      if (interval.start.monotonic_ns < event.start.monotonic_ns) event.start = interval.start;
      last_end = std::max(last_end, interval.start.monotonic_ns + interval.duration_ns);
    }
    event.slowest_ns = last_end - event.start.monotonic_ns;
    const Nanos idle = pool_->idle_ns({event.start.monotonic_ns, last_end});
    event.client_ns = std::min(event.slowest_ns, std::max(idle, stopped_->ns()));
    PhaseStats& stats = event.phase == Phase::kWrite ? record_.write : record_.read;
    cpu_before_.add_since(stats.cpu_user_s, stats.cpu_system_s);
    stats.wall_s += to_seconds(event.slowest_ns);
    if (meter_) meter_->leave(event);
    log::info("{} checkpoint {}: {}{} in {:.3f} s, {:.3f} GiB/s", event.phase == Phase::kWrite ? "saved" : "loaded",
              event.checkpoint, world_.hosts() > 1 ? "this host's " : "", human_bytes(plan_.checkpoint_bytes()),
              to_seconds(event.slowest_ns),
              to_gib(plan_.checkpoint_bytes()) / to_seconds(std::max<Nanos>(1, event.slowest_ns)));
    record_.events.push_back(std::move(event));
  }

  /// This process's entry among the hosts.
  run::HostPart summary() const {
    run::HostPart part = run::describe_host(world_);
    part.workers = request_.io.workers;
    part.first_byte_s = record_.first_byte_s;
    part.peak_rss_bytes = record_.peak_rss_bytes;
    part.cpu_user_s = record_.write.cpu_user_s + record_.read.cpu_user_s;
    part.cpu_system_s = record_.write.cpu_system_s + record_.read.cpu_system_s;
    part.bytes_read = record_.read.bytes;
    part.bytes_written = record_.write.bytes;
    part.retries = record_.write.retries + record_.read.retries;
    part.retried_bytes = record_.write.retried_bytes + record_.read.retried_bytes;
    part.servers = store_.server_uses();
    return part;
  }

  const RunRequest& request_;
  CheckpointPlan plan_;  // this host's share
  storage::Store& store_;
  world::World& world_;
  RunRecord record_;
  std::unique_ptr<storage::Session> control_;  // the first rank's, for checks between events
  std::unique_ptr<io::PhaseWork> work_;        // of the current event; outlives its use by the pool
  Phase phase_ = Phase::kWrite;                // of the current event
  uint32_t checkpoint_ = 0;                    // of the current event
  io::SharedSeries series_{now_ns()};          // looked at by the meter alone
  std::unique_ptr<io::ObjectPool> pool_;
  std::unique_ptr<ProgressMeter> meter_;
  std::vector<RankInterval> intervals_;  // one per rank, of the current event
  std::optional<storage::Residency> cached_before_;
  bool stayed_ = false;  // it is said that pages could not be dropped
  CpuTime cpu_before_;
  StallMeter stalls_;
  const world::QuotaCounters quota_;
  std::optional<world::StoppedTime> stopped_;  // since the current event began
};

}  // namespace

RunRecord describe_run(const RunRequest& request) {
  RunRecord record;
  static_cast<RunSettings&>(record) = request;
  record.invocation_start = request.invocation_start;
  record.location = request.store->root().to_string();
  record.traits = request.store->traits();
  record.store_settings = request.store->describe();
  record.payload_layer = payload::active_layer();
  record.injected_fault = request.injected_fault;
  return record;
}

RunRecord run(const RunRequest& request, world::World& world) {
  return CheckpointRun(request, world).execute();
}

}  // namespace mlps::checkpointing
