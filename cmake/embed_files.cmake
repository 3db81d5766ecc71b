# Writes OUTPUT, a C++ source that holds the text of FILES (separated by ','), for src/workloads/embedded.hpp.
# cmake -DOUTPUT=... -DFILES=a.yaml,b.yaml -P embed_files.cmake
string(REPLACE "," ";" FILES "${FILES}")
set(entries "")
set(count 0)
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  get_filename_component(name ${file} NAME)
  string(APPEND entries "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed_files.cmake.
#include \"workloads/embedded.hpp\"

#include <array>

namespace mlps::workloads {

std::span<const EmbeddedFile> embedded_files() {
  static constexpr std::array<EmbeddedFile, ${count}> kFiles = {{
${entries}  }};
  return kFiles;
}

}  // namespace mlps::workloads
")
