#include "storage/probe_name.hpp"

#include <fmt/format.h>

#include <random>

namespace mlps::storage {

std::string random_suffix() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

}  // namespace mlps::storage
