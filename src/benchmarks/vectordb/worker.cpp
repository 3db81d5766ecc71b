#include "benchmarks/vectordb/worker.hpp"

#include <algorithm>

#include "base/waiting.hpp"
#include "benchmarks/vectordb/metric_space.hpp"
#include "benchmarks/vectordb/queries.hpp"

namespace mlps::vectordb {
namespace {

// A server that answers nothing but errors is gone, or does not want the searches.
constexpr uint32_t kMostFailuresInARow = 20;
constexpr Nanos kLongestSleep = 20'000'000;  // so that a failure of the run ends the wait
constexpr double kNanos = 1e9;

}  // namespace

Worker::Worker(const Settings& settings, const SearchData& data, uint32_t rank, uint32_t ranks, SearchSession& session,
               world::Failure& failure, io::SharedSeries* series)
    : settings_(settings),
      data_(data),
      rank_(rank),
      ranks_(ranks),
      session_(session),
      failure_(failure),
      seconds_(series),
      order_(query_order(data.queries.rows(), settings.search.query_seed, rank, settings.search.lockstep)),
      vectors_(data.queries.dimension, settings.search.batch),
      random_(settings.search.query_seed + rank) {}

VectorView Worker::next_batch(uint64_t most) {
  const auto count = static_cast<size_t>(std::min<uint64_t>(settings_.search.batch, most));
  batch_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    batch_[i] = order_[next_];
    next_ = next_ + 1 == order_.size() ? 0 : next_ + 1;
    const auto row = data_.queries.view().row(batch_[i]);
    std::copy(row.begin(), row.end(), vectors_.row(i).begin());
  }
  return vectors_.view().slice(0, count);
}

/// Returns when the next search is due: at once, or where searches arrive by themselves, after an exponential gap.
Nanos Worker::due(Nanos begin) {
  if (settings_.search.arrival_rate <= 0) return now_ns();
  std::exponential_distribution<double> gap(settings_.search.arrival_rate / ranks_);
  due_s_ += gap(random_);
  return begin + static_cast<Nanos>(due_s_ * kNanos);
}

void Worker::wait_for(Nanos moment, Nanos limit) {
  for (Nanos left = std::min(moment, limit) - now_ns(); left > 0 && !failure_.raised();
       left = std::min(moment, limit) - now_ns()) {
    sleep_for(std::min(left, kLongestSleep));
  }
}

std::span<const Neighbour> Worker::truth_with_new(uint32_t query) {
  const auto truth = data_.truth.of(query);
  const auto is_new = [&](uint64_t key) { return key >= data_.first_new; };
  if (data_.all_rows == nullptr || std::none_of(keys_.begin(), keys_.end(), is_new)) return truth;
  truth_.assign(truth.begin(), truth.end());
  new_row_.resize(data_.queries.dimension);
  const uint64_t end = data_.sent_end();
  for (const uint64_t key : keys_) {
    if (!is_new(key) || key >= end || !data_.all_rows->read(key, new_row_)) continue;
    truth_.push_back({key, exact_score(data_.metric, data_.queries.view().row(query), new_row_)});
  }
  std::stable_sort(truth_.begin(), truth_.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  return truth_;
}

void Worker::score(WorkerWindow& window, std::vector<bool>& seen) {
  const uint32_t k = settings_.search.recall_k;
  for (size_t i = 0; i < batch_.size(); ++i) {
    keys_.clear();
    for (const Neighbour& found : answers_.of(i)) keys_.push_back(found.key);
    const auto truth = truth_with_new(batch_[i]);
    const size_t wanted = std::min<size_t>(settings_.search.limit, truth.size());
    if (keys_.size() < wanted) ++window.short_answers;
    const auto first = std::span<const uint64_t>(keys_).first(std::min<size_t>(k, keys_.size()));
    const double exact = recall_of(truth, first, k, 0, &window.ties);
    const double recall = data_.epsilon > 0 ? recall_of(truth, first, k, data_.epsilon) : exact;
    window.recall_sum += recall;
    window.exact_sum += exact;
    window.recall1_sum += recall_of(truth, first.first(std::min<size_t>(1, first.size())), 1);
    if (seen[batch_[i]]) continue;
    seen[batch_[i]] = true;
    window.first_answers.push_back({batch_[i], recall, exact});
  }
}

bool Worker::note_failure(const Error& error, WorkerWindow* window) {
  if (error.code == ErrorCode::kInterrupted && failure_.raised()) return false;
  if (window != nullptr) {
    ++window->failed;
    if (window->first_error.empty()) window->first_error = error.message;
  }
  if (++failures_in_a_row_ < kMostFailuresInARow) return true;
  failure_.raise(error, rank_);
  return false;
}

void Worker::search(uint32_t effort, const WindowEnd& end, WorkerWindow* window, std::atomic<uint64_t>& done) {
  SearchParams params = data_.params;
  params.effort = effective_effort(data_.index, effort, params.k);
  std::vector<bool> seen(data_.queries.rows());
  const Nanos begin = window != nullptr ? window->start.monotonic_ns : now_ns();
  due_s_ = 0;
  for (uint64_t asked = 0; asked < end.queries && !failure_.raised();) {
    const VectorView queries = next_batch(end.queries - asked);
    const Nanos when = due(begin);
    if (when >= end.at_ns) return;
    if (settings_.search.arrival_rate > 0) wait_for(when, end.at_ns);
    const Nanos sent = now_ns();
    const Nanos from = settings_.search.arrival_rate > 0 ? when : sent;
    if (sent >= end.at_ns) return;
    const Status found = session_.search(queries, params, answers_);
    const Nanos answered = now_ns();
    asked += queries.rows();
    if (!found && !note_failure(found.error(), window)) return;
    if (found) {
      failures_in_a_row_ = 0;
      done.fetch_add(queries.rows(), std::memory_order_relaxed);
    }
    if (window == nullptr) continue;
    window->batches.push_back({static_cast<uint64_t>(from - begin), static_cast<uint64_t>(answered - from),
                               static_cast<uint32_t>(queries.rows()), found.has_value()});
    if (!found) continue;
    window->latency.record(static_cast<uint64_t>(answered - from));
    seconds_.moved(answered, answers_.cost.bytes, static_cast<uint64_t>(answered - from));
    if (settings_.search.arrival_rate > 0) window->lateness.record(static_cast<uint64_t>(sent - from));
    window->answered += queries.rows();
    if (answered <= end.at_ns) window->completed += queries.rows();
    merge(window->cost, answers_.cost);
    score(*window, seen);
  }
}

Status Worker::pass(uint32_t effort, uint32_t first, uint32_t step) {
  SearchParams params = data_.params;
  params.effort = effective_effort(data_.index, effort, params.k);
  for (size_t query = first; query < data_.queries.rows() && !failure_.raised(); query += step) {
    if (Status found = session_.search(data_.queries.view().slice(query, 1), params, answers_); !found) return found;
  }
  return {};
}

}  // namespace mlps::vectordb
