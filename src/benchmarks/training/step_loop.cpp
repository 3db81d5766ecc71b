#include "benchmarks/training/step_loop.hpp"

#include <algorithm>
#include <functional>

namespace mlps::training {
namespace {

// A sleeping thread wakes some microseconds late, on a virtual machine often fifty. The step loop sleeps until this
// long before a deadline and spins the rest; the margin follows the lateness it sees, within these bounds.
constexpr Nanos kLeastSpinNs = 5'000;
constexpr Nanos kMostSpinNs = 150'000;
// A processor that slept long wakes later still, so a long wait ends with a short one.
constexpr Nanos kLongWaitNs = 4'000'000;
constexpr Nanos kShortWaitNs = 1'000'000;

constexpr Nanos kSecondNs = 1'000'000'000;

/// Follows the latest of some hundred wake-ups: every one that is later than the margin lengthens a step.
Nanos adapted(Nanos margin, Nanos late) {
  return std::clamp(std::max(margin - margin / 512, late + late / 4), kLeastSpinNs, kMostSpinNs);
}

}  // namespace

StepLoop::StepLoop(PrefetchQueue& queue, world::World& world, const StallMeter& stalls, Nanos origin)
    : queue_(queue),
      world_(world),
      failure_(world.failure()),
      stalls_(stalls),
      origin_(origin),
      ranks_(queue.size()),
      ended_(queue.size()),
      step_times_(queue.size()),
      spin_ns_(kMostSpinNs / 2) {
  deadlines_.reserve(queue.size());
  ready_.reserve(queue.size());
}

void StepLoop::set_compute_time(const workloads::TimeDistribution& distribution, uint64_t seed) {
  samplers_.clear();
  for (uint32_t rank = 0; rank < queue_.size(); ++rank) {
    samplers_.emplace_back(distribution, seed, queue_.first_rank() + rank);
  }
}

BlockResult StepLoop::run_block(const BlockRequest& request) {
  request_ = &request;
  extents_ = &queue_.pass().extents;
  deadlines_.clear();
  client_ = {};
  finished_ = 0;
  block_start_ = Stamp::now();
  for (Rank& rank : ranks_) {
    rank = Rank{};
    rank.last.resize(request.window.exclude_end);
  }
  if (request.steps == 0)
    finished_ = queue_.size();
  else
    begin_all(block_start_.monotonic_ns);
  while (finished_ < queue_.size() && !failure_.raised()) {
    const EventCount::Key key = queue_.batch_ready().prepare_wait();
    queue_.take_ready(ready_);
    for (const uint32_t rank : ready_) try_compute(rank, now_ns());
    while (!deadlines_.empty() && deadlines_.front().at <= now_ns()) {
      const uint32_t rank = deadlines_.front().rank;
      std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
      deadlines_.pop_back();
      end_compute(rank);
    }
    // A failure after this look notifies after the key was taken, so that the wait ends.
    if (finished_ < queue_.size() && !failure_.raised()) wait_for_event(key);
  }
  return conclude(now_ns());
}

/// Begins the next step on all ranks at the same moment: those whose batch is there compute from then on, and what this
/// program does meanwhile delays nothing. Waking I/O threads costs a system call, so it comes last.
void StepLoop::begin_all(Nanos now) {
  step_start_ = now;
  arrived_ = 0;
  for (uint32_t rank = 0; rank < queue_.size(); ++rank) begin_step(rank, now);
  uint64_t claimable = 0;
  for (uint32_t rank = 0; rank < queue_.size(); ++rank) claimable += read_ahead(rank);
  queue_.wake_readers(claimable);
}

void StepLoop::begin_step(uint32_t rank, Nanos now) {
  Rank& state = ranks_[rank];
  state.step = {.load_start = now};
  state.lost_before = stalls_.lost_ns(now);
  ++state.begun;
  state.step.had_to_wait = !try_compute(rank, now);
}

/// Raises the claim limit of this rank to what it may read ahead now. Returns how many reads that adds.
uint64_t StepLoop::read_ahead(uint32_t rank) {
  const uint64_t batches = request_->first_batch + ranks_[rank].begun;
  const uint64_t size = request_->window.batch_size;
  const uint64_t needed = extents_->tickets_for(batches * size);
  const ReadAhead& ahead = request_->ahead;
  const uint64_t wanted = extents_->tickets_for((batches + ahead.batches) * size) + ahead.window;
  return queue_.stream(rank).raise_claim_limit(std::min(wanted, needed + ahead.most_extents));
}

/// Takes the rank's batch and begins to compute at `now`, if the batch is there.
bool StepLoop::try_compute(uint32_t rank, Nanos now) {
  Rank& state = ranks_[rank];
  Step& step = state.step;
  Stream& stream = queue_.stream(rank);
  if (!stream.ready(request_->window.batch_size)) return false;
  stream.take(request_->window.batch_size);
  step.compute_start = now;
  const Nanos waited = now - step.load_start;
  const Nanos lost = stalls_.lost_ns(now) - state.lost_before;
  step.stored = step.had_to_wait && request_->storage ? std::clamp<Nanos>(waited - lost, 0, waited) : 0;
  step.drawn = samplers_[rank].draw();
  deadlines_.push_back({now + step.drawn, rank});
  std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
  return true;
}

void StepLoop::end_compute(uint32_t rank) {
  Rank& state = ranks_[rank];
  const Nanos now = state.step.compute_end = now_ns();
  if (request_->barrier) {
    if (++arrived_ == queue_.size()) meet_and_release();
    return;
  }
  const Step ended = state.step;
  if (state.begun < request_->steps) {
    begin_step(rank, now);
    queue_.wake_readers(read_ahead(rank));
  } else {
    ++finished_;
  }
  client_.wall_ns += now - ended.load_start;
  client_.wait_ns += ended.stored;
  client_.overhead_ns += std::max<Nanos>(now - ended.load_start - ended.stored - ended.drawn, 0);
  close_step(state, ended, now);
  if (rank > 0) return;
  live_.wall_ns += now - ended.load_start;
  live_.block_wall_ns = now - block_start_.monotonic_ns;
  show();
}

/// Meets the other hosts: every rank of this host is at the barrier.
void StepLoop::meet_and_release() {
  if (world_.hosts() == 1) return release(now_ns(), 0);
  const Nanos before = now_ns();
  if (!world_.meet_hosts()) return;
  const Nanos now = now_ns();
  release(now, now - before);
}

/// Ends the step: every rank of every host is at the barrier; `met` was spent waiting for other hosts. The ledger is
/// written while the accelerators compute the next step, which begins before.
void StepLoop::release(Nanos now, Nanos met) {
  const Nanos started = step_start_;
  for (size_t rank = 0; rank < ranks_.size(); ++rank) ended_[rank] = ranks_[rank].step;
  if (ranks_.front().begun < request_->steps) {
    begin_all(now);
  } else {
    finished_ = queue_.size();
  }
  book(started, now, met);
}

/// Adds the step that lasted from `started` to `now`, with a barrier, to all sums.
void StepLoop::book(Nanos started, Nanos now, Nanos met) {
  Nanos explained = 0, stored = 0;
  for (size_t rank = 0; rank < ranks_.size(); ++rank) {
    const Step& step = ended_[rank];
    if (step.stored + step.drawn > explained) {
      explained = step.stored + step.drawn;
      stored = step.stored;
    }
    close_step(ranks_[rank], step, now);
  }
  client_.wall_ns += now - started;
  client_.wait_ns += stored;
  client_.overhead_ns += std::max<Nanos>(now - started - explained - met, 0);
  if (request_->on_step) {
    std::transform(ended_.begin(), ended_.end(), step_times_.begin(), [](const Step& step) { return step.times(); });
    if (Status logged = request_->on_step(step_times_); !logged) failure_.raise(std::move(logged.error()));
  }
  ++live_.steps;
  live_.wall_ns += now - started;
  live_.block_wall_ns = now - block_start_.monotonic_ns;
  show();
}

/// Tells what the accelerators did up to this moment.
void StepLoop::show() {
  live_.step = request_->first_batch + ranks_.front().block.steps;
  live_.block_compute_ns = live_.block_wait_ns = live_.slowest_wait_ns = 0;
  live_.slowest_rank = 0;
  for (size_t rank = 0; rank < ranks_.size(); ++rank) {
    const RankBlock& block = ranks_[rank].block;
    live_.block_compute_ns += block.compute_ns;
    live_.block_wait_ns += block.wait_ns;
    if (block.wait_ns <= live_.slowest_wait_ns) continue;
    live_.slowest_wait_ns = block.wait_ns;
    live_.slowest_rank = static_cast<uint32_t>(rank);
  }
  const std::unique_lock lock(live_mutex_, std::try_to_lock);
  if (lock.owns_lock()) shown_ = live_;
}

void StepLoop::close_step(Rank& state, const Step& step, Nanos now) {
  const StepTimes times = step.times();
  state.block.compute_ns += times.compute_ns;
  state.block.drawn_ns += step.drawn;
  if (step.had_to_wait) state.block.wait_ns += times.load_ns;
  state.block.barrier_ns += now - step.compute_end;
  live_.compute_ns += times.compute_ns;
  live_.wait_ns += step.had_to_wait ? times.load_ns : 0;
  live_.barrier_ns += now - step.compute_end;
  if (step.had_to_wait) spread(step.load_start, step.compute_start, &io::Second::wait_ns);
  spread(step.compute_start, step.compute_end, &io::Second::compute_ns);
  spread(step.compute_end, now, &io::Second::barrier_ns);
  count(state, times);
}

/// Adds a stretch of an accelerator's time to the seconds that it lies in.
void StepLoop::spread(Nanos from, Nanos to, Nanos io::Second::*member) {
  while (from < to) {
    const Nanos second = (from - origin_) / kSecondNs;
    const Nanos end = std::min(to, origin_ + (second + 1) * kSecondNs);
    series_.at(static_cast<uint64_t>(second)).*member += end - from;
    from = end;
  }
}

/// Adds a step to the sums of the metric window, which leaves out the first steps at once, and the last ones when they
/// are known to be the last.
void StepLoop::count(Rank& state, const StepTimes& times) {
  if (state.block.steps++ < request_->window.exclude_start) {
    state.excluded_ns += times.proc_ns;
    return;
  }
  state.block.window_compute_ns += times.compute_ns;
  if (!state.last.empty()) state.last[(state.block.steps - 1) % state.last.size()] = times;
}

BlockResult StepLoop::conclude(Nanos end) {
  BlockResult result;
  result.finished = finished_ == queue_.size();
  result.client = client_;
  if (!request_->barrier) {
    const auto ranks = static_cast<Nanos>(ranks_.size());
    result.client = {client_.wall_ns / ranks, client_.overhead_ns / ranks, client_.wait_ns / ranks};
  }
  const Nanos wall = end - block_start_.monotonic_ns;
  const MetricWindow& window = request_->window;
  for (Rank& state : ranks_) {
    RankBlock& block = state.block;
    block.start = block_start_;
    block.end = {end, block_start_.wall_us + wall / 1000};
    const uint64_t windowed = block.steps > window.exclude_start ? block.steps - window.exclude_start : 0;
    for (uint64_t i = 0; i < std::min<uint64_t>(windowed, state.last.size()); ++i) {
      const StepTimes& times = state.last[(block.steps - 1 - i) % state.last.size()];
      block.window_compute_ns -= times.compute_ns;
      state.excluded_ns += times.proc_ns;
    }
    set_rates(block, state.excluded_ns, window);
    block.harness_ns = std::max<Nanos>(wall - block.wait_ns - block.compute_ns - block.barrier_ns, 0);
    result.ranks.push_back(block);
  }
  return result;
}

void StepLoop::wait_for_event(EventCount::Key key) {
  if (deadlines_.empty()) {
    queue_.batch_ready().wait(key);
  } else {
    wait_until(deadlines_.front().at, key);
  }
}

/// Fetches the data that the end of the step will touch back into the cache, which it has left during a long sleep.
void StepLoop::warm_up() const {
  for (uint32_t rank = 0; rank < queue_.size(); ++rank) {
    __builtin_prefetch(&ranks_[rank], 1);
    __builtin_prefetch(&ended_[rank], 1);
    queue_.stream(rank).warm(request_->window.batch_size);
  }
}

/// Waits until the deadline or the next notification.
void StepLoop::wait_until(Nanos deadline, EventCount::Key key) {
  bool warm = false;
  for (;;) {
    const Nanos now = now_ns();
    if (now >= deadline || queue_.batch_ready().prepare_wait() != key) return;
    if (deadline - now <= spin_ns_) {
      if (!warm) warm_up();
      warm = true;
      spin_pause();
      continue;
    }
    const bool is_long = deadline - now > kLongWaitNs;
    const Nanos wanted = deadline - (is_long ? kShortWaitNs : spin_ns_);
    queue_.batch_ready().wait(key, wanted);
    const Nanos woke = now_ns();
    if (!is_long && woke >= wanted) spin_ns_ = adapted(spin_ns_, woke - wanted);
  }
}

}  // namespace mlps::training
