#include "benchmarks/training/readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

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
  try {
    for (const auto& reader : readers->readers_) readers->threads_.emplace_back([raw = reader.get()] { raw->work(); });
  } catch (const std::system_error& error) {
    return fail(ErrorCode::kInternal,
                fmt::format("can't start I/O thread {}: {}", readers->threads_.size(), error.what()), {},
                "raise the limit of threads (ulimit -u), or lower --io-workers");
  }
  return readers;
}

Readers::~Readers() {
  stop();
}

void Readers::stop() {
  feed_.close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
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
