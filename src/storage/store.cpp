#include "storage/store.hpp"

#include <fmt/format.h>

#include <array>

#include "base/units.hpp"

namespace mlps::storage {

std::string_view op_name(OpKind kind) {
  static constexpr std::array<std::string_view, 8> kNames = {"begin_write", "write_part", "commit_write", "abort_write",
                                                             "begin_read",  "read_part",  "end_read",     "read_range"};
  return kNames.at(static_cast<size_t>(kind));
}

Result<std::vector<std::byte>> get_whole(Session& session, std::string_view name, uint64_t most_bytes) {
  const Result<ObjectInfo> info = session.head(name);
  if (!info) return fail(info.error());
  if (info->size_bytes > most_bytes) {
    return fail(ErrorCode::kDataMismatch, fmt::format("{} has {}, more than the {} that such an object may have", name,
                                                      human_bytes(info->size_bytes), human_bytes(most_bytes)));
  }
  if (info->size_bytes == 0) return std::vector<std::byte>{};
  return session.get(name, 0, info->size_bytes);
}

}  // namespace mlps::storage
