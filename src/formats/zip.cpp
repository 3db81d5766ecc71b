#include "formats/zip.hpp"

#include "formats/structure.hpp"

namespace mlps::formats {
namespace {

constexpr uint64_t kIn64 = 0xFFFFFFFF;  // stands for "see the ZIP64 field", so the largest 32-bit value is one less
constexpr uint16_t kPlainVersion = 20;
constexpr uint16_t kZip64Version = 45;

template <class Unsigned>
void put(std::string& text, uint64_t value) {
  append_little_endian(text, static_cast<Unsigned>(value));
}

// Flags, method, time and date: all 0, in local headers and in the directory.
void put_plain_facts(std::string& text) {
  text.append(8, '\0');
}

void put_or_extend(std::string& text, std::string& extra, uint64_t value) {
  put<uint32_t>(text, value < kIn64 ? value : kIn64);
  if (value >= kIn64) put<uint64_t>(extra, value);
}

std::string zip64_field(const std::string& values) {
  std::string field;
  if (values.empty()) return field;
  put<uint16_t>(field, 1);
  put<uint16_t>(field, values.size());
  return field + values;
}

std::string directory_entry(const ZipMember& member) {
  std::string sizes;
  std::string values;
  put_or_extend(sizes, values, member.bytes);  // compressed and not, alike
  put_or_extend(sizes, values, member.bytes);
  std::string where;
  put_or_extend(where, values, member.offset);
  const std::string extra = zip64_field(values);
  const uint16_t version = extra.empty() ? kPlainVersion : kZip64Version;

  std::string entry = "PK\x01\x02";
  put<uint16_t>(entry, version);  // made by
  put<uint16_t>(entry, version);  // needed
  put_plain_facts(entry);
  put<uint32_t>(entry, member.crc);
  entry += sizes;
  put<uint16_t>(entry, member.name.size());
  put<uint16_t>(entry, extra.size());
  entry.append(10, '\0');  // comment, disk, attributes
  entry += where;
  entry += member.name;
  return entry + extra;
}

// The ZIP64 end record and its locator.
std::string zip64_end(size_t members, uint64_t directory_bytes, uint64_t at) {
  std::string end = "PK\x06\x06";
  put<uint64_t>(end, 44);  // size of the rest of the record
  put<uint16_t>(end, kZip64Version);
  put<uint16_t>(end, kZip64Version);
  put<uint64_t>(end, 0);  // disks
  put<uint64_t>(end, members);
  put<uint64_t>(end, members);
  put<uint64_t>(end, directory_bytes);
  put<uint64_t>(end, at);
  end += "PK\x06\x07";
  put<uint32_t>(end, 0);
  put<uint64_t>(end, at + directory_bytes);
  put<uint32_t>(end, 1);
  return end;
}

}  // namespace

std::string zip_local_header(const ZipMember& member, bool zip64) {
  std::string header = "PK\x03\x04";
  put<uint16_t>(header, zip64 ? kZip64Version : kPlainVersion);
  put_plain_facts(header);
  put<uint32_t>(header, member.crc);
  put<uint32_t>(header, zip64 ? kIn64 : member.bytes);
  put<uint32_t>(header, zip64 ? kIn64 : member.bytes);
  put<uint16_t>(header, member.name.size());
  std::string extra;
  if (zip64) {
    std::string values;
    put<uint64_t>(values, member.bytes);
    put<uint64_t>(values, member.bytes);
    extra = zip64_field(values);
  }
  put<uint16_t>(header, extra.size());
  header += member.name;
  return header + extra;
}

std::string zip_directory(std::span<const ZipMember> members, uint64_t at) {
  std::string directory;
  for (const ZipMember& member : members) directory += directory_entry(member);
  const uint64_t bytes = directory.size();
  if (at >= kIn64) directory += zip64_end(members.size(), bytes, at);
  directory += "PK\x05\x06";
  put<uint32_t>(directory, 0);  // disks
  put<uint16_t>(directory, members.size());
  put<uint16_t>(directory, members.size());
  put<uint32_t>(directory, bytes);
  put<uint32_t>(directory, at < kIn64 ? at : kIn64);
  put<uint16_t>(directory, 0);  // comment
  return directory;
}

}  // namespace mlps::formats
