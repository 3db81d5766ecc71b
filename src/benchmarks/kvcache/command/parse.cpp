#include "benchmarks/kvcache/command/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/text.hpp"
#include "benchmarks/kvcache/config_file.hpp"
#include "session/load_search.hpp"

namespace mlps::cli {
namespace {

using kvcache::OptionPlan;
using kvcache::Settings;

constexpr double kMostGib = 1e9;

KvCacheCommand command_of_word(std::string_view word) {
  if (word == "run") return KvCacheCommand::kRun;
  return word == "configview" ? KvCacheCommand::kConfigview : KvCacheCommand::kDatasize;
}

template <class Value>
Value choice_of(Reader& reader, const char* flag, std::initializer_list<const char*> words) {
  const std::string word = reader.choice(flag);
  const auto found = std::find(words.begin(), words.end(), word);
  return static_cast<Value>(found == words.end() ? 0 : found - words.begin());
}

void refuse(CommandLine& line, std::string message, std::string suggestion) {
  line.errors.push_back({ErrorCode::kConfigInvalid, std::move(message), {}, std::move(suggestion)});
}

/// Returns a size in GiB, which may be 0 and have a fraction.
double gib(Reader& reader, CommandLine& line, const char* flag) {
  const std::string text = reader.text(flag);
  const auto value = parse_number<double>(text);
  if (value && *value >= 0 && *value <= kMostGib) return *value;
  refuse(line, fmt::format("--{}: '{}' is not a number of GiB from 0 to {:.0f}", flag, text, kMostGib),
         fmt::format("for example: --{} 4", flag));
  return 0;
}

/// Returns what --config says, or the defaults.
kvcache::ConfigFile given_config(CommandLine& line) {
  const auto file = line.files.find("config");
  if (file == line.files.end()) return {};
  auto config = kvcache::parse_config_file(file->second);
  if (config) return std::move(*config);
  line.errors.push_back(config.error());
  return {};
}

const kvcache::Model* find_model(const kvcache::ConfigFile& config, const std::string& key) {
  const auto found =
      std::find_if(config.models.begin(), config.models.end(), [&](const auto& m) { return m.key == key; });
  return found != config.models.end() ? &*found : kvcache::find_model(key);
}

/// Returns the model that all options have, if one is given.
std::optional<kvcache::Model> given_model(Reader& reader, CommandLine& line, const kvcache::ConfigFile& config) {
  const auto file = line.files.find("model-config");
  if (file == line.files.end()) {
    if (!reader.given("model")) return std::nullopt;
    const std::string key = reader.text("model");
    if (const kvcache::Model* known = find_model(config, key)) return *known;
    std::vector<std::string> keys;
    for (const kvcache::Model& known : kvcache::known_models()) keys.push_back(known.key);
    for (const kvcache::Model& known : config.models) {
      if (kvcache::find_model(known.key) == nullptr) keys.push_back(known.key);
    }
    refuse(line, fmt::format("--model: '{}' is no known model", key),
           fmt::format("known are {}; any other by --model-config", join(keys, ", ")));
    return std::nullopt;
  }
  if (reader.given("model")) refuse(line, "--model and --model-config both name a model", "leave one of them out");
  auto model = kvcache::parse_model_config(file->second, "--model-config");
  if (model) {
    model->key = model->name = "custom";
    return *model;
  }
  line.errors.push_back(model.error());
  return std::nullopt;
}

void read_option(Reader& reader, CommandLine& line, OptionPlan& option) {
  if (reader.given("num-users")) option.users = reader.is_max("num-users") ? 1 : reader.small("num-users");
  if (reader.given("duration")) option.duration_s = reader.real("duration");
  if (reader.given("gpu-mem-gb")) option.gpu_gib = gib(reader, line, "gpu-mem-gb");
  if (reader.given("cpu-mem-gb")) option.cpu_gib = gib(reader, line, "cpu-mem-gb");
  if (reader.given("max-concurrent-allocs")) option.max_allocs = reader.small("max-concurrent-allocs");
  option.generation = choice_of<kvcache::GenerationMode>(reader, "generation-mode", {"none", "fast", "realistic"});
}

void read_options(Reader& reader, CommandLine& line, const kvcache::ConfigFile& config, Settings& settings) {
  const auto model = given_model(reader, line, config);
  const auto only = reader.optional_integer("option");
  for (uint32_t number = 1; number <= 3; ++number) {
    if (only && *only != number) continue;
    OptionPlan option = kvcache::closed_option(number);
    option.model = model ? *model : *find_model(config, option.model.key);
    const size_t before = line.errors.size();
    read_option(reader, line, option);
    if (line.errors.size() > before && !settings.options.empty()) line.errors.resize(before);  // said of the first
    settings.options.push_back(std::move(option));
  }
}

void read_arrival(Reader& reader, CommandLine& line, Settings& settings) {
  settings.arrival = choice_of<kvcache::Arrival>(reader, "arrival", {"think", "closed", "poisson", "gamma"});
  const bool by_rate = settings.arrival == kvcache::Arrival::kPoisson || settings.arrival == kvcache::Arrival::kGamma;
  if (by_rate && !reader.given("request-rate")) {
    refuse(line, fmt::format("--arrival {} without --request-rate", kvcache::arrival_name(settings.arrival)),
           "give the requests per second and rank, for example --request-rate 20");
  }
  if (!by_rate && reader.given("request-rate")) {
    refuse(line, "--request-rate has no meaning where users think", "give --arrival poisson or gamma with it");
  }
  if (settings.arrival != kvcache::Arrival::kGamma && reader.given("arrival-cv")) {
    refuse(line, "--arrival-cv without --arrival gamma", "leave it out: the gaps of poisson have 1");
  }
  if (by_rate) settings.request_rate = reader.real("request-rate");
  settings.arrival_cv = reader.real("arrival-cv");
}

/// Looks at what doesn't go with --num-users max.
void read_search(Reader& reader, CommandLine& line, KvCacheOptions& options) {
  options.searches = reader.is_max("num-users");
  if (!options.searches) return;
  check_search_line("--num-users max", reader, options, line.errors);
  if (options.settings.request_rate > 0) {
    refuse(line, fmt::format("--num-users max with --arrival {}", kvcache::arrival_name(options.settings.arrival)),
           "the number of users doesn't change the rate of requests there: give think or closed");
  }
  if (reader.on("enable-autoscaling")) {
    refuse(line, "--num-users max with --enable-autoscaling: both change the number of users", "leave one of them out");
  }
}

/// What there is besides users and their requests.
void read_features(Reader& reader, CommandLine& line, Settings& settings) {
  constexpr std::array kNeeds = {
      std::pair("rag-num-docs", "enable-rag"), std::pair("autoscaler-mode", "enable-autoscaling"),
      std::pair("target-saturation", "enable-autoscaling"), std::pair("precondition-size-gb", "precondition"),
      std::pair("precondition-threads", "precondition")};
  for (const auto& [flag, needed] : kNeeds) {
    if (!reader.given(flag) || reader.on(needed)) continue;
    refuse(line, fmt::format("--{} without --{}", flag, needed), fmt::format("give --{} with it", needed));
  }
  if (reader.on("prefill-only") && reader.on("decode-only")) {
    refuse(line, "--prefill-only with --decode-only: requests would do nothing", "give one of them");
  }
  settings.phases = reader.on("prefill-only")  ? kvcache::Phases::kPrefillOnly
                    : reader.on("decode-only") ? kvcache::Phases::kDecodeOnly
                                               : kvcache::Phases::kBoth;
  if (reader.on("enable-rag")) settings.tuning.rag.documents = reader.small("rag-num-docs");
  if (reader.on("enable-autoscaling")) {
    kvcache::ScalingRules& scaling = settings.tuning.scaling;
    scaling.mode =
        reader.choice("autoscaler-mode") == "qos" ? kvcache::AutoscalerMode::kQos : kvcache::AutoscalerMode::kCapacity;
    scaling.target_saturation = reader.real("target-saturation");
    if (settings.arrival == kvcache::Arrival::kPoisson || settings.arrival == kvcache::Arrival::kGamma) {
      refuse(line, fmt::format("--enable-autoscaling with --arrival {}", kvcache::arrival_name(settings.arrival)),
             "the number of users doesn't change the rate of requests there: give think or closed");
    }
  }
  if (!reader.on("precondition")) return;
  settings.preconditioning = {gib(reader, line, "precondition-size-gb"), reader.small("precondition-threads")};
}

void read_io(Reader& reader, CommandLine& line, KvCacheOptions& options) {
  const bool object = options.protocol == AccessProtocol::kObject;
  const std::string way = reader.choice("kv-io");
  const bool direct = way == "direct" || options.o_direct || object;
  options.settings.io = direct ? kvcache::KvIo::kDirect : kvcache::KvIo::kCompat;
  if (way == "compat" && direct) {
    refuse(line, fmt::format("--kv-io compat with {}", object ? "'object'" : "--o-direct"),
           "entries as mlpstorage 3.0 has them are plain files: leave --kv-io out");
  }
  if (options.common.mode == Mode::kClosed && direct) {
    refuse(line, object ? "closed kvcache knows no object store" : "--o-direct in closed",
           "the rules have plain files there (6.4.2, 6.5.1); measure this with 'open'");
  }
  if (!direct && options.fadvise != storage::FadviseMode::kDontNeed) {
    refuse(line, "--fadvise with --kv-io compat",
           "an entry's pages are dropped before each read, as in mlpstorage 3.0");
  }
  if (!direct) options.fadvise = storage::FadviseMode::kNone;  // the pages go before a read, not after it
  if (!direct && options.io_depth.value_or(1) != 1) {
    refuse(line, "--io-depth with --kv-io compat", "each entry is one stream: set --io-workers");
  }
}

/// Flags that mean something for a replay only, and those that mean something for users only.
constexpr std::array kReplayFlags = {"block-tokens",    "kv-partial-blocks", "block-capacity", "block-eviction",
                                     "block-admission", "trace-speedup",     "replay-cycles",  "decode-rate",
                                     "kv-load",         "slo-ttft-ms",       "trace-users",    "block-layout"};
constexpr std::array kUserFlags = {"option",
                                   "num-users",
                                   "gpu-mem-gb",
                                   "cpu-mem-gb",
                                   "storage-capacity-gb",
                                   "max-concurrent-allocs",
                                   "arrival",
                                   "request-rate",
                                   "arrival-cv",
                                   "kv-io",
                                   "generation-mode",
                                   "performance-profile",
                                   "inter-option-delay",
                                   "disable-multi-turn",
                                   "disable-prefix-caching",
                                   "config",
                                   "prefill-only",
                                   "decode-only",
                                   "enable-rag",
                                   "enable-autoscaling",
                                   "precondition"};

/// Turns the settings into those of a replay, if there is a trace.
void read_trace(Reader& reader, CommandLine& line, Settings& settings) {
  const bool replays = reader.given("trace");
  for (const char* flag :
       replays ? std::span<const char* const>(kUserFlags) : std::span<const char* const>(kReplayFlags)) {
    if (!reader.given(flag)) continue;
    refuse(line, fmt::format("--{} {} --trace", flag, replays ? "with" : "without"),
           replays ? "a trace has its own requests: leave it out" : "it belongs to the replay of a trace: give one");
  }
  if (!replays) return;
  kvcache::PagedSettings& paged = settings.paged.emplace();
  paged.trace = reader.text("trace");
  paged.block_tokens = reader.integer("block-tokens");
  paged.partial_blocks = reader.choice("kv-partial-blocks") == "count";
  paged.block_capacity = reader.integer("block-capacity");
  paged.fifo = reader.choice("block-eviction") == "fifo";
  paged.second_use = reader.choice("block-admission") == "second-use";
  paged.speedup = reader.real("trace-speedup");
  paged.cycles = reader.small("replay-cycles");
  paged.users = reader.integer("trace-users");
  paged.prefill_rate = reader.real("prefill-rate");
  paged.decode_rate = reader.real("decode-rate");
  paged.layerwise = reader.choice("kv-load") == "layerwise";
  paged.slabs = reader.choice("block-layout") == "slabs";
  if (reader.given("slo-ttft-ms")) paged.slo_ttft_ms = reader.real("slo-ttft-ms");
  settings.options.resize(1);
  OptionPlan& option = settings.options.front();
  option.users = 0;
  option.max_allocs = 0;
  if (!reader.given("duration")) option.duration_s = 0;
  if (!reader.given("trials")) settings.trials = 1;
  settings.io = kvcache::KvIo::kDirect;
}

uint32_t ranks_in_all(Reader& reader, CommandLine& line, const KvCacheOptions& options) {
  const auto hosts = static_cast<uint32_t>(options.hosts.hosts.size());
  const uint32_t each = reader.small("npernode");
  if (!reader.given("num-processes")) return each * hosts;
  const uint32_t all = reader.small("num-processes");
  if (each != 1 && all != each * hosts) {
    refuse(line, fmt::format("--num-processes {} isn't --npernode {} on {} hosts", all, each, hosts),
           fmt::format("leave one of them out, or give --num-processes {}", each * hosts));
  }
  return all;
}

void read_workload(Reader& reader, CommandLine& line, KvCacheOptions& options) {
  Settings& settings = options.settings;
  options.cache_dir = reader.text("cache-dir");
  options.num_processes = ranks_in_all(reader, line, options);
  options.fills = reader.choice("payload") != "none";
  options.io_trace = reader.text("io-trace");
  options.emit_fio = reader.text("emit-fio");
  kvcache::ConfigFile config = given_config(line);
  settings.tuning = config.tuning;
  options.config_changes = config.changed;
  read_options(reader, line, config, settings);
  options.model = settings.options.front().model.key;
  settings.seed = reader.integer("seed");
  settings.trials = reader.small("trials");
  settings.inter_option_delay_s = static_cast<double>(reader.integer("inter-option-delay"));
  settings.multi_turn = !reader.on("disable-multi-turn");
  settings.prefix_caching = !reader.on("disable-prefix-caching");
  settings.throughput_profile = reader.choice("performance-profile") == "throughput";
  settings.tensor_parallel = reader.small("tensor-parallel");
  settings.storage_capacity_gib = gib(reader, line, "storage-capacity-gb");
  settings.prefill_rate = reader.real("prefill-rate");
  settings.max_queue = reader.integer("max-queue");
  read_arrival(reader, line, settings);
  read_features(reader, line, settings);
  read_io(reader, line, options);
  read_trace(reader, line, settings);
  read_search(reader, line, options);
  if (!options.common.params.empty()) {
    refuse(line,
           fmt::format("--params {}: kvcache has no parameters besides its flags", options.common.params[0].first),
           "give the flag of that name; 'mlpstorage open kvcache run --help' lists them");
  }
}

}  // namespace

ParsedKvCache parse_kvcache(CommandLine line) {
  ParsedKvCache parsed;
  KvCacheOptions& options = parsed.options;
  options.which = command_of_word(line.command.word());
  Reader reader(line.tokens.settings, line.command, line.errors);
  read_benchmark(reader, line, options);
  read_workload(reader, line, options);
  finish_benchmark(reader, line, options, line);
  static_cast<ParseOutcome&>(parsed) = std::move(line);
  return parsed;
}

}  // namespace mlps::cli
