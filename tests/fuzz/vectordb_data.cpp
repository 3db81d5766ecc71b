// Files of vectors, queries and exact answers, which come from anywhere.
#include <algorithm>
#include <cmath>
#include <vector>

#include "benchmarks/vectordb/files/row_file.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  using namespace mlps::vectordb;
  constexpr uint64_t kMostElements = 4096;
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const char* name : {"a.fvecs", "a.bvecs", "a.ivecs", "a.fbin", "a.ibin", "a.npy", "a.hdf5", "a.parquet"}) {
    const bool is_parquet = std::string_view(name) == "a.parquet";
    const auto file = rows_of(bytes_in_memory(name, {bytes.begin(), bytes.end()}), is_parquet ? "" : kBasePart);
    if (!file) continue;
    (void)metric_of_file(**file);
    const uint64_t columns = (*file)->columns();
    fuzz::require((*file)->rows() > 0 && columns > 0, "a file that is open has rows");
    if (columns > kMostElements) continue;
    const uint64_t rows = std::min((*file)->rows(), kMostElements / columns);
    std::vector<float> values(rows * columns);
    if ((*file)->read((*file)->rows() - rows, values)) {
      fuzz::require(std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }),
                    "what is read is a number");
    }
    if (is_parquet && (*file)->rows() > kMostElements) continue;
    std::vector<int64_t> keys(rows * columns);
    (void)(*file)->read_keys(0, keys);
  }
  return 0;
}
