#include "benchmarks/kvcache/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::kvcache {
namespace {

constexpr uint32_t kArrivalStream = 2, kServiceStream = 3;
constexpr uint32_t kNobody = UINT32_MAX;  // an arrival whose user is drawn when it is due
// What a device of today moves over its link (PCIe 5.0 x16, 64 GB/s): the GPU tier is modelled, not measured.
constexpr double kGpuBytesPerNano = 64;

}  // namespace

Engine::Engine(const Settings& settings, const OptionPlan& option, uint64_t seed, Limits limits, EntryIo& io)
    : Simulation(io),
      settings_(settings),
      option_(option),
      seed_(seed),
      tiers_(limits.bytes),
      arrivals_(seed, kArrivalStream, 0),
      slots_(option.at_once()) {
  const uint64_t capacity = limits.bytes[static_cast<size_t>(Tier::kStorage)];
  trial_.storage_capacity_bytes = capacity == Tiers::kUnlimited ? 0 : capacity;
  users_.reserve(option.users);
  for (uint32_t user = 0; user < option.users; ++user) users_.emplace_back(seed, user);
  for (size_t slot = slots_.size(); slot-- > 0;) free_slots_.push_back(slot);
}

Engine::~Engine() = default;

// ---- time

void Engine::begin(Nanos now) {
  now_ = clock_ = now;
  if (settings_.arrival == Arrival::kPoisson || settings_.arrival == Arrival::kGamma) return schedule_arrival();
  for (uint32_t user = 0; user < users_.size(); ++user) schedule(now + users_[user].draw_wait(), user);
}

void Engine::schedule_arrival() {
  const double cv = settings_.arrival_cv;
  const double gap = settings_.arrival == Arrival::kPoisson ? arrivals_.exponential() : arrivals_.gamma(1 / (cv * cv));
  schedule(now_ + static_cast<Nanos>(gap / settings_.request_rate * kNanosPerSecond), kNobody);
}

void Engine::happened(uint32_t what) {
  if (what == kNobody) {
    send(static_cast<uint32_t>(arrivals_.integer(0, users_.size() - 1)));
    return schedule_arrival();
  }
  send(what);
  if (settings_.arrival == Arrival::kThink) schedule(now_ + users_[what].draw_wait(), what);
}

std::optional<Error> Engine::problem() const {
  if (waiting() <= settings_.max_queue) return std::nullopt;
  return Error{ErrorCode::kCommandFailed,
               fmt::format("{} requests wait, more than --max-queue {}", waiting(), settings_.max_queue),
               "users send requests faster than the storage serves them",
               "raise --max-queue, lower --num-users, or give --arrival closed"};
}

// ---- requests

void Engine::send(uint32_t user) {
  const Request request = users_[user].next(settings_.multi_turn);
  if (settings_.multi_turn) conversations_.add(request.key);
  queues_[static_cast<size_t>(request.qos)].push_back({request, now_});
  ++trial_.offered;
  dispatch();
  trial_.longest_queue = std::max(trial_.longest_queue, waiting());
}

void Engine::dispatch() {
  while (!closed_ && !free_slots_.empty()) {
    const auto queue = std::find_if(queues_.begin(), queues_.end(), [](const auto& each) { return !each.empty(); });
    if (queue == queues_.end()) return;
    const size_t slot = free_slots_.back();
    free_slots_.pop_back();
    ++in_service_;
    const Queued queued = queue->front();
    queue->pop_front();
    slots_[slot].emplace(serve(queued, slot));
    slots_[slot]->start();
    reap();
  }
}

/// Frees the places of requests that have ended.
void Engine::reap() {
  while (!ended_slots_.empty()) {
    const size_t slot = ended_slots_.back();
    ended_slots_.pop_back();
    slots_[slot]->check();
    slots_[slot].reset();
    free_slots_.push_back(slot);
    --in_service_;
  }
}

void Engine::went_on() {
  reap();
  dispatch();
}

/// Steps 1 to 7 of a request, one after the other.
Task<void> Engine::serve(Queued queued, size_t slot) {
  const Request& request = queued.request;
  Served served;
  served.queue_s = to_seconds(now_ - queued.made_ns);
  served.tokens = request.generation;
  served.qos = static_cast<uint32_t>(request.qos);
  uint32_t context = request.context;
  const bool is_system = settings_.prefix_caching && detect_prefix(request, context);
  Nanos storage = 0;
  if (settings_.multi_turn && request.key.turn > 1) storage += co_await read_earlier_turns(request);
  ++trial_.prefill_writes;
  const Nanos prefill = co_await allocate(request.key, context, 0);
  trial_.prefill_s.push_back(to_seconds(prefill));
  storage += prefill;
  served.first_token_s = to_seconds(now_ - queued.made_ns);
  if (!request.is_prefill_only()) storage += co_await decode(request, is_system, served, queued.made_ns);
  const Nanos generation = request.generation * token_time(option_.generation);
  co_await Sleep{*this, generation};
  served.generation_s = to_seconds(generation);
  served.storage_s = to_seconds(storage);
  served.end_to_end_s = to_seconds(now_ - queued.made_ns);
  served.good = served.end_to_end_s * 1e3 <= kQosProfiles[served.qos].target_p95_ms;
  trial_.served.push_back(served);
  if (settings_.arrival == Arrival::kClosed) {
    const uint32_t user = request.key.user;
    schedule(now_ + users_[user].draw_wait(), user);
  }
  ended_slots_.push_back(slot);
}

/// Whether the request begins with a system prompt. As in mlpstorage 3.0 nobody ever stores one, so each is a miss.
bool Engine::detect_prefix(const Request& request, uint32_t& context) {
  Random draw(seed_, kServiceStream, (uint64_t{request.key.user} << 32) | request.serial);
  if (draw.unit() >= kPrefixProbability) {
    ++trial_.prefix_misses;
    return false;
  }
  const uint32_t tokens = kPrefixTokens[draw.integer(0, kPrefixTokens.size() - 1)];
  ++trial_.prefix_hits;
  trial_.prefix_bytes_saved += tokens * option_.model.bytes_per_token();
  ++trial_.prefix.misses;
  context -= std::min(context, tokens);
  return true;
}

Task<Nanos> Engine::read_earlier_turns(Request request) {
  Nanos storage = 0;
  for (const EntryKey& key : conversations_.others(request.key)) {
    const ReadOutcome outcome = co_await read(key, false);
    ++(outcome.hit ? trial_.earlier_turns.hits : trial_.earlier_turns.misses);
    trial_.turn_hits += outcome.hit ? 1 : 0;
    storage += outcome.total_ns;
  }
  co_return storage;
}

Task<Nanos> Engine::decode(Request request, bool is_system, Served& served, Nanos made_ns) {
  Nanos storage = 0;
  const ReadOutcome first = co_await read(request.key, true);
  served.first_token_s = to_seconds(now_ - made_ns);
  ++(first.hit ? trial_.decode.hits : trial_.decode.misses);
  if (!first.hit) {
    storage = co_await allocate(request.key, request.context, ++rewrites_);
    co_return storage;
  }
  storage = first.total_ns;
  uint64_t hits = 1;
  for (uint32_t left = request.further_reads(); left > 0; --left) {
    const ReadOutcome next = co_await read(request.key, true);
    ++(next.hit ? trial_.decode.hits : trial_.decode.misses);
    hits += next.hit ? 1 : 0;
    storage += next.total_ns;
  }
  (is_system ? trial_.system_hits : trial_.user_hits) += hits;
  trial_.decode_s.push_back(to_seconds(storage));
  co_return storage;
}

// ---- entries

Task<void> Engine::move(EntryOp& op) {
  if (op.tier == Tier::kGpu) {
    op.total_ns = static_cast<Nanos>(static_cast<double>(op.bytes) / kGpuBytesPerNano);
    co_await Sleep{*this, op.total_ns};
    op.completed_ns = now_;
    op.moved.inside = op.bytes;
  } else {
    co_await Operation{*this, op};
  }
  account(op);
}

Task<Engine::ReadOutcome> Engine::read(EntryKey key, bool decodes) {
  for (;;) {
    const Entry* entry = tiers_.find(key);
    if (entry == nullptr) co_return ReadOutcome{};
    if (!entry->moving) break;
    auto& waiters = waiting_for_move_[key];
    waiters.emplace_back();
    co_await Suspended{waiters.back()};
  }
  Entry& entry = *tiers_.find(key);
  tiers_.touch(key, entry);
  EntryOp op;
  const EntryName name{key, entry.rewrite};
  op.name = name.text();
  op.bytes = entry.bytes;
  op.tier = entry.tier;
  pin(op.tier, name);
  co_await move(op);
  unpin(op.tier, name);
  trial_.decode_reads += decodes ? 1 : 0;
  ++trial_.reads;
  co_return ReadOutcome{true, op.total_ns};
}

Task<Nanos> Engine::allocate(EntryKey key, uint32_t tokens, uint32_t rewrite) {
  if (option_.max_allocs != 0 && allocating_ >= option_.max_allocs) {
    waiting_to_allocate_.emplace_back();
    co_await Suspended{waiting_to_allocate_.back()};  // whoever frees a place hands it over
  } else {
    ++allocating_;
  }
  EntryOp op;
  op.name = EntryName{key, rewrite}.text();
  op.bytes = option_.model.entry_bytes(std::max(tokens, 1u), settings_.tensor_parallel);
  op.writes = true;
  std::vector<Eviction> evictions;
  op.tier = tiers_.reserve(op.bytes, evictions);
  if (!evictions.empty()) co_await make_room(std::move(evictions));
  co_await move(op);
  tiers_.add(key, rewrite, op.tier, op.bytes);
  ++trial_.writes;
  if (waiting_to_allocate_.empty()) {
    --allocating_;
  } else {
    const std::coroutine_handle<> next = waiting_to_allocate_.front();
    waiting_to_allocate_.pop_front();
    schedule(now_, next);
  }
  co_return op.total_ns;
}

/// Moves and drops what has to leave before a new entry comes. What is dropped goes at once: nothing waits for that,
/// and no demotion of the same list is among it.
Task<void> Engine::make_room(std::vector<Eviction> evictions) {
  for (const Eviction& eviction : evictions) {
    if (!eviction.to) drop(eviction.from, {eviction.key, eviction.rewrite});
  }
  for (const Eviction& eviction : evictions) {
    if (eviction.to) co_await demote(eviction);
  }
}

Task<void> Engine::demote(Eviction eviction) {
  EntryOp out;
  const EntryName name{eviction.key, eviction.rewrite};
  out.name = name.text();
  out.bytes = eviction.bytes;
  out.tier = eviction.from;
  out.demotion = true;
  EntryOp in = out;
  in.tier = *eviction.to;
  in.writes = true;
  pin(out.tier, name);
  co_await move(out);
  unpin(out.tier, name);
  co_await move(in);
  tiers_.settle(*tiers_.find(eviction.key));
  if (auto waiters = waiting_for_move_.extract(eviction.key)) {
    for (const auto waiter : waiters.mapped()) schedule(now_, waiter);
  }
  drop(out.tier, name);
}

void Engine::unpin(Tier tier, const EntryName& entry) {
  const auto pinned = pins_.find({tier, entry});
  if (--pinned->second > 0) return;
  pins_.erase(pinned);
  if (doomed_.erase({tier, entry}) > 0 && tier != Tier::kGpu) io_.remove(tier, entry.text());
}

/// Removes an entry from a tier, once nobody reads it there.
void Engine::drop(Tier tier, const EntryName& entry) {
  if (pins_.contains({tier, entry})) {
    doomed_.insert({tier, entry});
  } else if (tier != Tier::kGpu) {
    io_.remove(tier, entry.text());
  }
}

RankTrial Engine::finish() {
  const uint64_t per_token = std::max<uint64_t>(1, option_.model.bytes_per_token() / settings_.tensor_parallel);
  for (const Tier tier : {Tier::kGpu, Tier::kCpu, Tier::kStorage}) {
    TierTraffic& of_tier = traffic(tier);
    of_tier.tokens = (of_tier.read.inside + of_tier.written.inside + of_tier.demoted_in.inside) / per_token;
    trial_.entries[static_cast<size_t>(tier)] = tiers_.entries_in(tier);
    trial_.used_bytes[static_cast<size_t>(tier)] = tiers_.used(tier);
  }
  trial_.evictions = tiers_.evictions();
  trial_.waiting = waiting();
  trial_.cut_off = in_service_;
  return std::move(trial_);
}

}  // namespace mlps::kvcache
