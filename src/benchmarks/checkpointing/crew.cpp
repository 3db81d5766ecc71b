#include "benchmarks/checkpointing/crew.hpp"

#include <utility>

namespace mlps::checkpointing {
Result<std::unique_ptr<Crew>> Crew::hire(const WorkerSettings& settings, storage::Store& store,
                                         world::Failure& failure) {
  std::unique_ptr<Crew> crew(new Crew(failure));
  for (uint32_t i = 0; i < settings.io.workers; ++i) {
    auto worker = Worker::create(i, settings, store);
    if (!worker) return fail(worker.error());
    crew->workers_.push_back(std::move(*worker));
  }
  auto threads =
      Threads::start(crew->workers_.size(),
                     {"I/O threads", "--io-workers", [&failure](Error error) { failure.raise(std::move(error)); }},
                     [raw = crew.get()](size_t index) { raw->serve(*raw->workers_[index]); });
  if (!threads) return fail(std::move(threads.error()));
  crew->threads_ = std::move(*threads);
  crew->on_raise_ = failure.on_raise([raw = crew.get()] { raw->on_failure(); });
  return crew;
}

Crew::~Crew() {
  disband();
}

void Crew::on_failure() {
  for (const auto& worker : workers_) worker->cancel();
  const std::lock_guard lock(mutex_);
  if (board_ != nullptr) board_->stop();
}

void Crew::work_on(Board& board) {
  const std::lock_guard lock(mutex_);
  board_ = &board;
  ++board_number_;
  busy_ = workers_.size();
  drained_ = 0;
  abort_cursor_ = 0;
  // A failure raised before this found no board to stop.
  if (failure_.raised()) board.stop();
  changed_.notify_all();
}

void Crew::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return busy_ == 0; });
  board_ = nullptr;
}

void Crew::serve(Worker& worker) {
  for (uint64_t seen = 0;;) {
    Board* board = nullptr;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return disbanded_ || board_number_ != seen; });
      if (board_number_ == seen) return;
      seen = board_number_;
      board = board_;
    }
    worker.work(*board, failure_);
    if (failure_.raised()) clean_up(worker, *board);
    const std::lock_guard lock(mutex_);
    --busy_;
    changed_.notify_all();
  }
}

void Crew::clean_up(Worker& worker, Board& board) {
  {
    // Abort only when no worker has a part in flight: a part that lands after the abort would stay behind.
    std::unique_lock lock(mutex_);
    ++drained_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return drained_ == workers_.size(); });
  }
  const auto problems = worker.abort_open(board, abort_cursor_);
  const std::lock_guard lock(mutex_);
  problems_.insert(problems_.end(), problems.begin(), problems.end());
}

std::vector<std::string> Crew::disband() {
  {
    const std::lock_guard lock(mutex_);
    disbanded_ = true;
    changed_.notify_all();
  }
  threads_.join();
  return std::move(problems_);
}

void Crew::merge_into(RunRecord& record) const {
  Nanos first = 0;
  for (const auto& worker : workers_) {
    merge(record.write, worker->stats(Phase::kWrite));
    merge(record.read, worker->stats(Phase::kRead));
    const Nanos mine = worker->first_part_ns();
    if (mine != 0 && (first == 0 || mine < first)) first = mine;
  }
  if (first != 0) record.first_byte_s = to_seconds(first - record.invocation_start.monotonic_ns);
}

uint64_t Crew::live_bytes() const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->live_bytes();
  return sum;
}

}  // namespace mlps::checkpointing
