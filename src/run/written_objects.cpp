#include "run/written_objects.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/log.hpp"

namespace mlps::run {

Result<std::unordered_map<std::string, uint64_t>> list_sizes(const std::string& folder, storage::Session& session) {
  std::unordered_map<std::string, uint64_t> sizes;
  std::string continuation;
  do {
    auto page = session.list(folder, continuation);
    if (!page) return fail(page.error());
    for (storage::ObjectInfo& info : page->objects) sizes.emplace(std::move(info.name), info.size_bytes);
    continuation = std::move(page->next);
  } while (!continuation.empty());
  return sizes;
}

Result<uint64_t> bytes_in_place(const std::string& folder, const std::vector<storage::ObjectInfo>& objects,
                                storage::Session& session) {
  const auto sizes = list_sizes(folder + "/", session);
  if (!sizes) return fail(sizes.error());
  uint64_t bytes = 0;
  for (const storage::ObjectInfo& object : objects) {
    const auto found = sizes->find(object.name);
    if (found != sizes->end()) bytes += std::min(found->second, object.size_bytes);
  }
  return bytes;
}

Status remove_objects(const std::string& folder, const std::vector<storage::ObjectInfo>& objects,
                      storage::Session& session, const storage::Store& store) {
  Status status;
  for (const storage::ObjectInfo& object : objects) {
    Status removed = session.remove(object.name);
    if (status && !removed) status = std::move(removed);
  }
  if (store.traits().file_system) ::rmdir(store.root().join(folder).path().c_str());
  return status;
}

void settle_written(bool cleanup, const Written& written) {
  if (!written.whole && written.bytes_in_place) {
    const auto bytes = written.bytes_in_place();
    if (bytes && *bytes == 0) return;
  }
  const std::string what = written.whole ? written.what : "what there is of " + written.what;
  if (!cleanup) return log::status("kept: {}; --cleanup removes them after a run", what);
  const Status removed = written.remove();
  if (removed) return log::status("removed: {}", what);
  log::warning("--cleanup: some of {} stay: {}", what, removed.error().message);
}

}  // namespace mlps::run
