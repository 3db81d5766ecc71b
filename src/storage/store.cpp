#include "storage/store.hpp"

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

}  // namespace mlps::storage
