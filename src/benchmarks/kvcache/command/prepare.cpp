#include "benchmarks/kvcache/command/prepare.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <system_error>

#include "base/log.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/slab_store.hpp"
#include "gates/memory.hpp"
#include "session/execution.hpp"

namespace mlps::cli {
namespace {

using kvcache::KvIo;
using kvcache::OptionPlan;
using workloads::ValueSource;

// No cache belongs into these folders, or below them.
constexpr std::array kSystemFolders = {"/etc",  "/bin", "/sbin", "/usr/bin", "/usr/sbin",
                                       "/boot", "/sys", "/proc", "/dev",     "/root"};
// Memory that looks like a folder of the system.
constexpr std::array kExceptions = {"/dev/shm"};

constexpr uint64_t kLeastPart = 256 * kKiB;
constexpr uint64_t kUnfilledPart = 64 * kGiB;  // no byte of it goes through memory: an entry is one operation
constexpr uint64_t kPartsOfEntry = 4;          // of each entry in service, where they overlap
constexpr uint64_t kBlocksAtOnce = 64;         // of a rank that replays a trace

bool is_in(const std::filesystem::path& path, const char* folder) {
  const std::filesystem::path parent(folder);
  return std::mismatch(parent.begin(), parent.end(), path.begin(), path.end()).first == parent.end();
}

Status check_folder(const Location& folder) {
  if (!folder.is_file_system()) return {};
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(folder.path(), ignored);
  const auto holds = [&](const char* each) { return is_in(path, each); };
  const bool system = path == "/" || std::any_of(kSystemFolders.begin(), kSystemFolders.end(), holds);
  if (!system || std::any_of(kExceptions.begin(), kExceptions.end(), holds)) return {};
  return fail(ErrorCode::kConfigInvalid, fmt::format("--cache-dir {} is a folder of the system", path.string()), {},
              "give a folder of its own on the storage that is to be measured");
}

Status check_payload(const KvCacheOptions& options, const Location& folder) {
  if (options.fills) return {};
  if (folder.scheme() == Scheme::kNull && !options.verify) return {};
  return fail(ErrorCode::kConfigIncompatible,
              fmt::format("--payload none with {}", options.verify ? "--verify" : folder.to_string()), {},
              "unfilled buffers measure the program itself: they are legal with a null:// folder only");
}

/// Returns the part size by which all entries in service can move at once in the memory there is.
uint64_t part_bytes(const KvCacheOptions& options, uint64_t usual, uint64_t in_flight,
                    const storage::StoreTraits& traits) {
  if (!options.fills) return kUnfilledPart;
  const bool object = traits.holds_objects && !traits.file_system;
  if (options.io_part_bytes || object) return usual;
  const uint64_t share = std::max<uint64_t>(options.io_memory_bytes / in_flight, kLeastPart);
  return std::min(usual, std::bit_floor(share));
}

Result<kvcache::OptionIo> plan_io(const KvCacheOptions& options, const OptionPlan& option,
                                  const storage::StoreTraits& traits) {
  const uint64_t of_rank = options.settings.paged ? kBlocksAtOnce : uint64_t{option.at_once()};
  const uint64_t entries = of_rank * ranks_per_host(options);
  const bool overlaps = options.settings.io == KvIo::kDirect;
  io::PlanRequest request = io_limits<io::PlanRequest>(options, traits);
  io::PlanWish wish;
  wish.in_flight = entries * (overlaps ? kPartsOfEntry : 1);
  wish.null_workers = processors();
  wish.part_bytes = io::buffer_bytes_for(part_bytes(options, request.part_bytes, entries, traits), traits);
  wish.buffers = options.fills;
  request.part_bytes = wish.part_bytes;
  auto storage = io::choose_plan(request, wish, traits);
  if (!storage) return fail(std::move(storage.error()));
  kvcache::OptionIo io;
  io.storage = *storage;
  if (option.cpu_gib > 0) io.memory = {processors(), 1, kMiB, options.io_memory_bytes, true};
  return io;
}

Status add_slabs(const KvCacheOptions& options, const Location& folder, PreparedKvCache& prepared) {
  if (!folder.is_file_system() || !options.inject_fault.empty()) {
    return fail(
        ErrorCode::kConfigIncompatible,
        fmt::format("--block-layout slabs with {}", folder.is_file_system() ? "--inject-fault" : folder.to_string()),
        {}, "slabs are files of a folder, and have no faults: give --block-layout objects");
  }
  const uint64_t block = options.settings.options.front().model.entry_bytes(options.settings.paged->block_tokens,
                                                                            options.settings.tensor_parallel);
  prepared.slabs = kvcache::make_slab_store(*prepared.store, block, folder.scheme() == Scheme::kDirect);
  prepared.request.store = prepared.slabs.get();
  return {};
}

Status open_folder(const KvCacheOptions& options, const Environment& environment, PreparedKvCache& prepared) {
  const auto folder = folder_of(options, environment);
  if (!folder) return fail(folder.error());
  if (Status legal = check_folder(*folder); !legal) return legal;
  if (Status legal = check_payload(options, *folder); !legal) return legal;
  auto store = open_store(*folder, options, environment);
  if (!store) return fail(store.error());
  prepared.store = std::move(*store);
  prepared.request.store = prepared.store.get();
  if (options.settings.paged && options.settings.paged->slabs) {
    if (Status made = add_slabs(options, *folder, prepared); !made) return made;
  }
  for (const OptionPlan& option : options.settings.options) {
    const auto io = plan_io(options, option, prepared.request.store->traits());
    if (!io) return fail(io.error());
    prepared.request.io.push_back(*io);
  }
  return {};
}

bool is_in_memory(const std::string& existing_folder) {
  struct statfs about {};
  if (::statfs(existing_folder.c_str(), &about) != 0) return false;
  return about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC;
}

/// Returns the most bytes that the ranks of a host may keep in the cache folder, of which so many are free; 0 where
/// nobody knows: a replay stores what its trace has.
uint64_t most_stored(const kvcache::Settings& settings, uint32_t ranks, uint64_t free_bytes) {
  if (settings.paged) {
    const uint64_t block =
        settings.options.front().model.entry_bytes(settings.paged->block_tokens, settings.tensor_parallel);
    return block * settings.paged->block_capacity * ranks;
  }
  if (settings.storage_capacity_gib <= 0) return free_bytes;
  return static_cast<uint64_t>(settings.storage_capacity_gib * static_cast<double>(kGiB)) * ranks;
}

/// Looks whether entries in a folder of a file system in memory fit beside the memory of the program.
Status check_memory(const KvCacheOptions& options, const PreparedKvCache& prepared) {
  if (options.which != KvCacheCommand::kRun || !prepared.store->traits().file_system) return {};
  const auto capacity = prepared.store->capacity();  // what is wrong with the folder itself is the gates' to say
  if (!capacity || !*capacity || !is_in_memory((*capacity)->measured_at)) return {};
  gates::HostMemory host;
  gates::look_at_memory(host);
  if (!host.available_bytes) return {};
  uint64_t program = 0;
  for (size_t i = 0; i < options.settings.options.size(); ++i) {
    program =
        std::max(program, host_memory(prepared.request.io[i], options.settings.options[i], ranks_per_host(options)));
  }
  const uint64_t stored = most_stored(options.settings, ranks_per_host(options), (*capacity)->available_bytes);
  if (stored + program <= *host.available_bytes) return {};
  return fail(
      ErrorCode::kConfigInvalid,
      fmt::format("--cache-dir {} is in memory: {} of entries beside {} of buffers and CPU tiers exceed the "
                  "memory that is available, {}",
                  options.cache_dir, human_bytes(stored), human_bytes(program), human_bytes(*host.available_bytes)),
      host.available_by,
      options.settings.paged ? "give a smaller --block-capacity, or a folder on storage"
                             : "give a smaller --storage-capacity-gb, or a folder on storage");
}

workloads::Values values_of(const KvCacheOptions& options) {
  const kvcache::Settings& settings = options.settings;
  workloads::Values values;
  const auto set = [&](const std::string& key, std::string value) {
    values[key] = {std::move(value), ValueSource::kWorkloadFile};
  };
  for (const OptionPlan& option : settings.options) {
    const std::string prefix = fmt::format("options.{}.", option.number);
    set(prefix + "model", option.model.key);
    set(prefix + "num_users", std::to_string(option.users));
    set(prefix + "duration", fmt::format("{}", option.duration_s));
    set(prefix + "gpu_mem_gb", fmt::format("{}", option.gpu_gib));
    set(prefix + "cpu_mem_gb", fmt::format("{}", option.cpu_gib));
    set(prefix + "max_concurrent_allocs", std::to_string(option.max_allocs));
    set(prefix + "generation_mode", std::string(kvcache::generation_name(option.generation)));
  }
  // What readers of mlpstorage 3.0 ask for; theirs refuse tiers below 1 GiB, which closed has, so these are left out.
  set("model", settings.options.front().model.key);
  set("num_users", std::to_string(settings.options.front().users));
  set("duration", fmt::format("{}", settings.options.front().duration_s));
  set("cache_dir", options.cache_dir);
  set("performance_profile", settings.throughput_profile ? "throughput" : "latency");
  set("sequence.seed", std::to_string(settings.seed));
  set("sequence.trials", std::to_string(settings.trials));
  set("sequence.inter_option_delay_s", fmt::format("{}", settings.inter_option_delay_s));
  set("sequence.config", options.config_changes.empty() ? "default" : "custom");
  if (options.common.mode == Mode::kClosed) return values;
  for (const auto& [key, value] : options.config_changes) set("features.config." + key, value);
  set("features.multi_turn", settings.multi_turn ? "true" : "false");
  set("features.prefix_caching", settings.prefix_caching ? "true" : "false");
  set("features.tensor_parallel", std::to_string(settings.tensor_parallel));
  set("features.arrival", std::string(kvcache::arrival_name(settings.arrival)));
  set("features.request_rate", fmt::format("{}", settings.request_rate));
  set("features.arrival_cv", fmt::format("{}", settings.arrival_cv));
  set("features.storage_capacity_gb", fmt::format("{}", settings.storage_capacity_gib));
  set("features.kv_io", std::string(kvcache::kv_io_name(settings.io)));
  set("features.phases", std::string(kvcache::phases_name(settings.phases)));
  set("features.rag_num_docs", std::to_string(settings.tuning.rag.documents));
  set("features.autoscaler_mode", std::string(kvcache::autoscaler_name(settings.tuning.scaling.mode)));
  set("features.target_saturation", fmt::format("{}", settings.tuning.scaling.target_saturation));
  set("features.precondition", settings.preconditioning ? "true" : "false");
  if (!settings.paged) return values;
  const kvcache::PagedSettings& paged = *settings.paged;
  set("features.trace", std::filesystem::path(paged.trace).filename().string());
  set("features.block_tokens", std::to_string(paged.block_tokens));
  set("features.partial_blocks", paged.partial_blocks ? "count" : "skip");
  set("features.block_layout", paged.slabs ? "slabs" : "objects");
  set("features.block_capacity", std::to_string(paged.block_capacity));
  set("features.block_eviction", paged.fifo ? "fifo" : "lru");
  set("features.block_admission", paged.second_use ? "second-use" : "first-use");
  set("features.trace_speedup", fmt::format("{}", paged.speedup));
  set("features.replay_cycles", std::to_string(paged.cycles));
  set("features.trace_users", std::to_string(paged.users));
  set("features.prefill_rate", fmt::format("{}", paged.prefill_rate));
  set("features.decode_rate", fmt::format("{}", paged.decode_rate));
  set("features.kv_load", paged.layerwise ? "layerwise" : "whole");
  return values;
}

}  // namespace

uint32_t ranks_per_host(const KvCacheOptions& options) {
  const auto hosts = static_cast<uint32_t>(std::max<size_t>(1, options.hosts.hosts.size()));
  return (options.num_processes + hosts - 1) / hosts;
}

uint64_t host_memory(const kvcache::OptionIo& io, const OptionPlan& option, uint32_t ranks) {
  const auto tier = static_cast<uint64_t>(option.cpu_gib * static_cast<double>(kGiB));
  return io.storage.buffer_bytes() + io.memory.buffer_bytes() + tier * ranks;
}

tl::expected<PreparedKvCache, std::vector<Error>> prepare_kvcache(const KvCacheOptions& options,
                                                                  const Environment& environment) {
  PreparedKvCache prepared;
  prepared.values = values_of(options);
  prepared.request.settings = options.settings;
  prepared.request.ranks = options.num_processes;
  prepared.request.verify = options.verify;
  prepared.request.fills = options.fills;
  prepared.request.injected_fault = options.inject_fault;
  prepared.request.io_trace = options.io_trace;
  if (options.cache_dir.empty()) return prepared;
  if (Status opened = open_folder(options, environment, prepared); !opened) {
    return tl::unexpected(std::vector<Error>{opened.error()});
  }
  if (Status fits = check_memory(options, prepared); !fits) return tl::unexpected(std::vector<Error>{fits.error()});
  return prepared;
}

}  // namespace mlps::cli
