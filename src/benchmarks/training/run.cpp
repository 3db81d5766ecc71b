#include "benchmarks/training/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/log.hpp"
#include "base/process_usage.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/training/extent_reader.hpp"
#include "benchmarks/training/page_cache.hpp"
#include "benchmarks/training/progress.hpp"
#include "benchmarks/training/step_log.hpp"
#include "benchmarks/training/step_loop.hpp"
#include "benchmarks/training/wakeup_latency.hpp"
#include "io/saver.hpp"

namespace mlps::training {
namespace {

// A page cache that holds more than this share of the data set is worth a warning.
constexpr double kWarmShare = 0.01;

/// Reads that one rank may have open: what it reads ahead, and the batch in use.
uint64_t stream_capacity(const RunRequest& request) {
  const ExtentMap train(request.train->format(), request.plan.samples_per_file);
  const uint64_t batch = train.tickets_for(std::max(request.plan.batch_size, request.plan.eval_batch_size));
  return request.reads.read_ahead_extents + 2 * (batch + 1);
}

/// One run: the calling thread runs the step loop of all epochs; I/O threads read beside it.
class TrainingRun {
 public:
  TrainingRun(const RunRequest& request, world::World& world)
      : request_(request),
        plan_(request.plan),
        world_(world),
        record_(describe_run(request, world.first_rank())),
        queue_(world.first_rank(), world.local_ranks(), stream_capacity(request)),
        step_loop_(queue_, world, stalls_, series_.origin()) {}

  RunRecord execute() {
    record_.run_start = Stamp::now();
    cpu_before_ = CpuTime::of_process();
    if (Status ready = set_up(); !ready) world_.failure().raise(std::move(ready.error()));
    request_low_wakeup_latency();  // the readers, started before, keep their long slices
    if (world_.hosts() > 1) record_.barrier_cost_ns = world_.meeting_cost();
    for (uint32_t epoch = 1; epoch <= plan_.epochs && !world_.failure().raised(); ++epoch) {
      if (Status done = run_epoch(epoch); !done) world_.failure().raise(std::move(done.error()));
      if (epoch < plan_.epochs && ends_early()) break;
    }
    finish();
    return std::move(record_);
  }

 private:
  Status set_up() {
    auto steps = StepLog::create(request_.scratch_folder, world_.local_ranks());
    if (!steps) return fail(std::move(steps.error()));
    record_.steps = std::move(*steps);
    if (Status started = stalls_.start([this](Error error) { world_.failure().raise(std::move(error)); }); !started) {
      return started;
    }
    auto readers = Readers::start(request_.reads, request_.verify, *request_.store, queue_, world_.failure(), series_);
    if (!readers) return fail(std::move(readers.error()));
    readers_ = std::move(*readers);
    if (!plan_.checkpoints.empty() && world_.first_rank() == 0) {
      auto saver = io::Saver::open(*request_.checkpoints, request_.workload.checkpointing.model_bytes, processors(),
                                   world_.failure());
      if (!saver) return fail(std::move(saver.error()));
      saver_ = std::move(*saver);
    }
    if (request_.on_progress) {
      meter_ =
          std::make_unique<ProgressMeter>(request_, world_, ProgressMeter::Sources{step_loop_, *readers_, series_});
    }
    return {};
  }

  Status run_epoch(uint32_t number) {
    Epoch epoch;
    epoch.number = number;
    if (record_.traits.file_system) {
      show(number, "looking at the page cache");
      auto cache = keep_cold(*request_.train, *request_.store, request_.eviction_limit_s, request_.reads.workers,
                             world_.failure());
      if (!cache) return fail(std::move(cache.error()));
      epoch.cache = std::move(*cache);
      if (meter_) meter_->found_cached(epoch.cache->cached_share());
      warn_if_warm(epoch);
    }
    if (!world_.meet_hosts()) return stopped();  // no host reads ahead while another still evicts
    const world::CpuPressure before = world::cpu_pressure();
    epoch.start = Stamp::now();
    begin_pass(FileSet::kTrain, number, plan_.steps_per_epoch * plan_.batch_size);
    const uint64_t read_before = readers_->live_bytes();
    if (Status trained = train(epoch); !trained) return trained;
    epoch.trained = Stamp::now();
    epoch.training_bytes = readers_->live_bytes() - read_before;
    if (std::find(plan_.eval_epochs.begin(), plan_.eval_epochs.end(), number) != plan_.eval_epochs.end()) {
      if (Status evaluated = evaluate(epoch); !evaluated) return evaluated;
    }
    epoch.end = Stamp::now();
    epoch.pressure = world::cpu_pressure().since(before);
    epoch.io_thread_ns = request_.reads.workers * (epoch.end.monotonic_ns - epoch.start.monotonic_ns);
    sum_up(epoch);
    if (meter_) meter_->leave(epoch.au);
    log::info("epoch {}{}: AU {:.2f} %, {:.1f} samples/s, {:.1f} s", number, world_.hosts() > 1 ? " on this host" : "",
              epoch.au, epoch.throughput, to_seconds(epoch.end.monotonic_ns - epoch.start.monotonic_ns));
    record_.epochs.push_back(std::move(epoch));
    return {};
  }

  bool ends_early() {
    if (!request_.ends_early || world_.failure().raised()) return false;
    const auto ended = request_.ends_early(record_);
    if (!ended) {
      world_.failure().raise(ended.error());
      return false;
    }
    record_.ended_by = *ended;
    return *ended != run::EndedBy::kPlan;
  }

  void begin_pass(FileSet set, uint32_t epoch, uint64_t samples) {
    const Dataset& dataset = set == FileSet::kTrain ? *request_.train : *request_.eval;
    const EpochOrder order(dataset.files(), plan_.accelerators, request_.workload.reader.file_shuffle,
                           epoch_key(request_.workload, set, epoch, request_.run_seed));
    passes_.push_back({epoch, &dataset, order, ExtentMap(dataset.format(), dataset.samples_per_file()),
                       sample_key(request_.workload, set, epoch, request_.run_seed)});
    queue_.begin(passes_.back(), samples, request_.reads.in_flight);
    record_.extents_planned += world_.local_ranks() * passes_.back().extents.tickets_for(samples);
  }

  /// The blocks of an epoch: a checkpoint ends one.
  Status train(Epoch& epoch) {
    step_loop_.set_compute_time(request_.workload.training.computation_time, seed_of_times(epoch.number, 0));
    uint64_t done = 0;
    for (const RunPlan::Checkpoint& checkpoint : plan_.checkpoints) {
      if (checkpoint.epoch != epoch.number) continue;
      if (Status ran = run_block(epoch, done, checkpoint.step); !ran) return ran;
      done = checkpoint.step;
      if (Status saved = save(epoch, checkpoint); !saved) return saved;
    }
    return done < plan_.steps_per_epoch ? run_block(epoch, done, plan_.steps_per_epoch) : Status{};
  }

  Status run_block(Epoch& epoch, uint64_t first, uint64_t end) {
    show(epoch.number, "train");
    BlockRequest block = block_request(first, end - first, plan_.batch_size);
    block.on_step = [this](const std::vector<StepTimes>& ranks) { return record_.steps->append(ranks); };
    const uint64_t first_logged = record_.steps->steps();
    if (!world_.meet_hosts()) return stopped();
    if (record_.start_up_s == 0) record_.start_up_s = to_seconds(now_ns() - request_.invocation_start.monotonic_ns);
    BlockResult result = step_loop_.run_block(block);
    if (!result.finished) return stopped();
    epoch.blocks.push_back({std::move(result.ranks), first_logged, result.client});
    return {};
  }

  Status evaluate(Epoch& epoch) {
    show(epoch.number, "evaluate");
    begin_pass(FileSet::kEval, epoch.number, plan_.eval_steps * plan_.eval_batch_size);
    step_loop_.set_compute_time(request_.workload.eval.eval_time, seed_of_times(epoch.number, 1));
    BlockRequest block = block_request(0, plan_.eval_steps, plan_.eval_batch_size);
    block.barrier = false;
    if (!world_.meet_hosts()) return stopped();
    Evaluation evaluation;
    evaluation.start = Stamp::now();
    BlockResult result = step_loop_.run_block(block);
    if (!result.finished) return stopped();
    evaluation.end = Stamp::now();
    evaluation.ranks = std::move(result.ranks);
    for (RankBlock& rank : evaluation.ranks) {  // unlike that of training, over all steps
      const double seconds = to_seconds(rank.end.monotonic_ns - rank.start.monotonic_ns);
      rank.throughput = seconds > 0 ? static_cast<double>(rank.steps * plan_.eval_batch_size) / seconds : 0;
    }
    evaluation.client = result.client;
    epoch.evaluation = std::move(evaluation);
    return {};
  }

  Status save(Epoch& epoch, const RunPlan::Checkpoint& checkpoint) {
    if (world_.first_rank() != 0) return {};  // the first accelerator saves; the others meet it before the next block
    show(epoch.number, "checkpoint");
    const world::StoppedTime stopped(stalls_, quota_);
    auto saved =
        saver_->save({{checkpoint.object(), request_.workload.checkpointing.model_bytes}}, request_.train->seed());
    if (!saved) return fail(std::move(saved.error()));
    std::optional<Nanos> client;  // without a storage nothing can wait
    if (request_.checkpoints->traits().holds_objects) {
      client = std::min(saved->duration_ns, std::max(saved->idle_ns, stopped.ns()));
    }
    epoch.checkpoints.push_back(
        {checkpoint.epoch, checkpoint.step, saved->start, saved->duration_ns, saved->bytes, client});
    return {};
  }

  BlockRequest block_request(uint64_t first, uint64_t steps, uint64_t batch_size) const {
    BlockRequest block;
    block.first_batch = first;
    block.steps = steps;
    block.ahead = {request_.reads.read_ahead_batches, request_.reads.read_ahead_window,
                   request_.reads.read_ahead_extents};
    block.storage = record_.traits.holds_objects || !request_.injected_fault.empty();
    block.window = {batch_size, request_.workload.metric.exclude_start_steps,
                    request_.workload.metric.exclude_end_steps};
    return block;
  }

  uint64_t seed_of_times(uint32_t epoch, uint64_t kind) const {
    return request_.workload.training.seed * 0x9e3779b97f4a7c15u + epoch * 2 + kind;
  }

  Status stopped() const {
    auto cause = world_.failure().first();
    return fail(cause ? *cause : Error{ErrorCode::kInternal, "the run stopped without a cause"});
  }

  void show(uint32_t epoch, const char* phase) {
    if (meter_) meter_->enter(epoch, phase);
  }

  void warn_if_warm(const Epoch& epoch) const {
    const CacheProbe& cache = *epoch.cache;
    if (cache.cached_share().value_or(0) <= kWarmShare) return;
    log::warning("epoch {}: {:.1f} % of the sampled bytes of the data set are in this host's page cache ({})",
                 epoch.number, 100 * *cache.cached_share(), cache.action);
  }

  void finish() {
    meter_.reset();
    if (readers_) {
      readers_->stop();
      readers_->merge_into(record_.stats);
      record_.series = series_.series();
      record_.series.merge(step_loop_.series());
      const Nanos first = readers_->first_read_ns();
      if (first != 0) record_.first_byte_s = to_seconds(first - request_.invocation_start.monotonic_ns);
    }
    saver_.reset();
    if (record_.steps) {
      record_.steps_logged = record_.steps->steps();
      if (Status flushed = record_.steps->flush(); !flushed) world_.failure().raise(std::move(flushed.error()));
    }
    cpu_before_.add_since(record_.stats.cpu_user_s, record_.stats.cpu_system_s);
    record_.run_end = Stamp::now();
    record_.peak_rss_bytes = peak_rss_bytes();
    record_.hosts = {summary()};
    record_.error = world_.failure().first();
    run::add_cause(record_.error, record_.reasons);
    judge(record_);
    for (const std::string& warning : slow_client(record_, run::kSlowClient)) log::warning("{}", warning);
  }

  /// This process's entry among the hosts.
  run::HostPart summary() const {
    run::HostPart part = run::describe_host(world_);
    part.workers = request_.reads.workers;
    part.first_byte_s = record_.first_byte_s;
    part.peak_rss_bytes = record_.peak_rss_bytes;
    part.cpu_user_s = record_.stats.cpu_user_s;
    part.cpu_system_s = record_.stats.cpu_system_s;
    part.bytes_read = record_.stats.bytes;
    for (const Epoch& epoch : record_.epochs) {
      for (const SavedCheckpoint& saved : epoch.checkpoints) part.bytes_written += saved.bytes;
    }
    part.retries = record_.stats.retries;
    part.retried_bytes = record_.stats.retried_bytes;
    part.servers = request_.store->server_uses();
    return part;
  }

  const RunRequest& request_;
  const RunPlan& plan_;
  world::World& world_;
  RunRecord record_;
  StallMeter stalls_;
  const world::QuotaCounters quota_;
  io::SharedSeries series_{now_ns()};
  PrefetchQueue queue_;
  StepLoop step_loop_;
  std::deque<Pass> passes_;  // readers may look at the last one until they are stopped
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<io::Saver> saver_;
  std::unique_ptr<ProgressMeter> meter_;
  CpuTime cpu_before_;
};

}  // namespace

RunRecord describe_run(const RunRequest& request, uint32_t first_rank) {
  const workloads::TrainingWorkload& workload = request.workload;
  RunRecord record;
  record.invocation_start = request.invocation_start;
  record.plan = request.plan;
  record.first_rank = first_rank;
  record.reads = request.reads;
  record.model = workload.model;
  record.accelerator = workload.accelerator;
  record.format = workloads::format_name(workload.dataset.format);
  record.record_bytes = workload.dataset.record_bytes;
  record.au_threshold = workload.metric.au;
  record.excluded_start = workload.metric.exclude_start_steps;
  record.excluded_end = workload.metric.exclude_end_steps;
  record.location = request.store->root().to_string();
  record.traits = request.store->traits();
  record.store_settings = request.store->describe();
  record.data_seed = request.train->seed();
  record.run_seed = request.run_seed;
  record.verify = request.verify;
  record.injected_fault = request.injected_fault;
  record.notes = workload.notes;
  return record;
}

RunRecord run(const RunRequest& request, world::World& world) {
  return TrainingRun(request, world).execute();
}

}  // namespace mlps::training
