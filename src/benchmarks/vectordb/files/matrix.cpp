#include "benchmarks/vectordb/files/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/text.hpp"
#include "benchmarks/vectordb/vectors.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 20;
constexpr size_t kMostNpyHeader = 65536;

// A format in which each row is led by its length, or the file by both.
struct PlainFormat {
  std::string_view ending;
  Element element;
  bool counted;
};
constexpr std::array kPlainFormats = {
    PlainFormat{".fvecs", Element::kFloat32, true}, PlainFormat{".bvecs", Element::kUint8, true},
    PlainFormat{".ivecs", Element::kInt32, true},   PlainFormat{".fbin", Element::kFloat32, false},
    PlainFormat{".u8bin", Element::kUint8, false},  PlainFormat{".i8bin", Element::kInt8, false},
    PlainFormat{".ibin", Element::kInt32, false}};

struct NpyType {
  std::string_view word;
  Element element;
};
constexpr std::array kNpyTypes = {
    NpyType{"<f2", Element::kFloat16}, NpyType{"<f4", Element::kFloat32}, NpyType{"<f8", Element::kFloat64},
    NpyType{"|i1", Element::kInt8},    NpyType{"|u1", Element::kUint8},   NpyType{"<i2", Element::kInt16},
    NpyType{"<u2", Element::kUint16},  NpyType{"<i4", Element::kInt32},   NpyType{"<u4", Element::kUint32},
    NpyType{"<i8", Element::kInt64},   NpyType{"<u8", Element::kUint64}};

Result<Matrix> find_plain(const FileBytes& bytes, const PlainFormat& format) {
  FileCursor cursor(bytes, 0);
  Matrix matrix{.element = format.element, .counted = format.counted};
  if (!format.counted) matrix.rows = cursor.take<uint32_t>();
  matrix.columns = cursor.take<uint32_t>();
  matrix.offset = cursor.at();
  if (!cursor.status()) return fail(cursor.status().error());
  if (matrix.columns == 0) return bytes.wrong("its first row has no element");
  if (!format.counted) return matrix;  // behind the rows of a truth in .ibin stand distances
  matrix.rows = bytes.size() / matrix.stride();
  if (bytes.size() % matrix.stride() != 0) {
    return bytes.wrong(fmt::format("its {} bytes are no whole number of rows of {} elements, which take {} bytes each",
                                   bytes.size(), matrix.columns, matrix.stride()));
  }
  return matrix;
}

// Returns what stands behind a key in the header of an NPY file.
std::string_view npy_value(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  return at == std::string_view::npos ? std::string_view() : trimmed(header.substr(at + key.size()));
}

// Returns the two numbers of "(3, 4)".
std::optional<std::pair<uint64_t, uint64_t>> npy_shape(std::string_view text) {
  const size_t comma = text.find(','), end = text.find(')');
  if (!text.starts_with('(') || comma == std::string_view::npos || end == std::string_view::npos || end < comma) {
    return std::nullopt;
  }
  std::string_view second = trimmed(text.substr(comma + 1, end - comma - 1));
  if (second.ends_with(',')) second = trimmed(second.substr(0, second.size() - 1));
  const auto rows = parse_number<uint64_t>(trimmed(text.substr(1, comma - 1)));
  const auto columns = parse_number<uint64_t>(second);
  return rows && columns ? std::optional(std::pair(*rows, *columns)) : std::nullopt;
}

Result<Matrix> find_npy(const FileBytes& bytes) {
  FileCursor cursor(bytes, 0);
  std::array<char, 6> mark{};
  cursor.take_bytes(std::as_writable_bytes(std::span(mark)));
  const auto major = cursor.take<uint8_t>();
  cursor.skip(1);
  const uint64_t length = major == 1 ? cursor.take<uint16_t>() : cursor.take<uint32_t>();
  if (!cursor.status()) return fail(cursor.status().error());
  if (std::string_view(mark.data(), mark.size()) != "\x93NUMPY" || major < 1 || major > 3) {
    return bytes.wrong("it is no NPY file of version 1 to 3");
  }
  if (length > kMostNpyHeader) return bytes.wrong("its header is longer than 64 KiB");
  std::string header(length, '\0');
  cursor.take_bytes(std::as_writable_bytes(std::span(header)));
  if (!cursor.status()) return fail(cursor.status().error());
  const std::string_view type = npy_value(header, "'descr':");
  const auto known = std::find_if(kNpyTypes.begin(), kNpyTypes.end(), [&](const NpyType& one) {
    return type.size() > 4 && type.substr(1, 3) == one.word && (type[4] == '\'' || type[4] == '"');
  });
  if (known == kNpyTypes.end()) {
    return bytes.wrong(fmt::format("its elements are {}; little-endian floats and integers are read",
                                   terminal_text(std::string(type.substr(0, 12)))));
  }
  if (!npy_value(header, "'fortran_order':").starts_with("False")) {
    return bytes.wrong("its array is in Fortran order: save numpy.ascontiguousarray() of it");
  }
  const auto shape = npy_shape(npy_value(header, "'shape':"));
  if (!shape) return bytes.wrong("its array has not two dimensions");
  return Matrix{.element = known->element, .rows = shape->first, .columns = shape->second, .offset = cursor.at()};
}

float float_of_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1FU, fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

template <class Out>
void convert(Element element, const std::byte* from, std::span<Out> out) {
  switch (element) {
    case Element::kFloat16:
      for (Out& value : out) {
        uint16_t half;
        std::memcpy(&half, from, sizeof half);
        from += sizeof half;
        value = static_cast<Out>(float_of_half(half));
      }
      return;
    case Element::kFloat32:
      return convert_all<float>(from, out);
    case Element::kFloat64:
      return convert_all<double>(from, out);
    case Element::kInt8:
      return convert_all<int8_t>(from, out);
    case Element::kUint8:
      return convert_all<uint8_t>(from, out);
    case Element::kInt16:
      return convert_all<int16_t>(from, out);
    case Element::kUint16:
      return convert_all<uint16_t>(from, out);
    case Element::kInt32:
      return convert_all<int32_t>(from, out);
    case Element::kUint32:
      return convert_all<uint32_t>(from, out);
    case Element::kInt64:
      return convert_all<int64_t>(from, out);
    case Element::kUint64:
      return convert_all<uint64_t>(from, out);
  }
}

// Reads whole rows, about a megabyte at a time, and converts them.
template <class Out>
Status read_rows(const FileBytes& bytes, const Matrix& matrix, uint64_t first_row, std::span<Out> out) {
  const uint64_t lead = matrix.stride() - matrix.row_bytes();
  const uint64_t at_once = std::max<uint64_t>(1, kReadBytes / matrix.stride());
  std::vector<std::byte> buffer;
  const uint64_t end = first_row + out.size() / matrix.columns;
  for (uint64_t row = first_row; row < end;) {
    const uint64_t count = std::min(at_once, end - row);
    buffer.resize(count * matrix.stride());
    if (Status read = bytes.read(matrix.offset - lead + row * matrix.stride(), buffer); !read) return read;
    for (uint64_t i = 0; i < count; ++i, ++row) {
      const std::byte* from = buffer.data() + i * matrix.stride();
      uint32_t length = 0;
      if (matrix.counted) std::memcpy(&length, from, sizeof length);
      if (matrix.counted && length != matrix.columns) {
        return bytes.wrong(fmt::format("row {} has {} elements, the first one {}", row, length, matrix.columns));
      }
      convert(matrix.element, from + lead, out.subspan((row - first_row) * matrix.columns, matrix.columns));
    }
  }
  return {};
}

}  // namespace

size_t size_of(Element element) {
  switch (element) {
    case Element::kInt8:
    case Element::kUint8:
      return 1;
    case Element::kFloat16:
    case Element::kInt16:
    case Element::kUint16:
      return 2;
    case Element::kFloat32:
    case Element::kInt32:
    case Element::kUint32:
      return 4;
    case Element::kFloat64:
    case Element::kInt64:
    case Element::kUint64:
      break;
  }
  return 8;
}

bool is_integer(Element element) {
  return element != Element::kFloat16 && element != Element::kFloat32 && element != Element::kFloat64;
}

Result<Matrix> find_matrix(const FileBytes& bytes, const std::string& part) {
  const std::string name = lower(bytes.name());
  if (name.ends_with(".hdf5") || name.ends_with(".h5")) return find_hdf5_matrix(bytes, part);
  for (const PlainFormat& format : kPlainFormats) {
    if (name.ends_with(format.ending)) return find_plain(bytes, format);
  }
  if (name.ends_with(".npy")) return find_npy(bytes);
  return fail(
      ErrorCode::kConfigInvalid, fmt::format("{}: the end of its name tells no format", bytes.name()), {},
      "files of vectors end in .fvecs, .bvecs, .ivecs, .fbin, .u8bin, .i8bin, .ibin, .npy, .hdf5, .h5 or .parquet");
}

Status check_extent(const FileBytes& bytes, const Matrix& matrix) {
  if (matrix.rows == 0 || matrix.columns == 0) return bytes.wrong("it has no rows");
  // What is checked first keeps the products below 2^64.
  constexpr uint64_t kMostColumns = uint64_t{1} << 20;
  const bool fits =
      matrix.columns <= kMostColumns && matrix.offset <= bytes.size() &&
      (bytes.size() - matrix.offset + (matrix.counted ? sizeof(uint32_t) : 0)) / matrix.stride() >= matrix.rows;
  if (fits) return {};
  return bytes.wrong(fmt::format("its {} bytes can't hold the {} rows of {} elements that it is to have", bytes.size(),
                                 matrix.rows, matrix.columns));
}

Status read_floats(const FileBytes& bytes, const Matrix& matrix, uint64_t first_row, std::span<float> out) {
  if (Status read = read_rows(bytes, matrix, first_row, out); !read) return read;
  return check_finite(bytes, first_row, matrix.columns, out);
}

Status read_integers(const FileBytes& bytes, const Matrix& matrix, uint64_t first_row, std::span<int64_t> out) {
  if (!is_integer(matrix.element)) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: its elements are no integers", bytes.name()), {},
                "exact answers are the keys of vectors: 0, 1, 2, ...");
  }
  return read_rows(bytes, matrix, first_row, out);
}

Status check_finite(const FileBytes& bytes, uint64_t first_row, uint64_t columns, std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return bytes.wrong(fmt::format("element {} of row {} is {}", i % columns, first_row + i / columns, values[i]));
    }
  }
  return {};
}

}  // namespace mlps::vectordb
