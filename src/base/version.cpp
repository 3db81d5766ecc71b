#include "base/version.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>

#include "build_id.hpp"

namespace mlps {
namespace {

constexpr size_t kShownBytes = 8;

std::string digits(std::span<const unsigned char> bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

size_t padded(size_t bytes) {
  return (bytes + 3) / 4 * 4;
}

// Returns the build id among the notes of a segment; empty if there is none.
std::string find_id(std::span<const unsigned char> notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes.data(), sizeof head);
    const size_t name = sizeof head, value = name + padded(head.n_namesz), end = value + padded(head.n_descsz);
    if (end > notes.size()) break;
    const bool is_id = head.n_type == NT_GNU_BUILD_ID && head.n_namesz == sizeof ELF_NOTE_GNU &&
                       std::memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0;
    if (is_id) return digits(notes.subspan(value, std::min<size_t>(head.n_descsz, kShownBytes)));
    notes = notes.subspan(end);
  }
  return {};
}

// The first object is the program itself.
int find_id_of_program(dl_phdr_info* object, size_t, void* found) {
  for (const auto& segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (segment.p_type != PT_NOTE) continue;
    const auto* begin = reinterpret_cast<const unsigned char*>(object->dlpi_addr + segment.p_vaddr);
    const std::string id = find_id({begin, segment.p_memsz});
    if (!id.empty()) *static_cast<std::string*>(found) = id;
  }
  return 1;
}

}  // namespace

std::string binary_path() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

std::string binary_id() {
  std::string id = "unknown";
  ::dl_iterate_phdr(find_id_of_program, &id);
  return id;
}

std::string_view version_text() {
  return MLPS_VERSION;
}

std::string_view commit_id() {
  return MLPS_COMMIT;
}

std::string_view build_id() {
  return MLPS_BUILD_ID;
}

std::string_view compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

std::string version_line() {
  return fmt::format("mlpstorage {} (build {}, rules {})", version_text(), build_id(), kRulesEdition);
}

}  // namespace mlps
