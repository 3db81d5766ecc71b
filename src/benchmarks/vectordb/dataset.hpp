#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "benchmarks/vectordb/vector_source.hpp"

/// The description of the vectors of a collection, which stays with it: a later run makes the same vectors from it, and
/// so knows the exact answers without asking anybody.
namespace mlps::vectordb {

/// Returns one line of JSON that says what `source` is.
std::string dataset_text(const SourceSpec& source);

/// Returns what such a text says. For hostile input: E606 names what is wrong. `where` stands in errors.
Result<SourceSpec> parse_dataset(std::string_view text, const std::string& where);

/// Returns the source with as many rows as it can have: those of its file, or as many as a collection can hold.
Result<SourceSpec> with_all_rows(SourceSpec source);

/// Returns the source with numbers of clusters and dimensions that fit its vectors.
SourceSpec fitted(SourceSpec source);

}  // namespace mlps::vectordb
