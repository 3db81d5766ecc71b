#include "io/series.hpp"

#include <algorithm>
#include <utility>

namespace mlps::io {
namespace {

constexpr Nanos kSecondNs = 1'000'000'000;
constexpr uint64_t kLongestInterval = uint64_t{1} << 40;

/// Adds the buckets in use, of which a phase or a second has few, without a histogram of 30 KiB between. Both ascend.
void add_latency(Histogram::State& into, const Histogram::State& from) {
  if (from.buckets.empty()) return;
  std::vector<Histogram::State::Bucket> sum;
  sum.reserve(into.buckets.size() + from.buckets.size());
  auto next = from.buckets.begin();
  for (Histogram::State::Bucket bucket : into.buckets) {
    for (; next != from.buckets.end() && next->index < bucket.index; ++next) sum.push_back(*next);
    if (next != from.buckets.end() && next->index == bucket.index) bucket.count += (next++)->count;
    sum.push_back(bucket);
  }
  sum.insert(sum.end(), next, from.buckets.end());
  into.min = into.buckets.empty() ? from.min : std::min(into.min, from.min);
  into.max = std::max(into.max, from.max);
  into.sum += from.sum;
  into.buckets = std::move(sum);
}

}  // namespace

void Second::merge(const Second& other) {
  bytes += other.bytes;
  operations += other.operations;
  retries += other.retries;
  compute_ns += other.compute_ns;
  wait_ns += other.wait_ns;
  barrier_ns += other.barrier_ns;
  add_latency(latency, other.latency);
}

Second& Series::at(uint64_t second) {
  while (second / interval_s_ >= kMostIntervals) double_interval();
  const size_t index = second / interval_s_;
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  return intervals_[index];
}

void Series::double_interval() {
  for (size_t i = 0; i < intervals_.size(); ++i) {
    if (i % 2 != 0) {
      intervals_[i / 2].merge(intervals_[i]);
    } else if (i != 0) {
      intervals_[i / 2] = std::move(intervals_[i]);
    }
  }
  intervals_.resize((intervals_.size() + 1) / 2);
  interval_s_ *= 2;
}

void Series::merge(const Series& other) {
  if (other.interval_s_ == 0 || other.interval_s_ > kLongestInterval) return;  // sent by a process gone wrong
  while (interval_s_ < other.interval_s_) double_interval();
  for (size_t i = 0; i < other.intervals_.size(); ++i) {
    Second second = other.intervals_[i];
    if (!Histogram::restore(second.latency)) second.latency = {};  // the same
    at(i * other.interval_s_).merge(second);
  }
}

void SharedSeries::add(uint64_t second, const Second& share, const Histogram& latency, const Histogram& commits) {
  const std::lock_guard lock(mutex_);
  if (share.operations > 0 || share.retries > 0) series_.at(second).merge(share);
  sums_.bytes += share.bytes;
  sums_.retries += share.retries;
  sums_.latency.merge(latency);
  sums_.commits.merge(commits);
}

SeriesSums SharedSeries::sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

void SharedSeries::begin_sums() {
  const std::lock_guard lock(mutex_);
  sums_.latency.clear();
  sums_.commits.clear();
}

void SecondRecorder::flush() {
  if (shared_ == nullptr || (now_.operations == 0 && now_.retries == 0 && commits_.count() == 0)) return;
  if (latency_.count() > 0) now_.latency = latency_.state();
  shared_->add(second_, now_, latency_, commits_);
  now_ = {};
  latency_.clear();
  commits_.clear();
}

void SecondRecorder::turn(Nanos moment) {
  flush();
  second_ = shared_->second_of(moment);
  end_ = shared_->origin() + static_cast<Nanos>(second_ + 1) * kSecondNs;
}

}  // namespace mlps::io
