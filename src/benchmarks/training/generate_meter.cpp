#include "benchmarks/training/generate_meter.hpp"

#include <algorithm>
#include <chrono>

#include "base/units.hpp"

namespace mlps::training {
namespace {

constexpr auto kMeterInterval = std::chrono::milliseconds(500);

}  // namespace

GenerateMeter::~GenerateMeter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_.notify_all();
  }
  thread_.join();
}

void GenerateMeter::tick() {
  const Nanos begin = now_ns();
  Nanos last = begin;
  uint64_t last_bytes = 0;
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kMeterInterval, [&] { return stopping_; })) {
    const WriteCount own = sources_.own();
    const OtherHosts others = sources_.others();
    const Nanos now = now_ns();
    GenerateProgress progress = start_;
    progress.files += own.files + others.count.files;
    progress.bytes += own.bytes + others.count.bytes;
    progress.seconds = to_seconds(now - begin);
    progress.gib_per_s = to_gib(own.bytes - last_bytes) / to_seconds(std::max<Nanos>(1, now - last)) +
                         others.bytes_per_s / static_cast<double>(kGiB);
    last = now;
    last_bytes = own.bytes;
    sources_.display(progress);
  }
}

}  // namespace mlps::training
