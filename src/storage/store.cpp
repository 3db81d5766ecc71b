#include "storage/store.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace mlps::storage {

std::string_view op_name(OpKind kind) {
  switch (kind) {
    case OpKind::kBeginWrite:
      return "begin_write";
    case OpKind::kWritePart:
      return "write_part";
    case OpKind::kCommitWrite:
      return "commit_write";
    case OpKind::kAbortWrite:
      return "abort_write";
    case OpKind::kBeginRead:
      return "begin_read";
    case OpKind::kReadPart:
      return "read_part";
    case OpKind::kEndRead:
      return "end_read";
    case OpKind::kReadRange:
      return "read_range";
  }
  return "unknown";
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
