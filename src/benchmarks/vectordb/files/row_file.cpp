#include "benchmarks/vectordb/files/row_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "benchmarks/vectordb/files/parquet.hpp"

namespace mlps::vectordb {
namespace {

class MatrixFile final : public RowFile {
 public:
  MatrixFile(std::unique_ptr<FileBytes> bytes, const Matrix& matrix) : bytes_(std::move(bytes)), matrix_(matrix) {}

  const FileBytes& bytes() const override { return *bytes_; }
  uint64_t rows() const override { return matrix_.rows; }
  uint32_t columns() const override { return static_cast<uint32_t>(matrix_.columns); }
  Status read(uint64_t first_row, std::span<float> out) const override {
    return read_floats(*bytes_, matrix_, first_row, out);
  }
  Status read_keys(uint64_t first_row, std::span<int64_t> out) const override {
    return read_integers(*bytes_, matrix_, first_row, out);
  }

 private:
  std::unique_ptr<FileBytes> bytes_;
  Matrix matrix_;
};

class FileSource final : public VectorSource {
 public:
  FileSource(std::unique_ptr<RowFile> file, const SourceSpec& spec)
      : file_(std::move(file)),
        rows_(spec.rows),
        identity_(fmt::format("file of {} bytes, CRC-64 {:016x}{}{}, {} x {}", spec.file.bytes, spec.file.checksum,
                              spec.file.part.empty() ? "" : ", ", spec.file.part, spec.rows, spec.dimension)) {}

  uint64_t rows() const override { return rows_; }
  uint32_t dimension() const override { return file_->columns(); }
  std::string identity() const override { return identity_; }
  Status read(uint64_t first_row, std::span<float> out) const override { return file_->read(first_row, out); }

 private:
  std::unique_ptr<RowFile> file_;
  uint64_t rows_;
  std::string identity_;
};

// Returns the file and the part of "FILE#PART". A file may have such a name itself.
std::pair<std::string, std::string> split_word(const std::string& word) {
  const size_t mark = word.rfind('#');
  std::error_code ignored;
  if (mark == std::string::npos || std::filesystem::exists(word, ignored)) return {word, {}};
  return {word.substr(0, mark), word.substr(mark + 1)};
}

std::string word_of(const FileSpec& file) {
  return file.part.empty() ? file.path : fmt::format("{}#{}", file.path, file.part);
}

}  // namespace

Result<std::unique_ptr<RowFile>> rows_of(std::unique_ptr<FileBytes> bytes, const std::string& part) {
  if (lower(bytes->name()).ends_with(".parquet")) return open_parquet(std::move(bytes), part);
  const auto matrix = find_matrix(*bytes, part);
  if (!matrix) return fail(matrix.error());
  if (Status fits = check_extent(*bytes, *matrix); !fits) return fail(fits.error());
  return std::make_unique<MatrixFile>(std::move(bytes), *matrix);
}

Result<std::unique_ptr<RowFile>> open_rows(const std::string& word, const std::string& usual_part) {
  const auto [path, part] = split_word(word);
  auto bytes = open_bytes(path);
  if (!bytes) return fail(bytes.error());
  const bool one_column = lower(path).ends_with(".parquet");
  return rows_of(std::move(*bytes), part.empty() && !one_column ? usual_part : part);
}

Result<std::optional<Metric>> metric_of_file(const RowFile& file) {
  const std::string name = lower(file.bytes().name());
  if (!name.ends_with(".hdf5") && !name.ends_with(".h5")) return std::nullopt;
  const auto distance = hdf5_distance(file.bytes());
  if (!distance) return fail(distance.error());
  if (distance->empty()) return std::nullopt;
  if (*distance == "angular") return Metric::kCosine;
  if (*distance == "euclidean") return Metric::kL2;
  if (*distance == "dot" || *distance == "ip") return Metric::kInnerProduct;
  return fail(ErrorCode::kConfigIncompatible,
              fmt::format("{}: its vectors are for the distance '{}'", file.bytes().name(), terminal_text(*distance)),
              {}, "COSINE, L2 and IP are measured");
}

Result<uint64_t> rows_of_file(const SourceSpec& spec) {
  const auto file = open_rows(word_of(spec.file), kBasePart);
  if (!file) return fail(file.error());
  return (*file)->rows();
}

Result<std::unique_ptr<VectorSource>> make_file_source(SourceSpec& spec) {
  FileSpec& about = spec.file;
  auto file = open_rows(word_of(about), kBasePart);
  if (!file) return fail(file.error());
  if ((*file)->columns() != spec.dimension || (*file)->rows() < spec.rows) {
    return (*file)->bytes().wrong(fmt::format("it has {} rows of {} elements, not {} of {}", (*file)->rows(),
                                              (*file)->columns(), spec.rows, spec.dimension));
  }
  const auto checksum = checksum_of((*file)->bytes());
  if (!checksum) return fail(checksum.error());
  const uint64_t size = (*file)->bytes().size();
  if (about.bytes == 0) {
    about.bytes = size;
    about.checksum = *checksum;
  } else if (about.bytes != size || about.checksum != *checksum) {
    return fail(
        ErrorCode::kDataMismatch, fmt::format("{} is not the file that the collection was loaded from", about.path),
        fmt::format("{} bytes with CRC-64 {:016x}, not {} with {:016x}", size, *checksum, about.bytes, about.checksum),
        "give --base-file with that file, or load the collection again");
  }
  return std::make_unique<FileSource>(std::move(*file), spec);
}

Result<VectorBlock> read_queries(const std::string& word, uint32_t dimension, uint64_t most) {
  const auto file = open_rows(word, kQueryPart);
  if (!file) return fail(file.error());
  if ((*file)->columns() != dimension) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("--query-file: {} has queries of {} elements, the vectors have {}", (*file)->bytes().name(),
                            (*file)->columns(), dimension));
  }
  VectorBlock queries(dimension, most == 0 ? (*file)->rows() : std::min(most, (*file)->rows()));
  if (Status read = (*file)->read(0, queries.values); !read) return fail(read.error());
  return queries;
}

}  // namespace mlps::vectordb
