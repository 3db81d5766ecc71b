#include "benchmarks/vectordb/host_use.hpp"

#include <algorithm>
#include <string>

#include "world/proc_text.hpp"

namespace mlps::vectordb {
namespace {

using world::kSectorBytes;

constexpr size_t kReads = 0, kSectorsRead = 2, kWrites = 4, kSectorsWritten = 6;  // in kDiskCounters

template <class Act>
Status for_each_object(storage::Store& store, const std::string& prefix, const Act& act) {
  auto session = store.open_session(1);
  if (!session) return fail(session.error());
  std::string next;
  do {
    auto page = (*session)->list(prefix, next);
    if (!page) return fail(page.error());
    for (const storage::ObjectInfo& object : page->objects) {
      if (Status done = act(object.name); !done) return done;
    }
    next = page->next;
  } while (!next.empty());
  return {};
}

}  // namespace

Result<uint64_t> evict_collection(storage::Store& store, const std::string& prefix) {
  uint64_t count = 0;
  if (!store.traits().file_system) return count;
  const Status evicted = for_each_object(store, prefix, [&](const std::string& name) -> Status {
    ++count;
    return store.evict(name);
  });
  if (!evicted) return fail(evicted.error());
  return count;
}

Result<std::optional<storage::Residency>> cached_share(storage::Store& store, const std::string& prefix) {
  std::optional<storage::Residency> sum;
  if (!store.traits().file_system) return sum;
  const Status asked = for_each_object(store, prefix, [&](const std::string& name) -> Status {
    const auto residency = store.residency(name);
    if (!residency) return fail(residency.error());
    if (!*residency) return {};
    if (!sum) sum.emplace();
    merge(*sum, **residency);
    return {};
  });
  if (!asked) return fail(asked.error());
  return sum;
}

std::vector<DeviceUse> device_use(const world::HostSample& before, const world::HostSample& after) {
  std::vector<DeviceUse> uses;
  for (const world::DiskFacts& now : after.disks) {
    const auto earlier = std::find_if(before.disks.begin(), before.disks.end(),
                                      [&](const world::DiskFacts& disk) { return disk.device == now.device; });
    if (earlier == before.disks.end()) continue;
    const auto more = [&](size_t counter) {
      const uint64_t begin = earlier->counters[counter], end = now.counters[counter];
      return end > begin ? end - begin : 0;
    };
    const DeviceUse use{now.device, more(kReads), more(kWrites), more(kSectorsRead) * kSectorBytes,
                        more(kSectorsWritten) * kSectorBytes};
    if (use.reads + use.writes > 0) uses.push_back(use);
  }
  return uses;
}

}  // namespace mlps::vectordb
