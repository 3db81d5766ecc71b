#pragma once

#include <cstddef>
#include <cstdint>

#include "benchmarks/vectordb/kernels/kernels.hpp"

// What generate.cpp and distance.cpp define once for each instruction set.
#define MLPS_KERNEL_LAYER(isa)                                                                                  \
  namespace mlps::vectordb::isa {                                                                               \
  void generate(const GeneratorTables& tables, const uint32_t* words, size_t rows, float* scratch, float* out); \
  extern const Kernels kKernels;                                                                                \
  }

MLPS_KERNEL_LAYER(baseline)
MLPS_KERNEL_LAYER(avx2)
MLPS_KERNEL_LAYER(avx512)

#undef MLPS_KERNEL_LAYER
