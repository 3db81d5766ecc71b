#include "benchmarks/kvcache/run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/process_usage.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/engine.hpp"
#include "benchmarks/kvcache/io_trace.hpp"
#include "benchmarks/kvcache/memory_store.hpp"
#include "benchmarks/kvcache/metrics.hpp"
#include "benchmarks/kvcache/mover.hpp"
#include "benchmarks/kvcache/paged.hpp"
#include "benchmarks/kvcache/rank_folder.hpp"
#include "formats/npy.hpp"

namespace mlps::kvcache {
namespace {

constexpr Nanos kProgressNs = 500'000'000;
constexpr double kUsableShare = 0.95;  // of the free space, where no capacity is given
constexpr uint32_t kPartsAtOnce = 64;  // of one entry, where they may overlap

/// The window of one trial on this host: what moves entries, and each rank's simulation.
struct Trial;

/// One rank: its simulation, its completions, and the way of its operations to the movers.
class Rank final : public EntryIo {
 public:
  Rank(uint32_t number, Trial& trial) : port(number, rank_folder(number)), trial_(trial) {}

  void start(EntryOp& op) override;
  void remove(Tier tier, const std::string& name) override;

  Port port;
  std::unique_ptr<Simulation> simulation;
  IoTrace* io_trace = nullptr;
  uint64_t under_way = 0;

 private:
  Trial& trial_;
};

struct Trial {
  std::unique_ptr<storage::Store> memory_store;
  std::vector<std::unique_ptr<Rank>> ranks;
  std::unique_ptr<Mover> storage, memory;  // end before the ranks, whose operations they hold
};

void Rank::start(EntryOp& op) {
  ++under_way;
  if (io_trace != nullptr) io_trace->add(port.rank(), op);
  (op.tier == Tier::kCpu ? trial_.memory : trial_.storage)->begin(port, op);
}

void Rank::remove(Tier tier, const std::string& name) {
  (tier == Tier::kCpu ? trial_.memory : trial_.storage)->remove(port, name);
}

std::string npy_header_of(const Model& model, uint32_t tensor_parallel, uint64_t entry_bytes) {
  const auto type = workloads::ElementType::kFloat16;
  const uint64_t elements = entry_bytes / 2;
  const uint64_t tokens = model.bytes_per_token() == 0 ? 0 : entry_bytes / model.bytes_per_token();
  const bool plain = tensor_parallel == 1 && model.element_bytes == 2 && model.sliding_layers == 0 &&
                     model.key_width == model.value_width;
  if (!plain) return formats::npy_header(type, std::array{elements});
  if (model.is_latent()) {
    return formats::npy_header(type, std::array{uint64_t{model.layers}, tokens, uint64_t{model.latent} + model.rope});
  }
  return formats::npy_header(type, std::array<uint64_t, 5>{model.layers, 2, tokens, model.kv_heads, model.key_width});
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
    Status ran = run_on_threads(
        world_.local_ranks(),
        {"rank threads", "--num-processes", [this](Error error) { world_.failure().raise(std::move(error)); }},
        [this](size_t place) { walk(static_cast<uint32_t>(place)); });
    if (!ran) world_.failure().raise(std::move(ran.error()));
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
      if (Status begun = begin_trial(option, trial); !begun) world_.failure().raise(begun.error());
    }
    if (!world_.barrier()) return false;
    if (place == 0) cpu_before_ = CpuTime::of_process();
    RankTrial found = run_window(place, settings_.options[option], trial);
    if (!world_.barrier()) return false;
    if (place == 0) {
      cpu_before_.add_since(record_.cpu_user_s, record_.cpu_system_s);
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
    const OptionPlan& plan = settings_.options[option];
    if (option == 0 && trial_number == 0) {
      if (Status ready = prepare_folders(); !ready) return ready;
      if (Status ready = open_io_trace(); !ready) return ready;
    }
    const auto limits = limits_of(plan);
    if (!limits) return fail(limits.error());
    trial_ = std::make_unique<Trial>();
    for (uint32_t i = 0; i < world_.local_ranks(); ++i) {
      const uint32_t rank = world_.first_rank() + i;
      trial_->ranks.push_back(std::make_unique<Rank>(rank, *trial_));
      auto simulation = make_simulation(plan, rank, *limits, *trial_->ranks.back());
      if (!simulation) return fail(simulation.error());
      trial_->ranks.back()->simulation = std::move(*simulation);
      trial_->ranks.back()->io_trace = io_trace_.get();
    }
    return start_movers(request_.io[option], plan);
  }

  Result<std::unique_ptr<Simulation>> make_simulation(const OptionPlan& plan, uint32_t rank, Engine::Limits limits,
                                                      EntryIo& io) const {
    if (!settings_.paged) return std::make_unique<Engine>(settings_, plan, settings_.seed + rank, limits, io);
    auto reader = TraceReader::open(settings_.paged->trace);
    if (!reader) return fail(reader.error());
    return std::make_unique<PagedEngine>(*settings_.paged, plan.model, settings_.tensor_parallel, settings_.max_queue,
                                         std::move(*reader), io);
  }

  Status start_movers(const OptionIo& io, const OptionPlan& plan) {
    auto storage = Mover::start(io.storage, request_.verify, storage_form(plan), store_, world_.failure(), &*series_);
    if (!storage) return fail(std::move(storage.error()));
    trial_->storage = std::move(*storage);
    if (io.memory.workers == 0) return {};
    trial_->memory_store = make_memory_store();
    EntryForm form;
    form.seed = settings_.seed;
    auto memory = Mover::start(io.memory, request_.verify, form, *trial_->memory_store, world_.failure());
    if (!memory) return fail(std::move(memory.error()));
    trial_->memory = std::move(*memory);
    return {};
  }

  EntryForm storage_form(const OptionPlan& plan) const {
    EntryForm form;
    form.suffix = entry_suffix(settings_.io);
    form.seed = settings_.seed;
    if (settings_.io == KvIo::kDirect) {
      form.parts_at_once = kPartsAtOnce;
      return form;
    }
    form.is_split = true;
    form.drops_pages = record_.traits.file_system;
    form.header = [model = plan.model, devices = settings_.tensor_parallel](uint64_t bytes) {
      return npy_header_of(model, devices, bytes);
    };
    form.header_bytes = form.header(plan.model.entry_bytes(kPrefillOnlyTokens, settings_.tensor_parallel)).size();
    return form;
  }

  Result<Engine::Limits> limits_of(const OptionPlan& plan) const {
    const auto bytes_of = [](double gib) { return static_cast<uint64_t>(gib * static_cast<double>(kGiB)); };
    Engine::Limits limits;
    limits.bytes = {bytes_of(plan.gpu_gib), bytes_of(plan.cpu_gib), Tiers::kUnlimited};
    uint64_t& storage = limits.bytes[static_cast<size_t>(Tier::kStorage)];
    if (settings_.storage_capacity_gib > 0) {
      storage = bytes_of(settings_.storage_capacity_gib);
      return limits;
    }
    const auto capacity = store_.capacity();
    if (!capacity) return fail(capacity.error());
    if (!*capacity) return limits;
    // Ranks share the file system; those of other hosts may do so, too.
    const double usable = static_cast<double>((*capacity)->available_bytes) * kUsableShare;
    storage = static_cast<uint64_t>(usable / world_.size());
    return limits;
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

  template <class Act>
  Status for_each_folder(const Act& act) {
    if (!record_.traits.holds_objects) return {};
    auto session = store_.open_session(1);
    if (!session) return fail(session.error());
    for (uint32_t i = 0; i < world_.local_ranks(); ++i) {
      if (Status done = act(**session, world_.first_rank() + i); !done) return done;
    }
    return {};
  }

  Status prepare_folders() {
    return for_each_folder([this](storage::Session& session, uint32_t rank) -> Status {
      const auto left = prepare_rank_folder(session, rank, entry_suffix(settings_.io));
      if (!left) return fail(left.error());
      ++prepared_;
      record_.leftover_entries += left->entries;
      record_.leftover_bytes += left->bytes;
      if (left->entries == 0) return {};
      log::warning("rank {}: {} entries of {} were left by a run that did not come to its end, and are removed", rank,
                   left->entries, human_bytes(left->bytes));
      return {};
    });
  }

  Status remove_all_entries() {
    return for_each_folder([this](storage::Session& session, uint32_t rank) -> Status {
      const auto removed = remove_entries(session, rank, entry_suffix(settings_.io));
      return removed ? Status() : Status(fail(removed.error()));
    });
  }

  /// At the end, however the run went: of the folders that were prepared nothing of ours stays.
  void clear_folders() {
    uint32_t left = prepared_;
    const Status cleared = for_each_folder([&](storage::Session& session, uint32_t rank) -> Status {
      if (left == 0) return {};
      --left;
      return clear_rank_folder(session, rank, entry_suffix(settings_.io));
    });
    if (!cleared) log::warning("entries stay in the cache folder: {}", cleared.error().message);
  }

  // ---- every rank

  RankTrial run_window(uint32_t place, const OptionPlan& plan, uint32_t trial_number) {
    Rank& rank = *trial_->ranks[place];
    const auto on_raise = world_.failure().on_raise([&rank] { rank.port.changed().notify(); });
    const Stamp start = Stamp::now();
    const Nanos begin = start.monotonic_ns;
    const Nanos end = plan.duration_s > 0 ? begin + static_cast<Nanos>(plan.duration_s * kNanosPerSecond) : INT64_MAX;
    rank.port.set_window_end(end);
    rank.simulation->begin(begin);
    Progress progress{plan.number, trial_number + 1, settings_.trials, 0, plan.duration_s, 0, 0, 0, 0};
    serve(rank, begin, end, place == 0 && request_.on_progress ? &progress : nullptr);
    const Nanos ended = std::min(end, now_ns());
    close(rank, end);
    RankTrial found = rank.simulation->finish();
    found.option = plan.number;
    found.trial = trial_number;
    found.seed = settings_.seed + rank.port.rank();
    found.rank = rank.port.rank();
    found.start = start;
    found.elapsed_s = to_seconds(ended - begin);
    return found;
  }

  void serve(Rank& rank, Nanos begin, Nanos end, Progress* progress) {
    Nanos tell = begin + kProgressNs;
    uint64_t told_bytes = 0;
    while (!world_.failure().raised()) {
      const auto key = rank.port.changed().prepare_wait();
      take_completions(rank, end);
      const Nanos now = now_ns();
      if (now >= end) return;
      rank.simulation->advance(now);
      if (const auto problem = rank.simulation->problem()) {
        return world_.failure().raise(*problem, rank.port.rank());
      }
      if (rank.simulation->is_done()) return;
      if (progress != nullptr && now >= tell) {
        show(rank, now - begin, *progress, told_bytes);
        tell = now + kProgressNs;
      }
      const Nanos wake = std::min(rank.simulation->next_event(), end);
      rank.port.changed().wait(key, progress != nullptr ? std::min(wake, tell) : wake);
    }
  }

  void take_completions(Rank& rank, Nanos end) {
    std::vector<EntryOp*> done;
    rank.port.take(done);
    rank.under_way -= done.size();
    for (EntryOp* op : done) {
      if (!op->is_cut && op->completed_ns <= end) {
        rank.simulation->complete(*op);
      } else {
        rank.simulation->complete_late(*op);
      }
    }
  }

  /// The window is over: what is under way is given up, and its bytes inside the window count.
  void close(Rank& rank, Nanos end) {
    rank.simulation->close();
    trial_->storage->cut(rank.port);
    if (trial_->memory) trial_->memory->cut(rank.port);
    while (!world_.failure().raised()) {
      const auto key = rank.port.changed().prepare_wait();
      take_completions(rank, end);
      if (rank.under_way == 0) return;
      rank.port.changed().wait(key);
    }
  }

  void show(const Rank& rank, Nanos elapsed, Progress& progress, uint64_t& told_bytes) {
    const uint64_t bytes = trial_->storage->live_bytes();
    progress.gib_per_s = to_gib(bytes - told_bytes) / (to_seconds(elapsed) - progress.elapsed_s);
    told_bytes = bytes;
    progress.elapsed_s = to_seconds(elapsed);
    progress.served = rank.simulation->counted().served.size();
    progress.waiting = rank.simulation->waiting();
    progress.in_service = rank.simulation->in_service();
    request_.on_progress(progress);
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
  std::unique_ptr<IoTrace> io_trace_;
  std::unique_ptr<Trial> trial_;
  CpuTime cpu_before_;
  uint32_t prepared_ = 0;  // folders, of the first ranks
  std::mutex mutex_;       // of the record's trials
};

}  // namespace

std::string entry_suffix(KvIo io) {
  return io == KvIo::kCompat ? ".npy" : ".kv";
}

std::string progress_line(const Progress& progress) {
  return fmt::format("option {}, trial {}/{}  {:.0f} of {:.0f} s  {:.2f} GiB/s  {} served, {} in service, {} waiting",
                     progress.option, progress.trial, progress.trials, progress.elapsed_s, progress.duration_s,
                     progress.gib_per_s, grouped(progress.served), progress.in_service, grouped(progress.waiting));
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
