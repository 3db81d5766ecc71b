#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "benchmarks/vectordb/command/options.hpp"
#include "flags/command_line.hpp"

/// What the parts of the vectordb command's parser share: values of flags become settings, and what is wrong with them
/// is added to the errors of the command line.
namespace mlps::cli {

/// Adds an error about what the user gave, with what to do.
inline void refuse(CommandLine& line, std::string message, std::string suggestion) {
  line.errors.push_back({ErrorCode::kConfigInvalid, std::move(message), {}, std::move(suggestion)});
}

/// Returns whether a flag was typed, and has not come from a file or a default.
inline bool is_typed(Reader& reader, const char* flag) {
  return reader.given(flag) && reader.origin(flag) == "flag";
}

/// Returns the path of FILE or FILE#PART from the root on, since it is read again by other commands.
inline std::string file_word(Reader& reader, CommandLine& line, const char* flag) {
  const std::string text = reader.text(flag);
  return text.empty() ? text : std::filesystem::absolute(expanded_path(text, line.environment)).string();
}

/// Reads what `run` searches with.
void read_search(Reader& reader, CommandLine& line, vectordb::Settings& settings);

/// Reads what a search for the edge (--qps max) needs, and refuses what doesn't go with it.
void read_edge(Reader& reader, CommandLine& line, VectorDbOptions& options);

/// Keeps the configuration under the names of mlpstorage 3.0. Values that the user gave are said to be the user's.
void fill_values(Reader& reader, VectorDbOptions& options);

}  // namespace mlps::cli
