#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "benchmarks/vectordb/files/file_bytes.hpp"
#include "benchmarks/vectordb/files/matrix.hpp"
#include "benchmarks/vectordb/truth.hpp"
#include "benchmarks/vectordb/vector_source.hpp"

/// Vectors, queries and exact answers that come from files of others.
namespace mlps::vectordb {

/// An open file of rows of equal length. Any thread may read any rows.
class RowFile {
 public:
  virtual ~RowFile() = default;

  virtual const FileBytes& bytes() const = 0;
  virtual uint64_t rows() const = 0;
  virtual uint32_t columns() const = 0;
  /// Fill `out` with whole rows from `first_row` on; see read_floats() and read_integers().
  virtual Status read(uint64_t first_row, std::span<float> out) const = 0;
  virtual Status read_keys(uint64_t first_row, std::span<int64_t> out) const = 0;
};

/// Opens "FILE" or "FILE#PART", whose format the end of its name tells; `usual_part` is the data set of an HDF5 file
/// that is meant where none is named. Files come from anywhere: E606 for what is damaged.
Result<std::unique_ptr<RowFile>> open_rows(const std::string& word, const std::string& usual_part);
/// The same of bytes in memory.
Result<std::unique_ptr<RowFile>> rows_of(std::unique_ptr<FileBytes> bytes, const std::string& part);

inline constexpr const char* kBasePart = "train";
inline constexpr const char* kQueryPart = "test";
inline constexpr const char* kTruthPart = "neighbors";

/// Returns the metric that a file says its vectors are for: HDF5 files in the layout of ann-benchmarks do. E105 for one
/// that this program doesn't have.
Result<std::optional<Metric>> metric_of_file(const RowFile& file);

/// Returns a source of the first rows of the file that `spec` names. Sets the size and the checksum of `spec` where it
/// has none, which reads the file once; E606 where they are others than those it has.
Result<std::unique_ptr<VectorSource>> make_file_source(SourceSpec& spec);

/// Returns how many rows the file of a source has, of which the source may be the first ones.
Result<uint64_t> rows_of_file(const SourceSpec& spec);

/// Returns the first `most` rows of a file of queries (0: all). E105 if they have another dimension.
Result<VectorBlock> read_queries(const std::string& word, uint32_t dimension, uint64_t most);

/// Returns the exact answers that a file says the queries have: keys, nearest first, -1 from where on there are no
/// more. Their scores are computed from the vectors. E606 where they can't be those of these vectors, queries and
/// metric: keys that come twice or are no rows, answers out of order, or a row of a sample that is nearer than the last
/// of them. E105 where it has fewer than `wanted` of a query, or fewer queries.
Result<GroundTruth> read_truth(const std::string& word, const VectorSource& base, VectorView queries,
                               const TruthOptions& options, uint32_t wanted);

}  // namespace mlps::vectordb
