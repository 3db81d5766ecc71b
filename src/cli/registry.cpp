#include "cli/registry.hpp"

#include "benchmarks/checkpointing/command/benchmark.hpp"
#include "benchmarks/kvcache/command/benchmark.hpp"
#include "benchmarks/training/command/benchmark.hpp"
#include "benchmarks/vectordb/command/benchmark.hpp"
#include "cli/program_words.hpp"

namespace mlps::cli {
namespace {

std::vector<const CommandGroup*> groups_of(const std::vector<const Benchmark*>& benchmarks,
                                           const std::vector<const CommandGroup*>& not_built) {
  std::vector<const CommandGroup*> groups(benchmarks.begin(), benchmarks.end());
  groups.insert(groups.end(), not_built.begin(), not_built.end());
  return groups;
}

}  // namespace

Registry::Registry(std::vector<const Benchmark*> benchmarks, const std::vector<const CommandGroup*>& not_built)
    : benchmarks_(std::move(benchmarks)), grammar_(program_words(), groups_of(benchmarks_, not_built)) {}

const Benchmark* Registry::find(const CommandGroup* group) const {
  for (const Benchmark* benchmark : benchmarks_) {
    if (benchmark == group) return benchmark;
  }
  return nullptr;
}

const Registry& registry() {
  static const Registry kRegistry({&kCheckpointing, &kTraining, &kVectorDb, &kKvCache}, {});
  return kRegistry;
}

}  // namespace mlps::cli
