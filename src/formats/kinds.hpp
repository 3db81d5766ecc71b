#pragma once

#include <memory>

#include "formats/format.hpp"

/// The formats, one function each. make_format() has checked what all have in common; E102 for what one can't have.
namespace mlps::formats {

/// jpeg and png (bytes that are no picture, as in the original), npy, synthetic: files that are read as a whole.
Result<std::unique_ptr<Format>> make_raw(const Layout& layout);
Result<std::unique_ptr<Format>> make_synthetic(const Layout& layout);
Result<std::unique_ptr<Format>> make_npy(const Layout& layout);
Result<std::unique_ptr<Format>> make_npz(const Layout& layout);
/// Extents of whole records.
Result<std::unique_ptr<Format>> make_tfrecord(const Layout& layout);
/// A footer, then spans of row groups.
Result<std::unique_ptr<Format>> make_parquet(const Layout& layout);

}  // namespace mlps::formats
