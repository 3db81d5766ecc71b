#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "base/error.hpp"
#include "formats/format.hpp"

// Bytes of a file per second of CPU on one thread, in parts of 1 MiB as they are written and verified; `jpeg` is bare
// payload and thus the ceiling. bytes_per_second is printed in GiB ("G/s").

namespace mlps::formats {
namespace {

constexpr size_t kPartBytes = size_t{1} << 20;

struct Case {
  std::string name;
  Layout layout;
  FileShape shape;
};

const payload::Source& source() {
  static const payload::Source made(20240607, "train/img_0000_of_0168");
  return made;
}

/// Walks a file's parts, round and round.
template <class Part>
void walk(benchmark::State& state, const Case& what, Part part) {
  auto format = make_format(what.layout);
  auto buffer = AlignedBuffer::allocate(kPartBytes);
  if (!format || !buffer) {
    state.SkipWithError("no format or no memory");
    return;
  }
  const uint64_t parts = (*format)->file_bytes(what.shape) / kPartBytes;
  uint64_t next = 0;
  for (auto _ : state) {
    part(**format, (next++ % parts) * kPartBytes, buffer->span());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kPartBytes));
}

void fill(benchmark::State& state, const Case& what) {
  walk(state, what, [&](const Format& format, uint64_t offset, std::span<std::byte> out) {
    format.fill(what.shape, source(), offset, out);
    benchmark::ClobberMemory();
  });
}

/// Each part is made first, which is not timed.
void verify(benchmark::State& state, const Case& what) {
  walk(state, what, [&](const Format& format, uint64_t offset, std::span<std::byte> out) {
    state.PauseTiming();
    format.fill(what.shape, source(), offset, out);
    state.ResumeTiming();
    if (format.first_mismatch(what.shape, source(), offset, out)) state.SkipWithError("mismatch");
  });
}

Layout layout(workloads::DataFormat format, uint64_t samples, double record_bytes) {
  Layout made;
  made.format = format;
  made.samples_per_file = samples;
  made.record_bytes = record_bytes;
  return made;
}

std::vector<Case> cases() {
  using workloads::DataFormat;
  return {
      {"jpeg", layout(DataFormat::kJpeg, 1, 146600628), {12107, 12107}},
      {"npy", layout(DataFormat::kNpy, 1, 146600628), {12107, 12107}},
      {"npz", layout(DataFormat::kNpz, 1, 146600628), {12107, 12107}},
      {"tfrecord", layout(DataFormat::kTfrecord, 1251, 114660.07), {338, 338}},
  };
}

void add_all() {
  static const std::vector<Case> all = cases();
  for (const Case& what : all) {
    benchmark::RegisterBenchmark((what.name + "/fill").c_str(), fill, what);
    benchmark::RegisterBenchmark((what.name + "/first_mismatch").c_str(), verify, what);
  }
}

}  // namespace
}  // namespace mlps::formats

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  mlps::formats::add_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
