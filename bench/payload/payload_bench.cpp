#include <benchmark/benchmark.h>
#include <isa-l/crc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "payload/payload.hpp"

// Bytes of payload per second of CPU on one thread, for each layer this processor runs; memset and crc32c are the
// ceilings beside them, on the same buffer in the same run. bytes_per_second is printed in GiB ("G/s").

namespace mlps::payload {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;
/// Neither a multiple of a row nor of a word.
constexpr uint64_t kUnaligned = 4099;

const Source& object() {
  static const Source source(20240607, "global_step_1/model_states.pt");
  return source;
}

AlignedBuffer touched_buffer(size_t size) {
  Result<AlignedBuffer> buffer = AlignedBuffer::allocate(size);
  if (!buffer) {
    std::fprintf(stderr, "payload_bench: no memory for a buffer of %zu bytes\n", size);
    std::exit(1);
  }
  std::memset(buffer->data(), 1, size);
  return std::move(*buffer);
}

void count_bytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc) {
  // isa-l takes a pointer to non-const and only reads.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  return crc32_iscsi(data, static_cast<int>(bytes.size()), crc);
}

void memset_ceiling(benchmark::State& state, size_t size) {
  const AlignedBuffer buffer = touched_buffer(size);
  int value = 0;
  for (auto _ : state) {
    std::memset(buffer.data(), ++value, size);
    benchmark::ClobberMemory();
  }
  count_bytes(state, size);
}

void crc32c_ceiling(benchmark::State& state, size_t size) {
  const AlignedBuffer buffer = touched_buffer(size);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(buffer.span(), 0));
  count_bytes(state, size);
}

void fill(benchmark::State& state, std::string_view layer, size_t size, uint64_t offset) {
  select_layer(layer);
  const AlignedBuffer buffer = touched_buffer(size);
  for (auto _ : state) {
    object().fill(offset, buffer.span().first(size));
    benchmark::ClobberMemory();
    offset += size;
  }
  count_bytes(state, size);
}

void verify(benchmark::State& state, std::string_view layer, size_t size, uint64_t offset) {
  select_layer(layer);
  const AlignedBuffer buffer = touched_buffer(size);
  object().fill(offset, buffer.span().first(size));
  for (auto _ : state) {
    if (object().first_mismatch(offset, buffer.span().first(size))) state.SkipWithError("mismatch");
  }
  count_bytes(state, size);
}

/// What the S3 client does to a part: fill it and take its CRC32C, tile by tile.
void fill_and_crc32c(benchmark::State& state, std::string_view layer, size_t size) {
  select_layer(layer);
  const AlignedBuffer buffer = touched_buffer(size);
  uint64_t offset = 0;
  for (auto _ : state) {
    uint32_t crc = 0;
    object().fill_tiles(offset, buffer.span(), [&](std::span<const std::byte> tile) { crc = crc32c(tile, crc); });
    benchmark::DoNotOptimize(crc);
    offset += size;
  }
  count_bytes(state, size);
}

/// The same in two passes, to show what the tiles bring.
void fill_then_crc32c(benchmark::State& state, std::string_view layer, size_t size) {
  select_layer(layer);
  const AlignedBuffer buffer = touched_buffer(size);
  uint64_t offset = 0;
  for (auto _ : state) {
    object().fill(offset, buffer.span());
    benchmark::DoNotOptimize(crc32c(buffer.span(), 0));
    offset += size;
  }
  count_bytes(state, size);
}

std::string size_text(size_t size) {
  if (size % kMiB == 0) return std::to_string(size / kMiB) + "MiB";
  if (size % kKiB == 0) return std::to_string(size / kKiB) + "KiB";
  return std::to_string(size) + "B";
}

template <class Function, class... Arguments>
void add(const std::string& name, size_t size, Function function, Arguments... arguments) {
  benchmark::RegisterBenchmark((name + '/' + size_text(size)).c_str(), function, arguments...);
}

void add_all() {
  for (const size_t size : {kMiB, 16 * kMiB}) {
    add("memset", size, memset_ceiling, size);
    add("crc32c", size, crc32c_ceiling, size);
  }
  for (const std::string_view layer : available_layers()) {
    const std::string prefix(layer);
    for (const size_t size : {64 * kKiB, kMiB, 16 * kMiB}) {
      add(prefix + "/fill", size, fill, layer, size, uint64_t{0});
      add(prefix + "/verify", size, verify, layer, size, uint64_t{0});
    }
    for (const size_t size : {size_t{1000}, 4 * kKiB, size_t{100'000}, kMiB}) {
      add(prefix + "/fill_unaligned", size, fill, layer, size, kUnaligned);
      add(prefix + "/verify_unaligned", size, verify, layer, size, kUnaligned);
    }
    for (const size_t size : {kMiB, 16 * kMiB, 128 * kMiB}) {
      add(prefix + "/fill_tiles_crc32c", size, fill_and_crc32c, layer, size);
      add(prefix + "/fill_then_crc32c", size, fill_then_crc32c, layer, size);
    }
  }
}

}  // namespace
}  // namespace mlps::payload

int main(int argc, char** argv) {
  mlps::payload::add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
