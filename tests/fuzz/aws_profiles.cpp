// A file of AWS profiles: whatever it holds, an error names the line and repeats nothing of it.
#include "fuzz.hpp"
#include "storage/s3/profiles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const auto sections = s3::parse_sections(fuzz::text_of(data, size), "file");
  if (!sections) {
    fuzz::require(sections.error().message.starts_with("file:"), "an error names file and line");
    fuzz::require(sections.error().message.size() < 80, "an error repeats nothing of the file");
    return 0;
  }
  for (const auto& [section, values] : *sections) {
    for (const auto& [name, value] : values) {
      fuzz::require(value.find('\n') == std::string::npos, "a value is one line");
    }
  }
  return 0;
}
