// What a kvcache run reads of others: traces in all their forms, descriptions of models, and configuration files.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "benchmarks/kvcache/block_cache.hpp"
#include "benchmarks/kvcache/config_file.hpp"
#include "benchmarks/kvcache/model.hpp"
#include "benchmarks/kvcache/trace.hpp"
#include "fuzz.hpp"

namespace {

using namespace mlps;

void read_trace(const std::string& path) {
  auto reader = kvcache::TraceReader::open(path);
  if (!reader) return;
  uint64_t first = 0;
  for (int pass = 0; pass < 2; ++pass) {
    uint64_t requests = 0;
    kvcache::TraceRequest request;
    for (;;) {
      const auto there = (*reader)->next(request);
      if (!there || !*there) break;
      ++requests;
      fuzz::require(request.input <= 2 * kvcache::kMostTraceTokens && request.at_ns >= 0,
                    "a request is within its limits");
      const uint64_t own = (*reader)->block_tokens();
      if (own == 0) continue;
      const auto blocks = kvcache::regrouped(request.blocks, own, 256, request.input, true);
      fuzz::require(blocks.size() * 256 <= request.input + 256, "blocks are of the prompt");
    }
    if (pass == 0) first = requests;
    fuzz::require(requests == first, "a trace reads the same twice");
    if (!(*reader)->rewind()) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto model = kvcache::parse_model_config(text, "config.json")) {
    fuzz::require(model->entry_bytes(1) > 0 || model->is_latent(), "a token takes bytes");
  }
  if (const auto config = kvcache::parse_config_file(std::string(text))) {
    fuzz::require(config->tuning.classes[0].below <= config->tuning.classes[1].below, "classes are in order");
    for (const kvcache::Model& model : config->models)
      fuzz::require(model.bytes_per_token() > 0, "a token takes bytes");
  }
  const int fd = ::memfd_create("trace", 0);
  if (fd < 0) return 0;
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (whole) read_trace("/proc/self/fd/" + std::to_string(fd));
  ::close(fd);
  return 0;
}
