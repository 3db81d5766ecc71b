#include "benchmarks/training/readers.hpp"

#include <algorithm>

namespace mlps::training {

Result<std::unique_ptr<Readers>> Readers::start(const ReadPlan& plan, bool verify, storage::Store& store, Feed& feed,
                                                world::Failure& failure) {
  std::unique_ptr<Readers> readers(new Readers(feed));
  for (uint32_t i = 0; i < plan.workers; ++i) {
    auto reader = Reader::create(i, plan, verify, store, feed, failure);
    if (!reader) return fail(std::move(reader.error()));
    readers->readers_.push_back(std::move(*reader));
  }
  readers->on_raise_ = failure.on_raise([raw = readers.get()] {
    for (const auto& reader : raw->readers_) reader->cancel();
    raw->feed_.wake_all();
  });
  auto threads =
      Threads::start(readers->readers_.size(),
                     {"I/O threads", "--io-workers", [&failure](Error error) { failure.raise(std::move(error)); }},
                     [raw = readers.get()](size_t index) { raw->readers_[index]->work(); });
  if (!threads) return fail(std::move(threads.error()));
  readers->threads_ = std::move(*threads);
  return readers;
}

Readers::~Readers() {
  stop();
}

void Readers::stop() {
  feed_.close();
  threads_.join();
  on_raise_ = {};
}

uint64_t Readers::live_bytes() const {
  uint64_t bytes = 0;
  for (const auto& reader : readers_) bytes += reader->live_bytes();
  return bytes;
}

void Readers::merge_into(ReadStats& stats) const {
  for (const auto& reader : readers_) merge(stats, reader->stats());
}

Nanos Readers::first_read_ns() const {
  Nanos first = 0;
  for (const auto& reader : readers_) {
    const Nanos own = reader->first_read_ns();
    if (own != 0 && (first == 0 || own < first)) first = own;
  }
  return first;
}

}  // namespace mlps::training
