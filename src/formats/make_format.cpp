#include <fmt/format.h>

#include "formats/format.hpp"

namespace mlps::formats {

Result<std::unique_ptr<Format>> make_format(const Layout& layout) {
  return fail(ErrorCode::kNotImplemented, fmt::format("dataset.format={}: this build can't make such files",
                                                      workloads::format_name(layout.format)));
}

}  // namespace mlps::formats
