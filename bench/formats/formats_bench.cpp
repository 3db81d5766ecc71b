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

/// 200 scalars of 761 bytes in the proportions of DLRM.
Layout dlrm() {
  using workloads::ElementType;
  Layout made = layout(workloads::DataFormat::kParquet, 1'536'000, 761);
  made.row_group_rows = 6144;
  const std::pair<ElementType, int> kinds[] = {
      {ElementType::kFloat32, 56}, {ElementType::kFloat16, 50}, {ElementType::kFloat64, 49}, {ElementType::kInt8, 45}};
  for (const auto& [type, count] : kinds) {
    for (int index = 0; index < count; ++index) {
      made.columns.push_back({std::string(workloads::element_name(type)) + "_" + std::to_string(index), type});
    }
  }
  return made;
}

Layout flux() {
  Layout made = layout(workloads::DataFormat::kParquet, 288, 2164832);
  const std::pair<const char*, uint64_t> columns[] = {
      {"t5_encodings", 524328}, {"clip_encodings", 409}, {"mean", 8232}, {"logvar", 8232}, {"timestamp", 7}};
  for (const auto& [name, size] : columns) {
    made.columns.push_back({name, workloads::ElementType::kFloat32, size});
  }
  return made;
}

/// What a program pays before its first file: the footer of 768 row groups of 200 columns.
void make_dlrm(benchmark::State& state) {
  Layout wanted = dlrm();
  wanted.samples_per_file = 768 * 6144;
  for (auto _ : state) {
    auto made = make_format(wanted);
    if (!made) state.SkipWithError("no format");
    benchmark::DoNotOptimize(made);
  }
}

std::vector<Case> cases() {
  using workloads::DataFormat;
  return {
      {"jpeg", layout(DataFormat::kJpeg, 1, 146600628), {12107, 12107}},
      {"npy", layout(DataFormat::kNpy, 1, 146600628), {12107, 12107}},
      {"npz", layout(DataFormat::kNpz, 1, 146600628), {12107, 12107}},
      {"tfrecord", layout(DataFormat::kTfrecord, 1251, 114660.07), {338, 338}},
      {"parquet_dlrm", dlrm(), {}},
      {"parquet_flux", flux(), {}},
  };
}

void add_all() {
  static const std::vector<Case> all = cases();
  for (const Case& what : all) {
    benchmark::RegisterBenchmark((what.name + "/fill").c_str(), fill, what);
    benchmark::RegisterBenchmark((what.name + "/first_mismatch").c_str(), verify, what);
  }
  benchmark::RegisterBenchmark("parquet_dlrm/make_format", make_dlrm);
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
