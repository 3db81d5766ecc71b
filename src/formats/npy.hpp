#pragma once

#include <span>
#include <string>

#include "workloads/training_workload.hpp"

namespace mlps::formats {

/// Returns the header of an NPY 1.0 file with a C-ordered array of `dims`; its size is a multiple of 64 bytes.
std::string npy_header(workloads::ElementType type, std::span<const uint64_t> dims);

}  // namespace mlps::formats
