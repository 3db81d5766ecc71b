#include "gates/access.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "payload/payload.hpp"
#include "storage/probe_name.hpp"

namespace mlps::gates {
namespace {

// Not a multiple of any block size: a store that only moved whole blocks would lose the tail.
constexpr size_t kProbeBytes = 4099;

// Returns the prefix of the names in `folder`; "" for the store's root.
std::string below(const std::string& folder) {
  return folder.empty() ? folder : folder + "/";
}

Error in_probe(Error error, const char* step, const std::string& where) {
  error.message = fmt::format("{} the probe object at {}: {}", step, where, error.message);
  return error;
}

void put_and_compare(storage::Session& session, const std::string& name, const std::string& where,
                     std::vector<Error>& failures) {
  std::vector<std::byte> content(kProbeBytes);
  payload::Source(kProbeBytes, name).fill(0, content);
  if (Status put = session.put(name, content); !put) {
    failures.push_back(in_probe(put.error(), "write", where));
    return;
  }
  auto back = session.get(name, 0, content.size());
  if (!back) {
    failures.push_back(in_probe(back.error(), "read", where));
  } else if (*back != content) {
    failures.push_back({ErrorCode::kDataMismatch,
                        fmt::format("the probe object at {} reads back other bytes than were written", where),
                        fmt::format("{} of {} bytes came back", back->size(), content.size()),
                        "the storage, or something between, changes data: no result of it would count"});
  }
}

}  // namespace

std::vector<Error> check_write_access(storage::Store& store, const std::string& model_folder) {
  const std::string name = below(model_folder).append(storage::kObjectProbe) + storage::random_suffix();
  const std::string where = store.root().join(name).to_string();
  auto session = store.open_session(1);
  if (!session) return {std::move(session.error())};
  std::vector<Error> failures;
  put_and_compare(**session, name, where, failures);
  // Also after a failed write, which may have left an object; then only the first failure is reported.
  if (Status removed = (*session)->remove(name); !removed && failures.empty()) {
    failures.push_back(in_probe(removed.error(), "delete", where));
  }
  return failures;
}

Result<std::vector<storage::ObjectInfo>> check_read_access(storage::Store& store, const std::string& model_folder) {
  auto session = store.open_session(1);
  if (!session) return fail(std::move(session.error()));
  auto page = (*session)->list(below(model_folder), {});
  if (!page) return fail(std::move(page.error()));
  return std::move(page->objects);
}

}  // namespace mlps::gates
