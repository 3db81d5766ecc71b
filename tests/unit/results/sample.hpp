#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/record.hpp"
#include "benchmarks/checkpointing/results/files.hpp"

/// A run whose every number is known, for the tests of the result files.
namespace mlps::results::sample {

inline constexpr int64_t kWallUs = 1'783'141'240'123'456;  // 2026-07-04 05:00:40.123456 UTC
inline constexpr Nanos kMonotonicNs = 5'000'000'000;

/// A folder below the system's temporary folder, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::vector<std::string> files() const;  ///< names relative to the folder, sorted
  std::string text(const std::string& name) const;
  nlohmann::ordered_json json(const std::string& name) const;

 private:
  std::string path_;
};

/// Returns the keys of an object in their order.
std::vector<std::string> keys_of(const nlohmann::ordered_json& object);

/// `ranks` ranks of 1 GiB model and 2 GiB optimizer state each, in two objects.
checkpointing::CheckpointPlan plan(uint32_t ranks, uint32_t writes, uint32_t reads);

/// A run of that plan that passed: checkpoint k took rank r (k + r) seconds to write and half of that to read.
checkpointing::RunRecord passed(uint32_t ranks, uint32_t writes, uint32_t reads);

/// The same, stopped by a full disk in its last write.
checkpointing::RunRecord failed(uint32_t ranks);

/// A host of 64 GiB with 4 cores, 8 logical.
world::HostFacts facts(const std::string& host);

/// What a process did that read 1 GiB and wrote 2 GiB with 2 s of CPU.
run::HostPart part(const std::string& host, uint32_t process, uint32_t first_rank, uint32_t ranks);

/// One process on "node1" with 2 ranks.
CheckpointContext context(const std::string& folder);

/// Instead of it one process on host "b" and two on host "a", which has 80 GiB and 6 cores, 12 logical.
void use_three_processes(RunContext& context, uint32_t ranks_of_b, uint32_t ranks_of_a);

RunOutcome outcome();

}  // namespace mlps::results::sample
