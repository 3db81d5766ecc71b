#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/files/file_bytes.hpp"

/// Files that hold a matrix row after row: a vector is a row.
namespace mlps::vectordb {

enum class Element : uint8_t {
  kFloat16,
  kFloat32,
  kFloat64,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64
};
size_t size_of(Element element);
bool is_integer(Element element);

/// Where the rows of a matrix lie in a file.
struct Matrix {
  Element element = Element::kFloat32;
  uint64_t rows = 0, columns = 0;
  uint64_t offset = 0;   ///< of the first row's first element
  bool counted = false;  ///< each row is led by its number of elements, in 32 bits (fvecs)

  uint64_t row_bytes() const { return columns * size_of(element); }
  uint64_t stride() const { return row_bytes() + (counted ? sizeof(uint32_t) : 0); }
};

/// Returns where the matrix is in a file whose format its name tells: .fvecs, .bvecs, .ivecs; .fbin, .u8bin, .i8bin,
/// .ibin; .npy; .hdf5, .h5, of which `part` names the data set. For hostile input: E606 says what is wrong, E102 what
/// is not known or not read.
Result<Matrix> find_matrix(const FileBytes& bytes, const std::string& part);
/// The same of an HDF5 file as h5py and the HDF5 library write it by default, with data sets in one piece.
Result<Matrix> find_hdf5_matrix(const FileBytes& bytes, const std::string& part);
/// Returns the text attribute "distance" of an HDF5 file's root, as ann-benchmarks has it; empty where there is none.
Result<std::string> hdf5_distance(const FileBytes& bytes);

/// Returns E606 unless the file holds every row of the matrix, which has some.
Status check_extent(const FileBytes& bytes, const Matrix& matrix);

/// Fills `out` with whole rows from `first_row` on. E606 for a row of another length, or an element that is no number.
Status read_floats(const FileBytes& bytes, const Matrix& matrix, uint64_t first_row, std::span<float> out);
/// The same of integers; E102 for a matrix of other elements.
Status read_integers(const FileBytes& bytes, const Matrix& matrix, uint64_t first_row, std::span<int64_t> out);

/// Returns E606 unless all of these elements, of whole rows from `first_row` on, are numbers.
Status check_finite(const FileBytes& bytes, uint64_t first_row, uint64_t columns, std::span<const float> values);

}  // namespace mlps::vectordb
