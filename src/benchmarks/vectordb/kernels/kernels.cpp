#include "benchmarks/vectordb/kernels/kernels.hpp"

#include "benchmarks/vectordb/kernels/layers.hpp"

namespace mlps::vectordb {

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> found;
#ifdef MLPS_VECTORDB_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    found.push_back(&avx512::kKernels);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2::kKernels);
#endif
  found.push_back(&baseline::kKernels);
  return found;
}

const Kernels& kernels() {
  static const Kernels& best = *available_kernels().front();
  return best;
}

}  // namespace mlps::vectordb
