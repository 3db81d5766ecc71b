// Rows by generator, and ground truth beside the matrix product of OpenBLAS (where it is installed) on the same sizes:
//   OPENBLAS_NUM_THREADS=1 taskset -c 0 build/release/vectordb_bench
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include "benchmarks/vectordb/truth.hpp"

namespace {

using namespace mlps::vectordb;

std::unique_ptr<VectorSource> source_of(Distribution distribution, uint32_t dimension, uint64_t rows) {
  SourceSpec spec;
  spec.distribution = distribution;
  spec.dimension = dimension;
  spec.rows = rows;
  return make_source(spec).value();
}

/// Rows held in memory, so that only the comparison is measured.
class MemorySource final : public VectorSource {
 public:
  explicit MemorySource(const VectorSource& from) : rows_(from.dimension(), from.rows()) {
    (void)from.read(0, rows_.values);
  }
  uint64_t rows() const override { return rows_.rows(); }
  uint32_t dimension() const override { return rows_.dimension; }
  std::string identity() const override { return "memory"; }
  mlps::Status read(uint64_t first, std::span<float> out) const override {
    std::copy_n(rows_.values.data() + first * rows_.dimension, out.size(), out.data());
    return {};
  }
  const VectorBlock& block() const { return rows_; }

 private:
  VectorBlock rows_;
};

void generate(benchmark::State& state, Distribution distribution) {
  const auto dimension = static_cast<uint32_t>(state.range(0));
  const auto source = source_of(distribution, dimension, 1'000'000);
  std::vector<float> rows(262144 / dimension * dimension);
  uint64_t first = 0;
  for (auto _ : state) {
    (void)source->read(first, rows);
    first = (first + rows.size() / dimension) % 900'000;
    benchmark::DoNotOptimize(rows.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * rows.size() * sizeof(float)));
}
BENCHMARK_CAPTURE(generate, uniform, Distribution::kUniform)->Arg(128)->Arg(1536);
BENCHMARK_CAPTURE(generate, normal, Distribution::kNormal)->Arg(128)->Arg(1536);
BENCHMARK_CAPTURE(generate, clustered, Distribution::kClustered)->Arg(128)->Arg(1536);

constexpr uint32_t kDimension = 768;
constexpr uint64_t kRows = 200'000, kQueries = 1000;

void ground_truth(benchmark::State& state) {
  const MemorySource base(*source_of(Distribution::kUniform, kDimension, kRows));
  const MemorySource queries(*source_of(Distribution::kUniform, kDimension, kQueries));
  for (auto _ : state) {
    const auto truth =
        compute_truth(base, queries.block().view(), {.k = 100, .threads = static_cast<unsigned>(state.range(0))});
    benchmark::DoNotOptimize(truth->neighbours.data());
  }
  state.counters["flops"] =
      benchmark::Counter(2.0 * kDimension * kRows * kQueries, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(ground_truth)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void openblas_sgemm(benchmark::State& state) {
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
  void* library = dlopen("libopenblas.so.0", RTLD_NOW);
  const auto sgemm = library == nullptr ? nullptr : reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  if (sgemm == nullptr) return state.SkipWithError("libopenblas.so.0 is not installed");
  const MemorySource base(*source_of(Distribution::kUniform, kDimension, kRows));
  const MemorySource queries(*source_of(Distribution::kUniform, kDimension, kQueries));
  constexpr int kBlock = 4000;
  std::vector<float> out(kQueries * kBlock);
  for (auto _ : state) {
    for (uint64_t first = 0; first < kRows; first += kBlock) {
      sgemm(101, 111, 112, kQueries, kBlock, kDimension, 1, queries.block().values.data(), kDimension,
            base.block().values.data() + first * kDimension, kDimension, 0, out.data(), kBlock);
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["flops"] =
      benchmark::Counter(2.0 * kDimension * kRows * kQueries, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(openblas_sgemm)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
