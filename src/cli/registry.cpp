#include "cli/registry.hpp"

#include "benchmarks/checkpointing/command/benchmark.hpp"
#include "benchmarks/kvcache/command/benchmark.hpp"
#include "benchmarks/training/command/benchmark.hpp"
#include "benchmarks/vectordb/command/benchmark.hpp"
#include "cli/program_words.hpp"

namespace mlps::cli {
Registry::Registry(std::vector<const Benchmark*> benchmarks)
    : benchmarks_(std::move(benchmarks)), grammar_(program_words(), {benchmarks_.begin(), benchmarks_.end()}) {}

const Benchmark* Registry::find(const CommandGroup* group) const {
  for (const Benchmark* benchmark : benchmarks_) {
    if (benchmark == group) return benchmark;
  }
  return nullptr;
}

const Registry& registry() {
  static const Registry kRegistry({&kCheckpointing, &kTraining, &kVectorDb, &kKvCache});
  return kRegistry;
}

}  // namespace mlps::cli
