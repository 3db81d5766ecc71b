#include "storage/server_use.hpp"

#include <algorithm>

namespace mlps::storage {

void count_failure(std::vector<FailureCount>& failures, const std::string& cause, uint64_t count) {
  auto at = std::find_if(failures.begin(), failures.end(), [&](const FailureCount& one) { return one.cause == cause; });
  if (at == failures.end()) at = failures.insert(at, {cause, 0});
  at->count += count;
  while (at != failures.begin() && std::prev(at)->count < at->count) {
    std::iter_swap(at, std::prev(at));
    --at;
  }
}

void merge_uses(std::vector<ServerUse>& into, const std::vector<ServerUse>& from) {
  for (const ServerUse& use : from) {
    auto at =
        std::find_if(into.begin(), into.end(), [&](const ServerUse& one) { return one.endpoint == use.endpoint; });
    if (at == into.end()) at = into.insert(at, {.endpoint = use.endpoint});
    for (const FailureCount& failure : use.failures) count_failure(at->failures, failure.cause, failure.count);
    at->attempts += use.attempts;
    at->failed += use.failed;
    at->sent_bytes += use.sent_bytes;
    at->received_bytes += use.received_bytes;
    at->times_set_aside += use.times_set_aside;
    at->aside_ns += use.aside_ns;
    at->times_slowed += use.times_slowed;
    at->answer_ns.merge(use.answer_ns);
  }
}

}  // namespace mlps::storage
