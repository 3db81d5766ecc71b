#include "benchmarks/kvcache/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/metrics.hpp"

namespace mlps::kvcache {
namespace {

constexpr uint32_t kArrivalStream = 2, kServiceStream = 3, kLookUpStream = 4, kExtraStream = 6, kReadStream = 7;
constexpr uint32_t kNobody = UINT32_MAX;       // an arrival whose user is drawn when it is due
constexpr uint32_t kScaling = UINT32_MAX - 1;  // a look of the autoscaler
constexpr uint32_t kPrepopulatedPerUser = 10;

uint64_t stream_item(uint32_t user, uint32_t serial) {
  return (uint64_t{user} << 32) | serial;
}

double p95_ms_since(const std::vector<double>& seconds, size_t& looked_at) {
  std::vector<double> fresh(seconds.begin() + static_cast<std::ptrdiff_t>(looked_at), seconds.end());
  looked_at = seconds.size();
  std::sort(fresh.begin(), fresh.end());
  return percentile(fresh, 95) * kMillis;
}

}  // namespace

Engine::Engine(const Settings& settings, const OptionPlan& option, uint64_t seed, Limits limits, EntryIo& io)
    : EntrySimulation(settings, option, limits.bytes, io),
      seed_(seed),
      arrivals_(seed, kArrivalStream, 0),
      conversations_(settings.tuning.most_conversations),
      documents_(settings.tuning.rag, option.model, settings.tensor_parallel, seed) {
  if (settings.tuning.scaling.mode != AutoscalerMode::kOff) scaler_.emplace(settings.tuning.scaling, option.users);
  add_users(option.users);
}

Engine::~Engine() = default;

/// From now on there are so many users, and as many places for requests.
void Engine::add_users(uint32_t wanted) {
  for (auto user = static_cast<uint32_t>(users_.size()); user < wanted; ++user) {
    users_.emplace_back(settings_.tuning, seed_, user);
    asleep_.push_back(true);
  }
  active_users_ = wanted;
  const size_t places = std::min(wanted, kMostAtOnce), before = slots_.size();
  if (places <= before) return;
  slots_.resize(places);
  for (size_t slot = places; slot-- > before;) free_slots_.push_back(slot);
}

// ---- before the window

void Engine::prepare(Nanos now) {
  now_ = clock_ = now;
  const bool writes = settings_.preconditioning || settings_.phases == Phases::kDecodeOnly;
  if (!writes) return;
  const uint32_t asked = settings_.preconditioning ? settings_.preconditioning->threads : 0;
  lanes_left_ = asked != 0 ? asked : processors();
  for (uint32_t lane = lanes_left_; lane > 0; --lane) beside_.push_back(write_ahead());
  for (Task<void>& lane : beside_) lane.start();
}

/// Writes entries until all are there that the window is to find.
Task<void> Engine::write_ahead() {
  const uint64_t each = option_.model.entry_bytes(kPreparedTokens, settings_.tensor_parallel);
  const double gib = settings_.preconditioning ? settings_.preconditioning->gib : 0;
  const uint64_t goal = !settings_.preconditioning ? 0
                        : gib > 0                  ? static_cast<uint64_t>(gib * static_cast<double>(kGiB))
                                                   : 2 * trial_.storage_capacity_bytes;
  while (ahead_bytes_ < goal) {
    ahead_bytes_ += each;
    co_await write({0, static_cast<uint32_t>(ahead_entries_++), 0, EntryKind::kPreconditioned}, kPreparedTokens, 0);
  }
  const uint32_t wanted = settings_.phases == Phases::kDecodeOnly ? option_.users * kPrepopulatedPerUser : 0;
  while (prepopulated_ < wanted) {
    co_await write({0, prepopulated_++, 0, EntryKind::kPrepopulated}, kPreparedTokens, 0);
  }
  --lanes_left_;
}

// ---- time

void Engine::begin(Nanos now) {
  now_ = clock_ = begin_ns_ = now;
  RankTrial fresh;  // nothing that was done before the window counts
  fresh.storage_capacity_bytes = trial_.storage_capacity_bytes;
  fresh.prepared_entries = trial_.writes;
  fresh.prepared_bytes = trial_.writes * option_.model.entry_bytes(kPreparedTokens, settings_.tensor_parallel);
  trial_ = std::move(fresh);
  beside_.clear();
  if (documents_.count() > 0) {
    beside_.push_back(ingest());
    beside_.back().start();
  }
  if (scaler_) schedule(now + static_cast<Nanos>(kScalingTickS * kNanosPerSecond), kScaling);
  if (settings_.arrival == Arrival::kPoisson || settings_.arrival == Arrival::kGamma) return schedule_arrival();
  for (uint32_t user = 0; user < users_.size(); ++user) {
    asleep_[user] = false;
    schedule(now + users_[user].draw_wait(), user);
  }
}

void Engine::schedule_arrival() {
  const double cv = settings_.arrival_cv;
  const double gap = settings_.arrival == Arrival::kPoisson ? arrivals_.exponential() : arrivals_.gamma(1 / (cv * cv));
  schedule(now_ + static_cast<Nanos>(gap / settings_.request_rate * kNanosPerSecond), kNobody);
}

void Engine::happened(uint32_t what) {
  if (what == kScaling) return scale();
  if (what == kNobody) {
    send(static_cast<uint32_t>(arrivals_.integer(0, users_.size() - 1)));
    return schedule_arrival();
  }
  if (what >= active_users_) {
    asleep_[what] = true;
    return;
  }
  send(what);
  if (settings_.arrival == Arrival::kThink) schedule(now_ + users_[what].draw_wait(), what);
}

/// Looks at the storage, and lets users come or go.
void Engine::scale() {
  const TierTraffic& storage = trial_.tiers[static_cast<size_t>(Tier::kStorage)];
  uint64_t tokens = 0;
  for (const Served& request : trial_.served) tokens += request.tokens;
  Autoscaler::Look look;
  look.at_s = to_seconds(now_ - begin_ns_);
  look.read_p95_ms = p95_ms_since(storage.read_s, reads_looked_at_);
  look.write_p95_ms = p95_ms_since(storage.write_s, writes_looked_at_);
  const uint64_t bytes = bytes_read(storage) + bytes_written(storage);
  look.bytes_per_s = static_cast<double>(bytes - bytes_looked_at_) / kScalingTickS;
  bytes_looked_at_ = bytes;
  look.tokens_per_s = static_cast<double>(tokens) / look.at_s;
  trial_.scaling.push_back(scaler_->look(look));
  add_users(scaler_->users());
  for (uint32_t user = 0; user < active_users_; ++user) {
    if (!asleep_[user]) continue;
    asleep_[user] = false;
    schedule(now_ + users_[user].draw_wait(), user);
  }
  schedule(now_ + static_cast<Nanos>(kScalingTickS * kNanosPerSecond), kScaling);
  dispatch();
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
  const Request request = users_[user].next(settings_.tuning, settings_.multi_turn);
  if (settings_.multi_turn) conversations_.add(request.key);
  queue({request, user, now_, false});
  if (documents_.count() > 0) {
    Random draw(seed_, kExtraStream, stream_item(user, request.serial));
    if (draw.unit() < settings_.tuning.rag.probability) {
      Request extra = documents_.about(documents_.draw(draw), draw);
      extra.qos = request.qos;
      extra.serial = request.serial;
      queue({extra, user, now_, true});
    }
  }
  dispatch();
  trial_.longest_queue = std::max(trial_.longest_queue, waiting());
}

void Engine::queue(Queued queued) {
  ++trial_.offered;
  queues_[static_cast<size_t>(queued.request.qos)].push_back(queued);
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
  const bool decode_only = settings_.phases == Phases::kDecodeOnly;
  const bool fills = !decode_only && !queued.is_extra;
  const bool decodes = settings_.phases != Phases::kPrefillOnly && (!fills || !request.is_prefill_only());
  Served served;
  served.queue_s = to_seconds(now_ - queued.made_ns);
  served.tokens = request.generation;
  served.qos = static_cast<uint32_t>(request.qos);
  uint32_t context = request.context;
  const bool is_system = settings_.prefix_caching && detect_prefix(queued, context);
  Nanos storage = 0;
  uint64_t loaded_bytes = 0;  // that would be computed if they weren't there
  if (fills) {
    if (settings_.multi_turn && request.key.turn > 1) storage += co_await read_earlier_turns(request, loaded_bytes);
    ++trial_.prefill_writes;
    const Nanos prefill = co_await allocate(request.key, context, 0);
    trial_.prefill_s.push_back(to_seconds(prefill));
    storage += prefill;
  }
  if (documents_.count() > 0) storage += co_await look_up(queued, loaded_bytes);
  served.first_token_s = to_seconds(now_ - queued.made_ns);
  if (decodes) {
    const EntryKey key = decode_only ? prepopulated_for(queued) : request.key;
    storage += co_await decode(key, queued, is_system, served, loaded_bytes);
  }
  const Nanos generation = request.generation * settings_.tuning.token_ns[static_cast<size_t>(option_.generation)];
  co_await Sleep{*this, generation};
  served.generation_s = to_seconds(generation);
  served.storage_s = to_seconds(storage);
  served.end_to_end_s = to_seconds(now_ - queued.made_ns);
  served.good = served.end_to_end_s * kMillis <= settings_.tuning.classes[served.qos].target_p95_ms;
  trial_.served.push_back(served);
  trial_.offload.computed_tokens += fills ? context : 0;
  trial_.offload.loaded_tokens +=
      loaded_bytes / std::max<uint64_t>(1, option_.model.bytes_per_token() / settings_.tensor_parallel);
  if (settings_.arrival == Arrival::kClosed && !queued.is_extra) {
    schedule(now_ + users_[queued.user].draw_wait(), queued.user);
  }
  ended_slots_.push_back(slot);
}

/// Whether the request begins with a system prompt. As in mlpstorage 3.0 nobody ever stores one, so each is a miss.
bool Engine::detect_prefix(const Queued& queued, uint32_t& context) {
  Random draw(seed_, kServiceStream, stream_item(queued.user, queued.request.serial));
  if (draw.unit() >= settings_.tuning.prefix_probability) {
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

Task<Nanos> Engine::read_earlier_turns(Request request, uint64_t& loaded_bytes) {
  Nanos storage = 0;
  for (const EntryKey& key : conversations_.others(request.key)) {
    const ReadOutcome outcome = co_await read(key);
    ++(outcome.hit ? trial_.earlier_turns.hits : trial_.earlier_turns.misses);
    trial_.turn_hits += outcome.hit ? 1 : 0;
    loaded_bytes += outcome.bytes;
    storage += outcome.total_ns;
  }
  co_return storage;
}

/// Returns which of the entries that are there a request reads.
EntryKey Engine::prepopulated_for(const Queued& queued) const {
  Random draw(seed_, kReadStream, stream_item(queued.user, queued.request.serial));
  return {0, static_cast<uint32_t>(draw.integer(0, prepopulated_ - 1)), 0, EntryKind::kPrepopulated};
}

Task<Nanos> Engine::decode(EntryKey key, Queued queued, bool is_system, Served& served, uint64_t& loaded_bytes) {
  const Request& request = queued.request;
  const ReadOutcome first = co_await read(key);
  Nanos storage = first.total_ns;
  served.first_token_s = to_seconds(now_ - queued.made_ns);
  ++(first.hit ? trial_.decode.hits : trial_.decode.misses);
  if (!first.hit) {
    if (settings_.phases != Phases::kDecodeOnly) storage = co_await allocate(key, request.context, ++rewrites_);
    co_return storage;
  }
  // What the request has written itself was computed for it.
  if (settings_.phases == Phases::kDecodeOnly || queued.is_extra) loaded_bytes += first.bytes;
  uint64_t hits = 1;
  ++trial_.decode_reads;
  for (uint32_t left = request.further_reads(settings_.tuning.decode_batch); left > 0; --left) {
    const ReadOutcome next = co_await read(key);
    ++(next.hit ? trial_.decode.hits : trial_.decode.misses);
    hits += next.hit ? 1 : 0;
    trial_.decode_reads += next.hit ? 1 : 0;
    storage += next.total_ns;
  }
  (is_system ? trial_.system_hits : trial_.user_hits) += hits;
  trial_.decode_s.push_back(to_seconds(storage));
  co_return storage;
}

// ---- documents

/// Stores the documents, a chunk after the other. Beyond the most that are held the oldest leaves.
Task<void> Engine::ingest() {
  const uint32_t most = settings_.tuning.rag.most_documents;
  for (uint32_t document = 0; document < documents_.count(); ++document) {
    for (uint32_t chunk = 0; most != 0 && document >= most && chunk < documents_.chunks(document - most); ++chunk) {
      co_await erase({document - most, chunk, 0, EntryKind::kChunk});
    }
    for (uint32_t chunk = 0; chunk < documents_.chunks(document); ++chunk) {
      const uint32_t tokens = documents_.chunk_tokens(document, chunk);
      co_await allocate({document, chunk, 0, EntryKind::kChunk}, tokens, 0);
    }
  }
}

/// Some requests read chunks of a document; one that isn't there yet, or any more, is a miss.
Task<Nanos> Engine::look_up(Queued queued, uint64_t& loaded_bytes) {
  Random draw(seed_, kLookUpStream,
              stream_item(queued.user, queued.request.serial) ^ (queued.is_extra ? 1ULL << 63 : 0));
  Nanos storage = 0;
  if (draw.unit() >= settings_.tuning.rag.probability) co_return storage;
  const Documents::LookUp found = documents_.draw(draw);
  for (const uint32_t chunk : found.chunks) {
    const ReadOutcome outcome = co_await read({found.document, chunk, 0, EntryKind::kChunk});
    ++(outcome.hit ? trial_.documents.hits : trial_.documents.misses);
    loaded_bytes += outcome.bytes;
    storage += outcome.total_ns;
  }
  co_return storage;
}

}  // namespace mlps::kvcache
