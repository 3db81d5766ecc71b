#include "storage/http/fetch.hpp"

#include <fmt/format.h>

#include <vector>

namespace mlps::http {

Status fetch(const EngineSettings& settings, Exchange& exchange, std::chrono::milliseconds limit) {
  auto engine = make_engine(settings, 1);
  if (!engine) return fail(std::move(engine.error()));
  exchange.total_milliseconds = static_cast<unsigned>(limit.count());
  (*engine)->start(exchange);
  std::vector<Exchange*> done;
  while (done.empty()) (*engine)->poll(limit, done);
  if (exchange.failure == Failure::kNone) return {};
  return fail(ErrorCode::kStorageUnreachable,
              fmt::format("{} {}: {}", method_name(exchange.method), exchange.origin, exchange.failure_text));
}

}  // namespace mlps::http
