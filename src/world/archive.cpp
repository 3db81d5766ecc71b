#include "world/archive.hpp"

#include <fmt/format.h>

namespace mlps::world {

tl::unexpected<Error> unusable(std::string_view kind, const std::string& whose, std::string details) {
  return fail(ErrorCode::kMpiCommunication, fmt::format("the {} that {} sent can't be used", kind, whose),
              details.empty() ? "it is damaged, or of another build" : std::move(details),
              "every host must run the same build of mlpstorage");
}

uint64_t hash_of(std::string_view packed) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : packed) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace mlps::world
