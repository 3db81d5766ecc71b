#include "benchmarks/vectordb/files/parquet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "base/zstd.hpp"
#include "benchmarks/vectordb/files/parquet_decoding.hpp"

/// Parquet by its public specification: the columns of one list of numbers each, which hold vectors or keys. Pages are
/// PLAIN or by dictionary, as they are, or compressed by Snappy or Zstandard; that is what pyarrow, pandas, DuckDB and
/// Spark write unless they are told otherwise.
namespace mlps::vectordb {
namespace {

constexpr size_t kMostFooter = size_t{64} << 20;
constexpr size_t kMostPage = size_t{1} << 30;
constexpr size_t kMostPageHeader = 65536;
constexpr size_t kKeptGroups = 4;

enum class Physical : int64_t { kInt32 = 1, kInt64 = 2, kFloat = 4, kDouble = 5 };
enum Codec : int64_t { kUncompressed = 0, kSnappy = 1, kZstd = 6 };
enum PageType : int64_t { kDataPage = 0, kDictionaryPage = 2, kDataPageV2 = 3 };
enum Encoding : int64_t { kPlain = 0, kPlainDictionary = 2, kRle = 3, kRleDictionary = 8 };

size_t bytes_of(Physical type) {
  return type == Physical::kInt32 || type == Physical::kFloat ? 4 : 8;
}

unsigned bits_of(unsigned most) {
  unsigned bits = 0;
  for (; most != 0; most >>= 1) ++bits;
  return bits;
}

// A column of lists of numbers: how deep values lie, and where its pieces are.
struct Column {
  std::string path;
  Physical type = Physical::kFloat;
  unsigned definition = 0, repetition = 0;  ///< levels of a value that is there, inside a list
};

struct Chunk {
  uint64_t rows = 0, values = 0, offset = 0, bytes = 0;
  int64_t codec = 0;
};

// Finds the columns below a node of the schema, which stands as a list in depth-first order.
bool find_columns(const ThriftValue& schema, size_t& at, Column above, int depth, std::vector<Column>& columns) {
  if (at >= schema.fields.size() || depth > kDeepestThrift) return false;
  const ThriftValue& element = schema.fields[at++].second;
  const ThriftValue* name = element.find(4);
  if (depth > 0) {
    above.path += (above.path.empty() ? "" : ".") + std::string(name != nullptr ? name->text : "");
    const int64_t repeated = element.number_of(3, 0);
    if (repeated != 0) ++above.definition;
    if (repeated == 2) ++above.repetition;
  }
  const int64_t children = element.number_of(5, 0);
  for (int64_t i = 0; i < children; ++i) {
    if (!find_columns(schema, at, above, depth + 1, columns)) return false;
  }
  if (children > 0 || depth == 0) return true;
  above.type = static_cast<Physical>(element.number_of(1));
  columns.push_back(std::move(above));
  return true;
}

// The numbers of one column of one row group, as they stand.
using Numbers = std::vector<std::byte>;

class ParquetFile final : public RowFile {
 public:
  explicit ParquetFile(std::unique_ptr<FileBytes> bytes) : bytes_(std::move(bytes)) {}

  Status open(const std::string& part);

  const FileBytes& bytes() const override { return *bytes_; }
  uint64_t rows() const override { return rows_; }
  uint32_t columns() const override { return columns_; }
  Status read(uint64_t first_row, std::span<float> out) const override {
    if (Status read = read_rows(first_row, out); !read) return read;
    return check_finite(*bytes_, first_row, columns_, out);
  }
  Status read_keys(uint64_t first_row, std::span<int64_t> out) const override {
    if (column_.type == Physical::kFloat || column_.type == Physical::kDouble) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("{}: its elements are no integers", bytes_->name()), {},
                  "exact answers are the keys of vectors: 0, 1, 2, ...");
    }
    return read_rows(first_row, out);
  }

 private:
  Status choose_column(const std::vector<Column>& all, const std::string& part);
  Status read_footer(std::vector<Column>& all, ThriftValue& groups, std::vector<std::byte>& footer) const;
  Result<std::shared_ptr<const Numbers>> numbers_of(size_t group) const;
  Result<Numbers> decode(const Chunk& chunk) const;
  Result<ThriftValue> page_head(uint64_t offset, size_t& size) const;
  Result<Numbers> page_bytes(uint64_t offset, int64_t stored, int64_t size, int64_t codec) const;
  Status add_page(const ThriftValue& head, const Numbers& page, const Numbers& dictionary, Numbers& numbers,
                  uint64_t& values) const;
  Status check_lists(const std::vector<uint32_t>& repetition, const std::vector<uint32_t>& definition,
                     uint64_t before) const;
  template <class Out>
  Status read_rows(uint64_t first_row, std::span<Out> out) const;

  std::unique_ptr<FileBytes> bytes_;
  Column column_;
  std::vector<Chunk> chunks_;
  uint64_t rows_ = 0;
  uint32_t columns_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<size_t, std::shared_ptr<const Numbers>>> kept_;  // the last ones that were read
};

Status ParquetFile::read_footer(std::vector<Column>& all, ThriftValue& groups, std::vector<std::byte>& footer) const {
  if (bytes_->size() < 12) return bytes_->wrong("it is no Parquet file");
  FileCursor end(*bytes_, bytes_->size() - 8);
  const auto size = end.take<uint32_t>();
  std::array<char, 4> mark{};
  end.take_bytes(std::as_writable_bytes(std::span(mark)));
  if (!end.status()) return end.status();
  if (std::string_view(mark.data(), mark.size()) != "PAR1") return bytes_->wrong("it is no Parquet file, or encrypted");
  if (size > kMostFooter || size > bytes_->size() - 8) return bytes_->wrong("its footer is longer than it");
  footer.resize(size);
  if (Status read = bytes_->read(bytes_->size() - 8 - size, footer); !read) return read;
  size_t taken = 0;
  const auto about = read_thrift(footer, taken);
  const ThriftValue* schema = about ? about->find(2) : nullptr;
  const ThriftValue* found = about ? about->find(4) : nullptr;
  size_t at = 0;
  if (schema == nullptr || found == nullptr || !find_columns(*schema, at, {}, 0, all)) {
    return bytes_->wrong("its footer is damaged");
  }
  groups = *found;
  return {};
}

Status ParquetFile::choose_column(const std::vector<Column>& all, const std::string& part) {
  std::vector<std::string> names;
  std::vector<const Column*> fitting;
  for (const Column& one : all) {
    const bool number = one.type == Physical::kInt32 || one.type == Physical::kInt64 || one.type == Physical::kFloat ||
                        one.type == Physical::kDouble;
    if (!number || one.repetition != 1) continue;
    const std::string name = one.path.substr(0, one.path.find('.'));
    names.push_back(terminal_text(name));
    if (part.empty() || name == part) fitting.push_back(&one);
  }
  if (fitting.size() == 1) {
    column_ = *fitting.front();
    return {};
  }
  return fail(ErrorCode::kConfigInvalid,
              fitting.empty() && !part.empty()
                  ? fmt::format("{} has no column '{}' of lists of numbers", bytes_->name(), part)
                  : fmt::format("{} has {} columns of lists of numbers", bytes_->name(), fitting.size()),
              fmt::format("its columns of lists are: {}", join(names, ", ").substr(0, 300)), "name one: FILE#COLUMN");
}

Status ParquetFile::open(const std::string& part) {
  std::vector<Column> all;
  std::vector<std::byte> footer;
  ThriftValue groups;
  if (Status read = read_footer(all, groups, footer); !read) return read;
  if (Status chosen = choose_column(all, part); !chosen) return chosen;
  const auto place = static_cast<int>(
      std::find_if(all.begin(), all.end(), [&](const Column& one) { return one.path == column_.path; }) - all.begin());
  uint64_t values = 0;
  for (const auto& [number, group] : groups.fields) {
    const ThriftValue* columns = group.find(1);
    const ThriftValue* chunk = columns != nullptr ? columns->find(place) : nullptr;
    const ThriftValue* about = chunk != nullptr ? chunk->find(3) : nullptr;
    if (about == nullptr) return bytes_->wrong("a row group of it is damaged");
    Chunk one;
    const int64_t rows = group.number_of(3), count = about->number_of(5), data = about->number_of(9),
                  dictionary = about->number_of(11, 0), size = about->number_of(7);
    one.codec = about->number_of(4);
    const int64_t offset = dictionary > 0 ? std::min(dictionary, data) : data;
    if (rows <= 0 || count <= 0 || offset < 0 || size <= 0 || static_cast<uint64_t>(count) > kMostParquetValues) {
      return bytes_->wrong("a row group of it is damaged, or has too many values");
    }
    one.rows = static_cast<uint64_t>(rows);
    one.values = static_cast<uint64_t>(count);
    one.offset = static_cast<uint64_t>(offset);
    one.bytes = static_cast<uint64_t>(size);
    rows_ += one.rows;
    values += one.values;
    if (columns_ == 0) columns_ = static_cast<uint32_t>(one.values / one.rows);
    if (columns_ == 0 || one.values != one.rows * columns_) {
      return bytes_->wrong(fmt::format("{} rows of column {} have {} elements: they are not of one length", one.rows,
                                       terminal_text(column_.path), one.values));
    }
    chunks_.push_back(one);
  }
  return chunks_.empty() ? Status(bytes_->wrong("it has no rows")) : Status();
}

Result<ThriftValue> ParquetFile::page_head(uint64_t offset, size_t& size) const {
  std::vector<std::byte> head(std::min<uint64_t>(kMostPageHeader, bytes_->size() - std::min(offset, bytes_->size())));
  if (Status read = bytes_->read(offset, head); !read) return fail(read.error());
  auto value = read_thrift(head, size);
  if (!value) return bytes_->wrong("the head of a page is damaged");
  // Texts refer to what is gone after this; pages have none that is used.
  return std::move(*value);
}

Result<Numbers> ParquetFile::page_bytes(uint64_t offset, int64_t stored, int64_t size, int64_t codec) const {
  if (stored < 0 || size < 0 || static_cast<size_t>(std::max(stored, size)) > kMostPage) {
    return bytes_->wrong("the size of a page is out of range");
  }
  if (static_cast<uint64_t>(stored) > bytes_->size()) return bytes_->wrong("a page is longer than the file");
  Numbers in(static_cast<size_t>(stored));
  if (Status read = bytes_->read(offset, in); !read) return fail(read.error());
  if (codec == kUncompressed) return in;
  if (codec == kSnappy) {
    auto out = decompress_snappy(in, static_cast<size_t>(size));
    if (!out) return bytes_->wrong("a page is not what Snappy makes");
    return std::move(*out);
  }
  if (codec != kZstd) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: it is compressed by codec {}", bytes_->name(), codec), {},
                "Snappy and Zstandard are read: write it anew with one of them");
  }
  ZstdDecompressor zstd;
  Numbers out(static_cast<size_t>(size));
  std::string_view left(reinterpret_cast<const char*>(in.data()), in.size());
  const auto count = zstd.decompress(left, {reinterpret_cast<char*>(out.data()), out.size()});
  if (!count || *count != out.size()) return bytes_->wrong("a page is not what Zstandard makes");
  return out;
}

// A vector is a list that is there, of elements that are there, as many as in every other one.
Status ParquetFile::check_lists(const std::vector<uint32_t>& repetition, const std::vector<uint32_t>& definition,
                                uint64_t before) const {
  for (size_t i = 0; i < definition.size(); ++i) {
    if (definition[i] != column_.definition) {
      return bytes_->wrong(fmt::format("element {} of row {} is null, or its list is empty", (before + i) % columns_,
                                       (before + i) / columns_));
    }
    const bool begins = (before + i) % columns_ == 0;
    if ((repetition[i] == 0) != begins) {
      return bytes_->wrong(fmt::format("the row of element {} has not {} elements", before + i, columns_));
    }
  }
  return {};
}

Status ParquetFile::add_page(const ThriftValue& head, const Numbers& page, const Numbers& dictionary, Numbers& numbers,
                             uint64_t& values) const {
  const bool second = head.number_of(1) == kDataPageV2;
  const ThriftValue* about = head.find(second ? 8 : 5);
  if (about == nullptr) return bytes_->wrong("the head of a page is damaged");
  const int64_t count = about->number_of(1), encoding = about->number_of(second ? 4 : 2);
  if (count < 0 || static_cast<uint64_t>(count) > kMostParquetValues)
    return bytes_->wrong("a page has too many values");
  std::span<const std::byte> in(page);
  const auto levels = [&](unsigned most, int64_t given) -> std::optional<std::vector<uint32_t>> {
    uint32_t size = 0;
    if (second) {
      size = given >= 0 ? static_cast<uint32_t>(given) : UINT32_MAX;
    } else if (in.size() >= sizeof size) {
      std::memcpy(&size, in.data(), sizeof size);
      in = in.subspan(sizeof size);
    }
    if (size > in.size()) return std::nullopt;
    auto found = read_hybrid(in.first(size), bits_of(most), static_cast<size_t>(count));
    in = in.subspan(size);
    return found;
  };
  const auto repetition = levels(column_.repetition, second ? about->number_of(6) : 0);
  const auto definition = repetition ? levels(column_.definition, second ? about->number_of(5) : 0) : std::nullopt;
  if (!definition) return bytes_->wrong("the levels of a page are damaged");
  if (Status right = check_lists(*repetition, *definition, values); !right) return right;
  values += static_cast<uint64_t>(count);
  const size_t width = bytes_of(column_.type), wanted = static_cast<size_t>(count) * width;
  if (encoding == kPlain) {
    if (in.size() < wanted) return bytes_->wrong("a page is cut off");
    numbers.insert(numbers.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(wanted));
    return {};
  }
  if (encoding != kPlainDictionary && encoding != kRleDictionary) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{}: its pages have encoding {}", bytes_->name(), encoding), {},
                "PLAIN pages and those by dictionary are read: write it anew with the defaults");
  }
  const unsigned bits = in.empty() ? 33 : std::to_integer<unsigned>(in.front());
  const auto indices = bits <= 32 ? read_hybrid(in.subspan(1), bits, static_cast<size_t>(count)) : std::nullopt;
  if (!indices) return bytes_->wrong("the indices of a page are damaged");
  for (const uint32_t index : *indices) {
    if ((uint64_t{index} + 1) * width > dictionary.size()) return bytes_->wrong("a page refers to no dictionary");
    const auto from = dictionary.begin() + static_cast<std::ptrdiff_t>(index * width);
    numbers.insert(numbers.end(), from, from + static_cast<std::ptrdiff_t>(width));
  }
  return {};
}

Result<Numbers> ParquetFile::decode(const Chunk& chunk) const {
  Numbers numbers, dictionary;
  uint64_t values = 0;
  for (uint64_t at = chunk.offset; values < chunk.values;) {
    if (at - chunk.offset >= chunk.bytes) return bytes_->wrong("a row group has fewer values than its footer says");
    size_t head_bytes = 0;
    const auto head = page_head(at, head_bytes);
    if (!head) return fail(head.error());
    at += head_bytes;
    const int64_t size = head->number_of(2), stored = head->number_of(3), type = head->number_of(1);
    if (stored < 0) return bytes_->wrong("the size of a page is out of range");
    const ThriftValue* second = head->find(8);
    // Levels of a page of the second version are never compressed.
    const int64_t plain = type == kDataPageV2 && second != nullptr
                              ? std::max<int64_t>(0, second->number_of(5)) + std::max<int64_t>(0, second->number_of(6))
                              : 0;
    if (plain > stored || plain > size) return bytes_->wrong("the levels of a page are longer than it");
    const bool compressed = plain == 0 || second->number_of(7, 1) != 0;
    auto page = page_bytes(at, plain, plain, kUncompressed);
    if (!page) return fail(page.error());
    const auto rest = page_bytes(at + static_cast<uint64_t>(plain), stored - plain, size - plain,
                                 compressed ? chunk.codec : kUncompressed);
    if (!rest) return fail(rest.error());
    page->insert(page->end(), rest->begin(), rest->end());
    at += static_cast<uint64_t>(stored);
    if (type == kDictionaryPage) {
      dictionary = std::move(*page);
    } else if (type == kDataPage || type == kDataPageV2) {
      if (Status added = add_page(*head, *page, dictionary, numbers, values); !added) return fail(added.error());
    }
  }
  if (numbers.size() != chunk.values * bytes_of(column_.type)) return bytes_->wrong("a row group has too many values");
  return numbers;
}

Result<std::shared_ptr<const Numbers>> ParquetFile::numbers_of(size_t group) const {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, numbers] : kept_) {
      if (number == group) return numbers;
    }
  }
  auto decoded = decode(chunks_[group]);
  if (!decoded) return fail(decoded.error());
  auto numbers = std::make_shared<const Numbers>(std::move(*decoded));
  const std::lock_guard lock(mutex_);
  if (kept_.size() == kKeptGroups) kept_.erase(kept_.begin());
  kept_.emplace_back(group, numbers);
  return numbers;
}

template <class Out>
Status ParquetFile::read_rows(uint64_t first_row, std::span<Out> out) const {
  uint64_t begin = 0;
  for (size_t group = 0; group < chunks_.size() && !out.empty(); ++group) {
    const uint64_t end = begin + chunks_[group].rows;
    if (first_row < end) {
      const auto numbers = numbers_of(group);
      if (!numbers) return fail(numbers.error());
      const uint64_t rows = std::min<uint64_t>(end - first_row, out.size() / columns_);
      const std::byte* from = (*numbers)->data() + (first_row - begin) * columns_ * bytes_of(column_.type);
      const auto part = out.first(rows * columns_);
      switch (column_.type) {
        case Physical::kInt32:
          convert_all<int32_t>(from, part);
          break;
        case Physical::kInt64:
          convert_all<int64_t>(from, part);
          break;
        case Physical::kFloat:
          convert_all<float>(from, part);
          break;
        case Physical::kDouble:
          convert_all<double>(from, part);
          break;
      }
      out = out.subspan(part.size());
      first_row += rows;
    }
    begin = end;
  }
  return out.empty() ? Status() : Status(bytes_->wrong(fmt::format("it has {} rows", rows_)));
}

}  // namespace

Result<std::unique_ptr<RowFile>> open_parquet(std::unique_ptr<FileBytes> bytes, const std::string& part) {
  auto file = std::make_unique<ParquetFile>(std::move(bytes));
  if (Status opened = file->open(part); !opened) return fail(opened.error());
  return file;
}

}  // namespace mlps::vectordb
