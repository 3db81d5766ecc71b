#pragma once

#include <memory>

#include "formats/format.hpp"

/// One factory per format. make_format() has checked the parameters that all share; a factory fails with E102 for a
/// layout that its format can't have.
namespace mlps::formats {

/// jpeg and png (bytes that are not a picture, as in DLIO), npy, synthetic: files that are read as a whole.
Result<std::unique_ptr<Format>> make_raw(const Layout& layout);
Result<std::unique_ptr<Format>> make_synthetic(const Layout& layout);
Result<std::unique_ptr<Format>> make_npy(const Layout& layout);
Result<std::unique_ptr<Format>> make_npz(const Layout& layout);
/// Files that another program wrote, of any format: bytes that are read from the first to the last and never written.
/// A file's shape is (its size, 1). Formats of many samples are read in pieces of about extent_bytes.
Result<std::unique_ptr<Format>> make_found(const Layout& layout);
/// Extents consist of whole records.
Result<std::unique_ptr<Format>> make_tfrecord(const Layout& layout);
/// The first extent is the footer, the others are spans of row groups.
Result<std::unique_ptr<Format>> make_parquet(const Layout& layout);

}  // namespace mlps::formats
