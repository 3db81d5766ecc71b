#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {

/// Collects several texts, the pieces of which come in any order, in one unlinked file, and returns them one after the
/// other. Uses a few bytes of memory per piece. For one thread.
class PieceSpool {
 public:
  /// Makes the file in `folder`; it is gone with this object, however the process ends.
  static Result<PieceSpool> create(const std::string& folder, size_t texts);
  PieceSpool(PieceSpool&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), end_(other.end_), pieces_(std::move(other.pieces_)) {}
  PieceSpool& operator=(PieceSpool&&) = delete;
  ~PieceSpool();

  Status append(size_t text, std::string_view piece);
  /// Passes a whole text to `sink`, piece by piece.
  Status read(size_t text, const Sink& sink) const;

 private:
  struct Extent {
    uint64_t offset, length;
  };
  PieceSpool(int fd, size_t texts) : fd_(fd), pieces_(texts) {}

  int fd_;
  uint64_t end_ = 0;
  std::vector<std::vector<Extent>> pieces_;  // by text
};

}  // namespace mlps::results
