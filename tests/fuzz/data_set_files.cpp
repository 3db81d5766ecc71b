// The two files that stand beside a data set: its manifest, and the journal of an unfinished one.
#include "benchmarks/training/generate_journal.hpp"
#include "benchmarks/training/manifest.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto manifest = training::parse_manifest(text)) {
    fuzz::require(training::parse_manifest(training::manifest_text(*manifest)).has_value(),
                  "a manifest survives being written");
  }
  if (const auto journal = training::parse_journal(text)) {
    const auto again = training::parse_journal(training::journal_text(*journal));
    fuzz::require(again && again->whole_files == journal->whole_files, "a journal survives being written");
  }
  return 0;
}
