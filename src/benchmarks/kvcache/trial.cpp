#include "benchmarks/kvcache/trial.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "base/process_usage.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/engine.hpp"
#include "benchmarks/kvcache/memory_store.hpp"
#include "benchmarks/kvcache/paged.hpp"
#include "benchmarks/kvcache/rank_folder.hpp"
#include "formats/npy.hpp"

namespace mlps::kvcache {
namespace {

constexpr double kUsableShare = 0.95;  // of the free space, where no capacity is given
constexpr uint32_t kPartsAtOnce = 64;  // of one entry, where they may overlap
constexpr size_t kMostHeldBack = 64;   // operations that begin together

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

EntryForm storage_form(const RunRequest& request, const OptionPlan& plan) {
  const Settings& settings = request.settings;
  EntryForm form;
  form.suffix = entry_suffix(settings.io);
  form.seed = settings.seed;
  if (settings.io == KvIo::kDirect) {
    form.parts_at_once = kPartsAtOnce;
    return form;
  }
  form.is_split = true;
  form.drops_pages = request.store->traits().file_system;
  form.header = [model = plan.model, devices = settings.tensor_parallel](uint64_t bytes) {
    return npy_header_of(model, devices, bytes);
  };
  form.header_bytes = form.header(plan.model.entry_bytes(kPrefillOnlyTokens, settings.tensor_parallel)).size();
  return form;
}

Result<Engine::Limits> limits_of(const RunRequest& request, const OptionPlan& plan) {
  const Settings& settings = request.settings;
  const auto bytes_of = [](double gib) { return static_cast<uint64_t>(gib * static_cast<double>(kGiB)); };
  Engine::Limits limits;
  limits.bytes = {bytes_of(plan.gpu_gib), bytes_of(plan.cpu_gib), Tiers::kUnlimited};
  uint64_t& storage = limits.bytes[static_cast<size_t>(Tier::kStorage)];
  if (settings.storage_capacity_gib > 0) {
    storage = bytes_of(settings.storage_capacity_gib);
    return limits;
  }
  const auto capacity = request.store->capacity();
  if (!capacity) return fail(capacity.error());
  if (*capacity) {
    // Ranks share the file system; those of other hosts may do so, too.
    const double usable = static_cast<double>((*capacity)->available_bytes) * kUsableShare;
    storage = static_cast<uint64_t>(usable / request.ranks);
  } else if (settings.preconditioning && settings.preconditioning->gib == 0) {
    return fail(ErrorCode::kConfigIncompatible, "--precondition on storage whose capacity nobody knows", {},
                "give --precondition-size-gb, or --storage-capacity-gb");
  }
  return limits;
}

Result<std::unique_ptr<Simulation>> make_simulation(const Settings& settings, const OptionPlan& plan, uint32_t rank,
                                                    Engine::Limits limits, EntryIo& io) {
  if (!settings.paged) return std::make_unique<Engine>(settings, plan, settings.seed + rank, limits, io);
  auto reader = TraceReader::open(settings.paged->trace);
  if (!reader) return fail(reader.error());
  return std::make_unique<PagedEngine>(*settings.paged, plan.model, settings.tensor_parallel, settings.max_queue,
                                       std::move(*reader), io);
}

}  // namespace

void Rank::start(EntryOp& op) {
  ++under_way_;
  started_.push_back(&op);
  if (started_.size() == kMostHeldBack) hand_over();
}

void Rank::remove(Tier tier, const std::string& name) {
  removals_.emplace_back(tier, name);
}

void Rank::hand_over() {
  const auto is_memory = [](const EntryOp* op) { return op->tier == Tier::kCpu; };
  const auto memory = std::stable_partition(started_.begin(), started_.end(), std::not_fn(is_memory));
  const auto first = static_cast<size_t>(memory - started_.begin());
  const std::span ops(started_);
  if (io_trace_ != nullptr) {
    for (const EntryOp* op : ops) io_trace_->add(port.rank(), *op);
  }
  if (first > 0) trial_.storage->begin(port, ops.first(first));
  if (first < ops.size()) trial_.memory->begin(port, ops.subspan(first));
  started_.clear();
  // What is due now was not due when the last round began, so that it waited for this thread no longer than since then.
  if (is_replay_) simulation->handed_over(now_ns(), thread_cpu_ns() - last_round_cpu_ns_);
  for (const auto& [tier, name] : removals_) {
    (tier == Tier::kCpu ? trial_.memory : trial_.storage)->remove(port, name);
  }
  removals_.clear();
}

void Rank::begin_round() {
  if (is_replay_) last_round_cpu_ns_ = std::exchange(round_cpu_ns_, thread_cpu_ns());
}

void Rank::take_completions(Nanos end) {
  std::vector<EntryOp*> done;
  port.take(done);
  under_way_ -= done.size();
  for (EntryOp* op : done) {
    if (!op->is_cut && op->completed_ns <= end) {
      simulation->complete(*op);
    } else {
      simulation->complete_late(*op);
    }
  }
}

void Rank::close(Nanos end, const world::Failure& failure) {
  simulation->close();
  hand_over();
  trial_.storage->cut(port);
  if (trial_.memory) trial_.memory->cut(port);
  while (!failure.raised()) {
    const auto key = port.changed().prepare_wait();
    take_completions(end);
    if (under_way_ == 0) return;
    port.changed().wait(key);
  }
}

Result<std::unique_ptr<Trial>> make_trial(const RunRequest& request, size_t option, uint32_t first_rank,
                                          const std::vector<std::string>& folders, world::Failure& failure,
                                          io::SharedSeries* series, IoTrace* io_trace) {
  const OptionPlan& plan = request.settings.options[option];
  const OptionIo& io = request.io[option];
  const auto limits = limits_of(request, plan);
  if (!limits) return fail(limits.error());
  auto trial = std::make_unique<Trial>();
  for (uint32_t rank = first_rank; rank < first_rank + folders.size(); ++rank) {
    const std::string& folder = folders[rank - first_rank];
    trial->ranks.push_back(std::make_unique<Rank>(rank, folder, request.settings.paged.has_value(), *trial, io_trace));
    auto simulation = make_simulation(request.settings, plan, rank, *limits, *trial->ranks.back());
    if (!simulation) return fail(simulation.error());
    trial->ranks.back()->simulation = std::move(*simulation);
  }
  auto storage = Mover::start(io.storage, request.verify, storage_form(request, plan), *request.store, failure, series);
  if (!storage) return fail(std::move(storage.error()));
  trial->storage = std::move(*storage);
  if (io.memory.workers == 0) return trial;
  trial->memory_store = make_memory_store();
  EntryForm form;
  form.seed = request.settings.seed;
  auto memory = Mover::start(io.memory, request.verify, form, *trial->memory_store, failure);
  if (!memory) return fail(std::move(memory.error()));
  trial->memory = std::move(*memory);
  return trial;
}

}  // namespace mlps::kvcache
