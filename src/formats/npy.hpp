#pragma once

#include <span>
#include <string>

#include "workloads/training_workload.hpp"

namespace mlps::formats {

/// Everything of an NPY 1.0 file that stands in front of a C-ordered array of `dims`: a multiple of 64 bytes.
std::string npy_header(workloads::ElementType type, std::span<const uint64_t> dims);

}  // namespace mlps::formats
