#include "benchmarks/training/readers.hpp"

namespace mlps::training {

Result<std::unique_ptr<Readers>> Readers::start(const ReadPlan& plan, bool verify, storage::Store& store,
                                                PrefetchQueue& queue, world::Failure& failure) {
  std::unique_ptr<Readers> readers(new Readers(queue));
  for (uint32_t i = 0; i < plan.workers; ++i) {
    readers->readers_.push_back(std::make_unique<ExtentReader>(i, plan, verify, store, queue, failure));
  }
  auto threads = io::IoThreadPool::start(plan, verify, store, failure, io::pointers(readers->readers_));
  if (!threads) return fail(std::move(threads.error()));
  readers->threads_ = std::move(*threads);
  readers->on_raise_ = failure.on_raise([&queue] { queue.wake_all(); });
  readers->threads_->begin();
  return readers;
}

Readers::~Readers() {
  if (threads_) stop();
}

void Readers::stop() {
  queue_.close();
  threads_->stop();
  on_raise_ = {};
}

void Readers::merge_into(ReadStats& stats) const {
  for (const auto& reader : readers_) merge(stats, reader->numbers());
}

}  // namespace mlps::training
