#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "location/location.hpp"

/// The place that `try` is about, as far as it can be known before anything is written.
namespace mlps::cli {

struct TryPlace {
  Location scratch{Scheme::kNull, "", ""};  ///< where everything is stored, below the place
  std::string shown;                        ///< "/mnt/data (ext4, O_DIRECT)"
  bool memory = false;                      ///< a file system in memory
  bool direct = false;                      ///< files, past the page cache
  uint64_t room_bytes = 0;                  ///< that may be stored at once

  bool is_null() const { return scratch.scheme() == Scheme::kNull; }
  /// Returns where one part of `try` stores, as it is typed: "/mnt/data/mlpstorage-try-1f/training".
  std::string folder(std::string_view part) const;
  /// Returns the word and the flags that reach the place: "file --o-direct".
  std::vector<std::string> words() const;
};

/// Understands `text` as a place: a path that is there, direct:///path, s3://, gs://, az://, null://. Makes the scratch
/// folder where that is a folder of files. A quarter of the free space may be used, and in memory a quarter of what is
/// free of that.
Result<TryPlace> open_try_place(const std::string& text, const Environment& environment);

}  // namespace mlps::cli
