#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {

/// The distribution of generated vectors. Every row is divided by its Euclidean length, except with
/// SourceSpec::normalise off.
enum class Distribution : uint8_t {
  kUniform,    ///< elements uniform in [0, 1), as mlpstorage 3.0 has it: any two vectors are about equally near
  kNormal,     ///< elements of the standard normal distribution
  kZipfian,    ///< a uniform row times one Zipf number (exponent 1.5) / 10; equals kUniform when rows are normalised
  kClustered,  ///< a mixture of clusters of a stated intrinsic dimension: recall means something
               ///< (docs/vectordb-engine.md)
  kFile        ///< not generated: rows of a file
};

std::string_view distribution_name(Distribution distribution);  ///< "uniform", "normal", "zipfian", "clustered", "file"
std::optional<Distribution> distribution_of(std::string_view name);

/// The mixture of kClustered: a row is centre + spread * basis * z + noise * g, with z and g normal. Centres and bases
/// lie in one common subspace of `ambient` dimensions.
struct ClusteredSpec {
  uint32_t clusters = 1000;
  uint32_t intrinsic_dimension = 20;  ///< of one cluster; at most `ambient` and the vectors' dimension
  uint32_t ambient = 32;              ///< of all clusters together; at most the vectors' dimension
  float centre_scale = 0.7F;          ///< length of a centre, where a cluster's radius is 1
  float noise = 0.2F;                 ///< length of the noise in all dimensions
};

/// The streams that a seed gives; rows of different streams are independent.
enum class Stream : uint8_t { kBase, kQuery };

/// A file that vectors come from.
struct FileSpec {
  std::string path, part;            ///< the part of an HDF5 file; empty: the usual one
  uint64_t bytes = 0, checksum = 0;  ///< CRC-64/NVME of all bytes; 0 and 0: not looked at yet
};

/// What a data set is; a value, so it can be packed, hashed and compared.
struct SourceSpec {
  Distribution distribution = Distribution::kUniform;
  uint64_t seed = 42;
  uint64_t rows = 0;
  uint32_t dimension = 0;  ///< 1 to 32,768
  bool normalise = true;
  ClusteredSpec clustered = {};
  FileSpec file = {};             ///< of kFile, which has nothing of what is above but rows and dimension
  Stream stream = Stream::kBase;  ///< kQuery: held-out rows of the same distribution (the same clusters)
};

/// Vectors by row number. Immutable; any thread may read any rows at any time, any number of times.
class VectorSource {
 public:
  virtual ~VectorSource() = default;

  virtual uint64_t rows() const = 0;
  virtual uint32_t dimension() const = 0;
  /// Puts the rows from `first_row` on into `out`, whose size is a multiple of the dimension. Generated rows are a
  /// function of (spec, row): equal on every host, in any order, by any instruction set. Errors come from files only.
  virtual Status read(uint64_t first_row, std::span<float> out) const = 0;
  /// Returns a text that two sources share only if all their rows are equal: it goes into hashes of ground truth and
  /// into the record. "clustered seed 42 ..." or name, size and checksum of a file.
  virtual std::string identity() const = 0;
};

/// Returns a source of generated rows, or of those of a file. E102 names the field that is out of range, and what is
/// legal.
Result<std::unique_ptr<VectorSource>> make_source(const SourceSpec& spec);

/// Returns a source of the rows of NumPy's legacy generator, byte for byte those of mlpstorage's modular framework:
/// RandomState(seed) drawn row by row, as float32, divided by the row's length. Such a stream has no random access, so
/// the rows are made at once and kept in memory: `rows * dimension * 4` bytes. kUniform and kNormal only (E102).
Result<std::unique_ptr<VectorSource>> make_numpy_source(const SourceSpec& spec);

/// Returns queries near stored rows: normalise(row + noise * g / |g|), of `count` different rows of `base` that the
/// seed chooses; with `keep_length` the row's length is taken out before and put back afterwards. E102 if `base` has
/// fewer rows.
Result<VectorBlock> planted_queries(const VectorSource& base, uint64_t count, float noise, uint64_t seed,
                                    bool keep_length = false);

}  // namespace mlps::vectordb
