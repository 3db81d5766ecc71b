// A command line, one argument a line: the words of the command, then flags, values and further words.
#include "flags/command_tree.hpp"
#include "flags/lex.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  std::vector<std::string> arguments(1);
  for (const char c : fuzz::text_of(data, size)) {
    if (c == '\n') {
      arguments.emplace_back();
    } else {
      arguments.back() += c;
    }
  }
  const cli::Resolution resolution = cli::resolve(arguments);
  if (resolution.kind != cli::Resolution::Kind::kCommand) {
    (void)cli::resolution_error(resolution, arguments);
    return 0;
  }
  fuzz::require(resolution.rest <= arguments.size(), "the rest begins inside the line");
  cli::Lexed lexed = cli::lex(*resolution.word, resolution.mode, std::span(arguments).subspan(resolution.rest));
  (void)cli::take_storage_word(*resolution.word, lexed);
  return 0;
}
