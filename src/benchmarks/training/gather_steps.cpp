#include "benchmarks/training/gather_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "world/gather_pieces.hpp"

namespace mlps::training {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

/// Process 0's side: the same steps of all processes come one process after the other, and become whole rows.
class Rows {
 public:
  Rows(StepLog& log, const std::vector<uint32_t>& ranks) : log_(log), ranks_(ranks) {}

  Status take(uint32_t process, std::string_view piece) {
    const size_t entry = ranks_[process] * sizeof(StepTimes);
    const size_t steps = piece.size() / entry;
    if (process == 0) rows_.resize(steps * log_.ranks());
    if (process != next_ || piece.size() % entry != 0 || steps * log_.ranks() != rows_.size()) {
      return fail(ErrorCode::kMpiCommunication, fmt::format("process {} sent other steps than process 0", process));
    }
    for (size_t step = 0; step < steps; ++step) {
      std::memcpy(&rows_[step * log_.ranks() + first_rank_], piece.data() + step * entry, entry);
    }
    first_rank_ += ranks_[process];
    if (++next_ < ranks_.size()) return {};
    next_ = 0;
    first_rank_ = 0;
    return log_.append(rows_);
  }

  /// After the last piece: that no process ended before the others.
  bool complete() const { return next_ == 0; }

 private:
  StepLog& log_;
  const std::vector<uint32_t>& ranks_;
  std::vector<StepTimes> rows_;
  uint32_t next_ = 0;        // the process that sends the next piece
  uint32_t first_rank_ = 0;  // of next_
};

/// The steps of this process, some at a time.
class Sender {
 public:
  Sender(const StepLog* log, uint64_t steps_at_once) : log_(log), steps_at_once_(steps_at_once) {}

  Result<world::Bytes> next() {
    const uint64_t steps = log_ == nullptr ? 0 : std::min(steps_at_once_, log_->steps() - sent_);
    if (steps == 0) return world::Bytes();
    rows_.resize(steps * log_->ranks());
    if (Status read = log_->read_rows(sent_, rows_); !read) return fail(std::move(read.error()));
    sent_ += steps;
    return world::Bytes(reinterpret_cast<const char*>(rows_.data()), rows_.size() * sizeof(StepTimes));
  }

 private:
  const StepLog* log_;
  const uint64_t steps_at_once_;
  uint64_t sent_ = 0;
  std::vector<StepTimes> rows_;
};

tl::unexpected<Error> failed(world::Transport& transport, Error error) {
  transport.failure().raise(error);
  return fail(std::move(error));
}

}  // namespace

Result<std::shared_ptr<StepLog>> gather_steps(const StepLog* mine, world::Transport& transport,
                                              const std::vector<uint32_t>& ranks, const std::string& folder) {
  std::shared_ptr<StepLog> whole;
  std::optional<Rows> rows;
  if (transport.index() == 0) {
    auto log = StepLog::create(folder, std::accumulate(ranks.begin(), ranks.end(), uint32_t{0}));
    if (!log) return failed(transport, std::move(log.error()));
    whole = std::move(*log);
    rows.emplace(*whole, ranks);
  }
  double most_ranks = mine == nullptr ? 1 : mine->ranks();
  if (Status met = transport.reduce(world::Reduction::kMax, {&most_ranks, 1}); !met) return fail(met.error());
  Sender sender(mine, std::max<uint64_t>(1, kPieceBytes / (static_cast<size_t>(most_ranks) * sizeof(StepTimes))));
  const Status gathered = world::gather_pieces(
      transport, [&] { return sender.next(); },
      [&](uint32_t process, std::string_view piece) { return rows->take(process, piece); });
  if (!gathered) return fail(gathered.error());
  if (!whole) return whole;
  if (!rows->complete()) {
    return failed(transport, {ErrorCode::kMpiCommunication, "not every process sent all its steps"});
  }
  if (Status flushed = whole->flush(); !flushed) return failed(transport, std::move(flushed.error()));
  return whole;
}

}  // namespace mlps::training
