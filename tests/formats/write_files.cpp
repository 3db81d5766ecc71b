// Writes files of every format for readers of others to read. Usage: write_files FOLDER
// Beside each file: FILE.payload, the bytes of its source, and FILE.json, what it should hold.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "formats/format.hpp"

namespace mlps::formats {
namespace {

using workloads::Column;
using workloads::DataFormat;
using workloads::ElementType;

struct File {
  std::string name;
  Layout layout;
  FileShape shape = {};
};

Layout array(DataFormat format, uint64_t samples, ElementType type = ElementType::kUint8) {
  Layout made;
  made.format = format;
  made.samples_per_file = samples;
  made.element_type = type;
  made.record_bytes = 65536;
  return made;
}

Layout table(std::vector<Column> columns, uint64_t rows, uint64_t row_group_rows, std::vector<std::string> read = {}) {
  Layout made = array(DataFormat::kParquet, rows);
  made.columns = std::move(columns);
  made.row_group_rows = row_group_rows;
  made.read_columns = std::move(read);
  return made;
}

std::vector<Column> every_type() {
  std::vector<Column> columns;
  for (int type = 0; type <= static_cast<int>(ElementType::kBool); ++type) {
    const auto element = static_cast<ElementType>(type);
    columns.push_back({std::string(workloads::element_name(element)), element});
    columns.push_back({columns.back().name + "_list", element, 3});
  }
  return columns;
}

/// The types of DLRM's first columns.
std::vector<Column> dlrm() {
  const std::vector<ElementType> types = {ElementType::kFloat16, ElementType::kFloat16, ElementType::kFloat64,
                                          ElementType::kFloat64, ElementType::kFloat32, ElementType::kFloat16,
                                          ElementType::kFloat32, ElementType::kInt8};
  std::vector<Column> columns;
  for (size_t index = 0; index < 40; ++index) {
    columns.push_back({"feature_" + std::string(index < 10 ? "00" : "0") + std::to_string(index), types[index % 8]});
  }
  return columns;
}

std::vector<Column> flux() {
  return {{"t5_encodings", ElementType::kFloat32, 52428},
          {"clip_encodings", ElementType::kFloat32, 409},
          {"mean", ElementType::kFloat32, 8232},
          {"logvar", ElementType::kFloat32, 8232},
          {"timestamp", ElementType::kFloat32, 7}};
}

std::vector<File> files() {
  Layout small_extents = array(DataFormat::kTfrecord, 9);
  small_extents.extent_bytes = 150'000;
  return {{"small", array(DataFormat::kNpz, 1), {1, 3}},
          {"dlrm", array(DataFormat::kNpz, 1), {22, 22}},
          {"large", array(DataFormat::kNpz, 3), {700, 601}},
          {"float", array(DataFormat::kNpz, 2, ElementType::kFloat32), {300, 301}},
          {"large", array(DataFormat::kNpy, 1), {1000, 999}},
          {"short", array(DataFormat::kNpy, 4, ElementType::kInt16), {12, 13}},
          {"image", array(DataFormat::kJpeg, 1), {568, 568}},
          {"records", std::move(small_extents), {200, 201}},
          {"record", array(DataFormat::kTfrecord, 1), {1681, 1650}},
          {"types", table(every_type(), 100, 41)},
          {"dlrm", table(dlrm(), 3000, 768)},
          {"dlrm_read", table(dlrm(), 200'000, 90'000, {"feature_004", "feature_007", "feature_018"})},
          {"flux", table(flux(), 7, 3)},
          {"data", table({}, 5, 2), {60, 61}}};
}

/// More than a test should write: both ends of a file whose middle is a hole.
bool write_ends(const std::filesystem::path& folder) {
  const FileShape shape{65537, 65536};
  const auto format = make_format(array(DataFormat::kNpz, 1));
  if (!format) return false;
  const payload::Source source(123, "huge");
  const uint64_t bytes = (*format)->file_bytes(shape);
  std::ofstream out(folder / "huge.zip64", std::ios::binary);
  for (const uint64_t offset : {uint64_t{0}, bytes - 1000}) {
    std::vector<std::byte> buffer(1000);
    (*format)->fill(shape, source, offset, buffer);
    out.seekp(static_cast<std::streamoff>(offset));
    out.write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
  }
  return out.good();
}

/// In parts, the last one first.
void write(const std::filesystem::path& path, uint64_t bytes, const payload::Content& content) {
  std::ofstream out(path, std::ios::binary);
  constexpr uint64_t kPart = 100'001;
  for (uint64_t part = (bytes - 1) / kPart + 1; part-- > 0;) {
    std::vector<std::byte> buffer(std::min(kPart, bytes - part * kPart));
    content.fill(part * kPart, buffer);
    out.seekp(static_cast<std::streamoff>(part * kPart));
    out.write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
  }
}

class Payload final : public payload::Content {
 public:
  explicit Payload(const payload::Source& source) : source_(source) {}
  void fill(uint64_t offset, std::span<std::byte> out) const override { source_.fill(offset, out); }
  std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const override {
    return source_.first_mismatch(offset, data);
  }

 private:
  payload::Source source_;
};

nlohmann::json facts(const File& file, const Format& format) {
  nlohmann::json facts = {{"height", file.shape.height},
                          {"width", file.shape.width},
                          {"samples", file.layout.samples_per_file},
                          {"element_type", workloads::element_name(file.layout.element_type)},
                          {"row_group_rows", file.layout.row_group_rows},
                          {"read_columns", file.layout.read_columns},
                          {"columns", nlohmann::json::array()},
                          {"extents", nlohmann::json::array()}};
  for (const Column& column : file.layout.columns) {
    facts["columns"].push_back(
        {{"name", column.name}, {"type", workloads::element_name(column.type)}, {"elements", column.elements}});
  }
  for (uint32_t index = 0; index < format.extent_count(); ++index) {
    const Extent extent = format.extent(file.shape, index);
    facts["extents"].push_back(
        {{"offset", extent.offset}, {"bytes", extent.bytes}, {"samples", format.extent_samples(index)}});
  }
  if (const auto text = format.index_text(file.shape)) facts["index"] = *text;
  return facts;
}

bool write_all(const std::filesystem::path& folder) {
  for (const File& file : files()) {
    const std::string name = file.name + "." + std::string(workloads::format_name(file.layout.format));
    const auto format = make_format(file.layout);
    if (!format) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), render(format.error()).c_str());
      return false;
    }
    const payload::Source source(123, name);
    const uint64_t bytes = (*format)->file_bytes(file.shape);
    write(folder / name, bytes, FileContent(**format, file.shape, source));
    write(folder / (name + ".payload"), bytes, Payload(source));
    std::ofstream(folder / (name + ".json")) << facts(file, **format).dump(1);
  }
  return write_ends(folder);
}

}  // namespace
}  // namespace mlps::formats

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_files FOLDER\n");
    return 2;
  }
  return mlps::formats::write_all(argv[1]) ? 0 : 1;
}
