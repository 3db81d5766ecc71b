#include "world/archive.hpp"

#include <fmt/format.h>

namespace mlps::world {

tl::unexpected<Error> unusable(std::string_view kind, const std::string& whose, std::string details) {
  return fail(ErrorCode::kMpiCommunication, fmt::format("the {} that {} sent can't be used", kind, whose),
              details.empty() ? "it is damaged, or of another build" : std::move(details),
              "every host must run the same build of mlpstorage");
}

}  // namespace mlps::world
