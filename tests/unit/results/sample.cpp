#include "sample.hpp"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "../support/record_schema.hpp"
#include "base/units.hpp"

namespace mlps::results::sample {
namespace {

namespace fs = std::filesystem;
using checkpointing::CheckpointEvent;
using checkpointing::Phase;
using checkpointing::PhaseStats;
using checkpointing::RunRecord;

constexpr Nanos kSecondNs = 1'000'000'000;

Stamp at(Nanos after_start) {
  return {kMonotonicNs + after_start, kWallUs + after_start / 1000};
}

CheckpointEvent event(Phase phase, uint32_t checkpoint, uint32_t ranks, Nanos start) {
  CheckpointEvent result;
  result.phase = phase;
  result.checkpoint = checkpoint;
  result.start = at(start);
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    checkpointing::RankInterval interval;
    interval.rank = rank;
    interval.start = at(start);
    interval.duration_ns = (checkpoint + rank) * kSecondNs / (phase == Phase::kWrite ? 1 : 2);
    interval.bytes = 3 * kGiB;
    interval.prepare_ns = 1000;
    interval.storage_ns = interval.duration_ns - 1000;
    interval.barrier_ns = 10;
    result.slowest_ns = std::max(result.slowest_ns, interval.duration_ns);
    result.ranks.push_back(interval);
  }
  return result;
}

void fill_stats(PhaseStats& stats, uint64_t bytes) {
  stats.bytes = bytes;
  stats.parts = 3;
  stats.objects = 2;
  for (const uint64_t latency : {1'000'000U, 2'000'000U, 40'000'000U}) stats.part_ns.record(latency);
  stats.times = {10, 20, 50, 15, 5, 8};
  stats.cpu_user_s = 1;
  stats.cpu_system_s = 2;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "mlps_results_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::files() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    if (!entry.is_directory()) names.push_back(fs::relative(entry.path(), path_).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string TemporaryFolder::text(const std::string& name) const {
  std::ifstream file(fs::path(path_) / name);
  if (!file) throw std::runtime_error("no file " + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> keys_of(const nlohmann::ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

nlohmann::ordered_json TemporaryFolder::json(const std::string& name) const {
  if (name == "mlpstorage_record.json") return test::parse_record(text(name));
  return nlohmann::ordered_json::parse(text(name));
}

checkpointing::CheckpointPlan plan(uint32_t ranks, uint32_t writes, uint32_t reads) {
  checkpointing::CheckpointPlan result;
  result.model = "llama3-8b";
  result.processes = ranks;
  result.data_parallel = ranks;
  result.parameters = 8'030'261'248;
  result.checkpoints_to_write = writes;
  result.checkpoints_to_read = reads;
  result.pause_seconds = 5;
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    const std::string stem = "zero_pp_rank_" + std::to_string(rank) + "_mp_rank_0_";
    checkpointing::RankPlan one{rank, 0, 0, rank, kGiB, 2 * kGiB, {}};
    one.objects = {{stem + "model_states.pt", kGiB}, {stem + "optim_states.pt", 2 * kGiB}};
    result.ranks.push_back(one);
  }
  result.model_bytes = ranks * kGiB;
  result.optimizer_bytes = ranks * 2 * kGiB;
  result.objects_per_checkpoint = uint64_t{ranks} * 2;
  return result;
}

RunRecord passed(uint32_t ranks, uint32_t writes, uint32_t reads) {
  RunRecord record;
  record.invocation_start = {kMonotonicNs - kSecondNs, kWallUs - 1'000'000};
  record.run_start = at(0);
  record.plan = plan(ranks, writes, reads);
  record.io = {2, 4, 16 * kMiB, kGiB};
  record.location = "s3://bucket/prefix";
  record.traits = {"s3", false, true, false, 1};
  record.store_settings = {{"endpoint", "http://127.0.0.1:7480"}, {"payload signing", "unsigned"}};
  record.seed = 42;
  record.verify = true;
  record.payload_layer = "avx2";
  record.first_byte_s = 0.125;
  Nanos now = 0;
  for (uint32_t k = 1; k <= writes + reads; ++k) {
    const Phase phase = k <= writes ? Phase::kWrite : Phase::kRead;
    record.events.push_back(event(phase, k <= writes ? k : k - writes, ranks, now));
    now += record.events.back().slowest_ns;
  }
  if (writes > 0) fill_stats(record.write, record.plan.bytes_to_write());
  if (reads > 0) fill_stats(record.read, record.plan.bytes_to_read());
  if (reads > 0) record.read.bytes_verified = record.plan.bytes_to_read();
  record.run_end = at(now);
  record.peak_rss_bytes = 200 * kMiB;
  record.eviction = "nothing to evict: s3 has no page cache here";
  record.verdict = run::Verdict::kPassed;
  return record;
}

RunRecord failed(uint32_t ranks) {
  RunRecord record = passed(ranks, 2, 2);
  record.events.resize(1);
  record.read = {};
  record.verdict = run::Verdict::kFailed;
  record.reasons = {"1 of 2 checkpoints written, 0 of 2 read"};
  record.error =
      Error{ErrorCode::kDiskFull, "write /mnt/x.pt at offset 0: No space left on device", "attempt 1", "free space"};
  return record;
}

world::HostFacts facts(const std::string& host) {
  world::HostFacts result;
  result.hostname = host;
  result.collected_wall_us = kWallUs;
  result.memory.total = 64 * kGiB;
  result.meminfo = {{"MemTotal", "67108864 kB"}, {"HugePages_Total", "0"}};
  result.cpu = {4, 8, "Test CPU", "x86_64"};
  result.cpuinfo = {{{"processor", "0"}, {"cpu MHz", "2000.5"}}, {{"processor", "1"}, {"cpu MHz", "2001.5"}}};
  result.disks = {{"sda", {1, 2, 3}}};
  result.network = {{"eth0", {7}}};
  result.kernel_version = "Linux version 6.1";
  result.os_release = {{"ID", "debian"}};
  return result;
}

CheckpointContext context(const std::string& folder) {
  CheckpointContext result;
  result.tool_version = "0.1.0";
  result.benchmark = "checkpointing";
  result.command = "run";
  result.mode = "closed";
  result.orgname = "acme";
  result.benchmark = "checkpointing";
  result.command = "run";
  result.systemname = "box";
  result.argv = {"mlpstorage", "closed", "checkpointing", "run", "object", "--checkpoint-folder", "s3://bucket/a b"};
  result.args_json = R"({"mode":"closed","num_processes":2,"hosts":["127.0.0.1"],"zeta":1,"alpha":null})";
  result.model = "llama3-8b";
  result.workload_name = "llama3_8b";
  result.processes = 2;
  result.workload.closed_processes = 8;
  result.workload.parallelism = {1, 1, 3};
  result.values = {
      {"checkpoint.fsync", {"True", workloads::ValueSource::kWorkloadFile}},
      {"checkpoint.num_checkpoints_write", {"2", workloads::ValueSource::kTool}},
      {"checkpoint.time_between_checkpoints", {"5", workloads::ValueSource::kWorkloadFile}},
      {"framework", {"pytorch", workloads::ValueSource::kWorkloadFile}},
      {"model.name", {"llama_8b", workloads::ValueSource::kWorkloadFile}},
      {"model.parallelism.zero_stage", {"3", workloads::ValueSource::kWorkloadFile}},
  };
  result.overrides = {{"checkpoint.num_checkpoints_write", "2", workloads::ValueSource::kTool}};
  result.protocol = "object";
  result.run_datetime = "20260704_050040";
  result.folder = folder;
  result.client_host_memory_gib = 64;
  result.hosts = {"127.0.0.1"};
  result.verification = "CLOSED";
  result.members = {{"node1", 101, 0, 2, {}, facts("node1")}};
  return result;
}

run::HostPart part(const std::string& host, uint32_t process, uint32_t first_rank, uint32_t ranks) {
  run::HostPart result;
  result.host = host;
  result.process = process;
  result.first_rank = first_rank;
  result.ranks = ranks;
  result.bytes_read = kGiB;
  result.bytes_written = 2 * kGiB;
  result.cpu_user_s = 1.5;
  result.cpu_system_s = 0.5;
  result.peak_rss_bytes = 300 * kMiB;
  return result;
}

void use_three_processes(RunContext& context, uint32_t ranks_of_b, uint32_t ranks_of_a) {
  context.processes = ranks_of_b + 2 * ranks_of_a;
  context.members = {{"b", 11, 0, ranks_of_b, {}, facts("b")},
                     {"a", 12, ranks_of_b, ranks_of_a, {1000, -2000, 30}, facts("a")},
                     {"a", 13, ranks_of_b + ranks_of_a, ranks_of_a, {1001, -2001, 31}, facts("a")}};
  for (size_t process : {1U, 2U}) {
    world::HostFacts& host = context.members[process].facts;
    host.memory.total = 80 * kGiB;
    host.cpu.physical_cores = 6;
    host.cpu.logical_cores = 12;
    host.cpuinfo.resize(1);
  }
}

RunOutcome outcome() {
  RunOutcome result;
  result.invocation_end = at(100 * kSecondNs);
  return result;
}

}  // namespace mlps::results::sample
