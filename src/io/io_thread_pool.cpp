#include "io/io_thread_pool.hpp"

#include "base/log.hpp"

namespace mlps::io {

Result<std::unique_ptr<IoThreadPool>> IoThreadPool::start(const Plan& plan, bool verify, storage::Store& store,
                                                          world::Failure& failure, std::vector<TaskSource*> sources,
                                                          SharedSeries* series) {
  std::unique_ptr<IoThreadPool> all(new IoThreadPool(failure, std::move(sources)));
  for (size_t i = 0; i < all->sources_.size(); ++i) {
    auto thread = IoThread::open(plan, verify, store, failure, series);
    if (!thread) return fail(std::move(thread.error()));
    all->threads_.push_back(std::move(*thread));
  }
  ThreadPurpose purpose{"I/O threads", "--io-workers", [&failure](Error error) { failure.raise(std::move(error)); }};
  auto running =
      Threads::start(all->sources_.size(), std::move(purpose), [raw = all.get()](size_t i) { raw->serve(i); });
  if (!running) return fail(std::move(running.error()));
  all->running_ = std::move(*running);
  all->on_raise_ = failure.on_raise([raw = all.get()] {
    for (const auto& thread : raw->threads_) thread->cancel();
  });
  return all;
}

void IoThreadPool::serve(size_t index) {
  TaskSource& source = *sources_[index];
  IoThread& thread = *threads_[index];
  // An exception fails the run; this thread goes on through the phase, so that no other waits for it for ever.
  const auto guarded = [this](const auto& work) {
    try {
      work();
    } catch (...) {
      failure_.raise(error_of_exception("an I/O thread"));
    }
  };
  for (uint64_t phase = 0; gate_.enter(phase);) {
    guarded([&] { thread.work(source); });
    gate_.drained();
    const bool failed = failure_.raised();
    // Abort only when no thread has a part in flight: a part that lands after the abort would stay behind.
    if (failed) gate_.wait_drained();
    guarded([&] { source.clean_up(thread, failed); });
    gate_.leave();
  }
}

void IoThreadPool::stop() {
  gate_.stop();
  running_.join();
  on_raise_ = {};
  IoThread::NotAborted all;
  for (const auto& thread : threads_) {
    IoThread::NotAborted one = thread->take_not_aborted();
    if (all.count == 0) all.first = std::move(one.first);
    all.count += one.count;
  }
  if (all.count != 0) {
    log::warning("{} could not be aborted, so parts may be left behind; the first, {}",
                 all.count == 1 ? "1 object" : fmt::format("{} objects", all.count), all.first);
  }
}

uint64_t IoThreadPool::live_bytes() const {
  uint64_t bytes = 0;
  for (const auto& thread : threads_) bytes += thread->live_bytes();
  return bytes;
}

Nanos IoThreadPool::first_part_ns() const {
  Nanos first = 0;
  for (const auto& thread : threads_) {
    const Nanos own = thread->first_part_ns();
    if (own != 0 && (first == 0 || own < first)) first = own;
  }
  return first;
}

}  // namespace mlps::io
