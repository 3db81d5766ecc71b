// A command line, one argument a line: the words of the command, then flags, values and further words.
#include "cli/registry.hpp"
#include "flags/tokenizer.hpp"
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
  const cli::Grammar& grammar = cli::registry().grammar();
  const cli::Resolution resolution = grammar.resolve(arguments);
  if (resolution.kind != cli::Resolution::Kind::kCommand) {
    (void)grammar.explain(resolution);
    return 0;
  }
  fuzz::require(resolution.rest <= arguments.size(), "the rest begins inside the line");
  cli::Tokens tokens = cli::tokenize(resolution.command, std::span(arguments).subspan(resolution.rest));
  (void)cli::take_storage_word(resolution.command, tokens);
  return 0;
}
