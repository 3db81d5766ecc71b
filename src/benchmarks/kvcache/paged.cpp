#include "benchmarks/kvcache/paged.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "payload/mix.hpp"

namespace mlps::kvcache {
namespace {

// References to blocks, and requests, that are looked up before their time: some MB.
constexpr uint64_t kMostAhead = 65'536;

Nanos nanos_of(double seconds) {
  return static_cast<Nanos>(seconds * kNanosPerSecond);
}

std::vector<uint64_t> prompt_blocks(const PagedSettings& settings, uint64_t trace_block, const TraceRequest& request,
                                    bool partial) {
  if (trace_block != 0) {
    return regrouped(request.blocks, trace_block, settings.block_tokens, request.input, partial);
  }
  // A session's turn repeats those before it; a request of no session shares nothing with any other.
  return session_blocks(request.session.value_or(0), settings.block_tokens, request.input, partial);
}

/// Returns a session that no trace has: that of the user of a request, or of a request which belongs to nobody.
uint64_t session_beside(const PagedSettings& settings, uint64_t request) {
  return settings.users > 0 ? request % settings.users + (uint64_t{1} << 48) : request + (uint64_t{1} << 40);
}

/// What the look-up of one request found and changed.
struct LookedUp {
  uint64_t input = 0;
  size_t blocks = 0, hits = 0, stored = 0, evicted = 0;
};
void count(Replay& replay, uint64_t block_tokens, const LookedUp& found) {
  ++replay.requests;
  replay.block_references += found.blocks;
  replay.block_hits += found.hits;
  replay.blocks_stored += found.stored;
  replay.blocks_evicted += found.evicted;
  replay.input_tokens += found.input;
  replay.hit_tokens += std::min(found.hits * block_tokens, found.input);
}

/// Returns a number that stands for all of a prompt.
uint64_t prompt_number(const PagedSettings& settings, uint64_t trace_block, const TraceRequest& request) {
  const auto blocks = prompt_blocks(settings, trace_block, request, true);
  return payload::mix64(request.input) ^ (blocks.empty() ? 0 : blocks.back());
}

}  // namespace

/// One block in the store, or on its way there.
struct PagedEngine::Block {
  std::string name;
  bool written = false, evicted = false;
  uint32_t readers = 0;
  std::vector<std::coroutine_handle<>> waiters;  // for its being written
};

PagedEngine::PagedEngine(const PagedSettings& settings, const Model& model, uint32_t tensor_parallel,
                         uint64_t max_queue, std::unique_ptr<TraceReader> reader, EntryIo& io)
    : Simulation(io),
      settings_(settings),
      block_bytes_(model.entry_bytes(settings.block_tokens, tensor_parallel)),
      max_queue_(max_queue),
      reader_(std::move(reader)),
      cache_({settings.block_capacity, settings.fifo ? BlockCache::Order::kFifo : BlockCache::Order::kLru,
              settings.second_use}) {}

PagedEngine::~PagedEngine() = default;

std::optional<Error> PagedEngine::problem() const {
  if (trace_error_) return trace_error_;
  if (requests_ <= max_queue_) return std::nullopt;
  return Error{ErrorCode::kCommandFailed,
               fmt::format("{} requests are in service, more than --max-queue {}", requests_, max_queue_),
               "the trace sends requests faster than the storage serves them",
               "raise --max-queue, or lower --trace-speedup"};
}

void PagedEngine::prepare(Nanos /*now*/) {
  while (look_ahead()) {
  }
}

void PagedEngine::begin(Nanos now) {
  now_ = clock_ = begin_ns_ = now;
  schedule_next();
}

/// Reads and looks up one more request, unless enough wait for their time, or there is none.
bool PagedEngine::look_ahead() {
  if (ended_ || ahead_blocks_ + ahead_.size() >= kMostAhead || !read_next(read_)) return false;
  look_up(read_);
  return true;
}

/// Reads the next request of this cycle or the next one; false after the last, or if the trace can't be read.
bool PagedEngine::read_next(TraceRequest& request) {
  for (;;) {
    const auto there = reader_->next(request);
    if (!there) trace_error_ = there.error();
    if (there && *there) return true;
    ended_ = trace_error_.has_value() || ++cycle_ >= settings_.cycles || prepared_ == 0;
    if (ended_) return false;
    cycle_ns_ += last_at_ns_;
    last_at_ns_ = 0;
    if (Status rewound = reader_->rewind(); !rewound) trace_error_ = rewound.error();
  }
}

void PagedEngine::schedule_next() {
  if (ahead_.empty() && !look_ahead()) return;
  schedule(begin_ns_ + ahead_.front().after_ns, 0u);
}

void PagedEngine::happened(uint32_t /*what*/) {
  Prepared request = std::move(ahead_.front());
  ahead_.pop_front();
  ahead_blocks_ -= request.blocks;
  send(std::move(request));
  schedule_next();
}

void PagedEngine::went_on() {
  while (!ended_tasks_.empty()) {
    const auto task = ended_tasks_.back();
    ended_tasks_.pop_back();
    (*task)->check();
    tasks_.erase(task);
  }
}

/// Starts an activity of its own, which `make` makes from its place in the list.
template <class Make>
void PagedEngine::run(const Make& make) {
  const auto self = tasks_.emplace(tasks_.end());
  self->emplace(make(self));
  (*self)->start();
}

std::vector<uint64_t> PagedEngine::blocks_of(const TraceRequest& request) const {
  TraceRequest own = request;
  if (!own.session) own.session = session_beside(settings_, prepared_);
  return prompt_blocks(settings_, reader_->block_tokens(), own, settings_.partial_blocks);
}

/// Books what of a request is a hit, what is stored, and what leaves.
void PagedEngine::look_up(const TraceRequest& request) {
  last_at_ns_ = std::max(last_at_ns_, request.at_ns);
  const std::vector<uint64_t> blocks = blocks_of(request);
  Prepared next;
  next.after_ns = static_cast<Nanos>(static_cast<double>(cycle_ns_ + request.at_ns) / settings_.speedup);
  next.input = request.input;
  next.output = request.output;
  next.blocks = blocks.size();
  const size_t run_length = cache_.leading_run(blocks);
  next.hits.reserve(run_length);
  for (size_t i = 0; i < run_length; ++i) {
    next.hits.push_back(present_.at(blocks[i]));
    ++next.hits.back()->readers;
  }
  std::vector<BlockCache::Change> changes;
  cache_.use(blocks, changes);
  for (const BlockCache::Change& change : changes) {
    if (change.stored) {
      auto block = std::make_shared<Block>();
      block->name = fmt::format("block_{:016x}_{}", change.block, serial_++);
      next.stored.push_back(present_[change.block] = block);
    } else {
      next.evicted.push_back(present_.extract(change.block).mapped());
    }
  }
  ++prepared_;
  ahead_blocks_ += next.blocks;
  ahead_.push_back(std::move(next));
}

/// A request's time has come: it begins to be served.
void PagedEngine::send(Prepared request) {
  count(trial_.replay, settings_.block_tokens,
        {request.input, request.blocks, request.hits.size(), request.stored.size(), request.evicted.size()});
  ++trial_.offered;
  ++requests_;
  trial_.longest_queue = std::max(trial_.longest_queue, requests_);
  const Nanos due = begin_ns_ + request.after_ns;
  run([&](Tasks::iterator self) {
    return serve(request.input, request.output, due, std::move(request.hits), std::move(request.stored), self);
  });
  for (const BlockRef& gone : request.evicted) {
    gone->evicted = true;
    remove_if_unused(*gone);
  }
  sent_.push_back(due);
  went_on();
}

void PagedEngine::handed_over(Nanos now, Nanos busy) {
  for (const Nanos due : sent_) {
    const Nanos late = std::max<Nanos>(0, now - due);
    trial_.replay.lateness_ns.record(static_cast<uint64_t>(late));
    trial_.replay.own_lateness_ns.record(static_cast<uint64_t>(std::min(late, busy)));
  }
  sent_.clear();
}

Task<void> PagedEngine::serve(uint64_t input, uint64_t output, Nanos due, std::vector<BlockRef> hits,
                              std::vector<BlockRef> stored, Tasks::iterator self) {
  Served served;
  served.queue_s = to_seconds(std::max<Nanos>(0, clock_ - due));
  served.tokens = static_cast<uint32_t>(output);
  const Nanos begin = now_;
  Join join{hits.size(), {}};
  for (const BlockRef& block : hits) {
    run([&](Tasks::iterator own) { return load(block, join, own); });
  }
  const Nanos compute = nanos_of(static_cast<double>(input - std::min(input, hits.size() * settings_.block_tokens)) /
                                 settings_.prefill_rate);
  if (join.left > 0) co_await Suspended{join.waiter};
  const Nanos loaded = now_ - begin;
  // Layer by layer, a layer is computed while the next one is loaded: the longer of both counts.
  co_await Sleep{*this, settings_.layerwise ? compute - loaded : compute};
  served.storage_s = to_seconds(loaded);
  served.first_token_s = to_seconds(now_ - due);
  served.good = settings_.slo_ttft_ms > 0 && served.first_token_s * 1e3 <= settings_.slo_ttft_ms;
  for (const BlockRef& block : stored) {
    run([&](Tasks::iterator own) { return store(block, own); });
  }
  const Nanos generation = nanos_of(static_cast<double>(output) / settings_.decode_rate);
  co_await Sleep{*this, generation};
  served.generation_s = to_seconds(generation);
  served.end_to_end_s = to_seconds(now_ - due);
  trial_.served.push_back(served);
  --requests_;
  ended_tasks_.push_back(self);
}

Task<void> PagedEngine::load(BlockRef block, Join& join, Tasks::iterator self) {
  if (!block->written) {
    block->waiters.emplace_back();
    // The list may grow while this waits, so the handle is put there, not taken from it.
    co_await Suspended{block->waiters.back()};
  }
  EntryOp op;
  op.name = block->name;
  op.bytes = block_bytes_;
  co_await Operation{*this, op};
  account(op);
  ++trial_.reads;
  --block->readers;
  remove_if_unused(*block);
  ended_tasks_.push_back(self);
  if (--join.left == 0 && join.waiter) schedule(now_, join.waiter);
}

Task<void> PagedEngine::store(BlockRef block, Tasks::iterator self) {
  EntryOp op;
  op.name = block->name;
  op.bytes = block_bytes_;
  op.writes = true;
  co_await Operation{*this, op};
  account(op);
  ++trial_.writes;
  block->written = true;
  for (const auto waiter : std::exchange(block->waiters, {})) schedule(now_, waiter);
  remove_if_unused(*block);
  ended_tasks_.push_back(self);
}

void PagedEngine::remove_if_unused(const Block& block) {
  if (block.evicted && block.written && block.readers == 0) io_.remove(Tier::kStorage, block.name);
}

RankTrial PagedEngine::finish() {
  TierTraffic& storage = traffic(Tier::kStorage);
  storage.tokens =
      (storage.read.inside + storage.written.inside) / std::max<uint64_t>(1, block_bytes_) * settings_.block_tokens;
  const uint64_t held = trial_.replay.blocks_stored - trial_.replay.blocks_evicted;
  trial_.entries[static_cast<size_t>(Tier::kStorage)] = held;
  trial_.used_bytes[static_cast<size_t>(Tier::kStorage)] = held * block_bytes_;
  trial_.evictions = trial_.replay.blocks_evicted;
  trial_.decode = {trial_.replay.block_hits, trial_.replay.block_references - trial_.replay.block_hits};
  trial_.cut_off = requests_;
  trial_.replay.rows_skipped = reader_->skipped();
  trial_.storage_capacity_bytes = settings_.block_capacity * block_bytes_;
  return std::move(trial_);
}

Result<std::vector<CountedReplay>> count_replays(const PagedSettings& settings, bool curve) {
  constexpr std::array<uint64_t, 7> kCurve = {0, 50'000, 30'000, 20'000, 10'000, 5'000, 1'000};
  auto reader = TraceReader::open(settings.trace);
  if (!reader) return fail(reader.error());
  const BlockCache::Order order = settings.fifo ? BlockCache::Order::kFifo : BlockCache::Order::kLru;
  std::vector<CountedReplay> counted = {{settings.block_capacity, {}, {}}};
  for (const uint64_t capacity : kCurve) {
    if (curve && capacity != settings.block_capacity) counted.push_back({capacity, {}, {}});
  }
  std::vector<BlockCache> caches;
  std::vector<PromptCache> prompts;
  for (const CountedReplay& each : counted) {
    caches.emplace_back(BlockCache::Rules{each.block_capacity, order, settings.second_use});
    prompts.emplace_back(each.block_capacity * settings.block_tokens);
  }
  TraceRequest request;
  for (uint32_t cycle = 0; cycle < settings.cycles; ++cycle) {
    if (Status begun = (*reader)->rewind(); !begun) return fail(begun.error());
    for (;;) {
      const auto there = (*reader)->next(request);
      if (!there) return fail(there.error());
      if (!*there) break;
      if (!request.session) request.session = session_beside(settings, counted.front().replay.requests);
      const auto blocks = prompt_blocks(settings, (*reader)->block_tokens(), request, settings.partial_blocks);
      const uint64_t prompt = prompt_number(settings, (*reader)->block_tokens(), request);
      for (size_t i = 0; i < caches.size(); ++i) {
        prompts[i].use(prompt, request.input);
        const size_t hits = caches[i].leading_run(blocks);
        std::vector<BlockCache::Change> changes;
        caches[i].use(blocks, changes);
        const auto stored = static_cast<size_t>(
            std::count_if(changes.begin(), changes.end(), [](const auto& change) { return change.stored; }));
        count(counted[i].replay, settings.block_tokens,
              {request.input, blocks.size(), hits, stored, changes.size() - stored});
      }
    }
  }
  for (size_t i = 0; i < counted.size(); ++i) {
    counted[i].replay.rows_skipped = (*reader)->skipped();
    counted[i].whole = prompts[i].counts();
  }
  return counted;
}

}  // namespace mlps::kvcache
