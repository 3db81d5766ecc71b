#include "benchmarks/kvcache/workload.hpp"

#include <algorithm>

#include "benchmarks/kvcache/users.hpp"

namespace mlps::kvcache {

std::string_view generation_name(GenerationMode mode) {
  constexpr std::string_view kNames[] = {"none", "fast", "realistic"};
  return kNames[static_cast<size_t>(mode)];
}

std::string_view autoscaler_name(AutoscalerMode mode) {
  constexpr std::string_view kNames[] = {"off", "qos", "capacity"};
  return kNames[static_cast<size_t>(mode)];
}

std::string_view phases_name(Phases phases) {
  constexpr std::string_view kNames[] = {"both", "prefill-only", "decode-only"};
  return kNames[static_cast<size_t>(phases)];
}

std::string_view arrival_name(Arrival arrival) {
  constexpr std::string_view kNames[] = {"think", "closed", "poisson", "gamma"};
  return kNames[static_cast<size_t>(arrival)];
}

std::string_view kv_io_name(KvIo io) {
  return io == KvIo::kCompat ? "compat" : "direct";
}

OptionPlan closed_option(uint32_t number) {
  OptionPlan option;
  option.number = number;
  option.model = *find_model(number == 3 ? "llama3.1-70b-instruct" : "llama3.1-8b");
  option.users = number == 1 ? 200 : number == 2 ? 100 : 70;
  option.duration_s = 300;
  option.cpu_gib = number == 2 ? 4 : 0;
  option.max_allocs = number == 3 ? 4 : 16;
  return option;
}

OfferedLoad offered_load(const Settings& settings, const OptionPlan& option) {
  // Many users of a few requests each: means of the population, not those of the few users of one seed.
  constexpr uint32_t kSampleUsers = 20'000, kSampleRequests = 8;
  const bool decode_only = settings.phases == Phases::kDecodeOnly;
  OfferedLoad load;
  double requests = 0, rate = 0;
  for (uint32_t index = 0; index < kSampleUsers; ++index) {
    User user(settings.tuning, settings.seed, index);
    const double weight = settings.arrival == Arrival::kThink || settings.arrival == Arrival::kClosed
                              ? 1 / to_seconds(user.think_ns())
                              : 1;
    rate += 1 / to_seconds(user.think_ns());
    for (uint32_t i = 0; i < kSampleRequests; ++i) {
      const Request request = user.next(settings.tuning, settings.multi_turn);
      const double context = decode_only ? kPreparedTokens : request.context;
      const bool decodes = settings.phases != Phases::kPrefillOnly && (decode_only || !request.is_prefill_only());
      const double reads = decodes ? 1 + request.further_reads(settings.tuning.decode_batch) : 0;
      requests += weight;
      load.mean_entry_tokens += weight * context;
      load.tokens_written += decode_only ? 0 : weight * context;
      load.decode_reads += weight * reads;
      load.tokens_read += weight * reads * context;
    }
  }
  for (double* sum : {&load.tokens_written, &load.decode_reads, &load.tokens_read, &load.mean_entry_tokens}) {
    *sum /= requests;
  }
  if (settings.arrival == Arrival::kThink) load.requests_per_s = rate / kSampleUsers * option.users;
  if (settings.arrival == Arrival::kPoisson || settings.arrival == Arrival::kGamma) {
    load.requests_per_s = settings.request_rate;
  }
  return load;
}

std::pair<uint32_t, uint32_t> entry_tokens(const Tuning& tuning) {
  const auto fewer = [](const Persona& a, const Persona& b) { return a.context_high < b.context_high; };
  const auto lower = [](const Persona& a, const Persona& b) { return a.context_low < b.context_low; };
  const auto& personas = tuning.personas;
  return {std::max(1u, std::min_element(personas.begin(), personas.end(), lower)->context_low / 4),
          std::max_element(personas.begin(), personas.end(), fewer)->context_high};
}

}  // namespace mlps::kvcache
