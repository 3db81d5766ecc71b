#include "world/archive.hpp"

#include <fmt/format.h>

#include <cstring>

namespace mlps::world {

Packer& Packer::number(uint64_t value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes_.append(raw, sizeof raw);
  return *this;
}

Packer& Packer::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
  return *this;
}

std::string_view Unpacker::taken(uint64_t length) {
  if (!good_ || length > rest_.size()) {
    good_ = false;
    return {};
  }
  const std::string_view result = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return result;
}

uint64_t Unpacker::number() {
  uint64_t value = 0;
  const std::string_view raw = taken(sizeof value);
  if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

std::string_view Unpacker::text() {
  return taken(number());
}

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
