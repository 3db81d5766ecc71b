#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/training/record.hpp"

namespace mlps::training {

/// Appends StepTimes of all ranks, step by step, to an unlinked file in `folder`; read back per rank when the result
/// files are written. Uses one block of memory, whatever the number of steps. For one writer, and readers after
/// flush().
class StepLog {
 public:
  static Result<std::shared_ptr<StepLog>> create(const std::string& folder, uint32_t ranks);
  ~StepLog();
  StepLog(const StepLog&) = delete;
  StepLog& operator=(const StepLog&) = delete;

  /// Appends one step or several, each with an entry per rank.
  Status append(const std::vector<StepTimes>& rows);
  Status flush();

  uint64_t steps() const { return steps_; }
  uint32_t ranks() const { return ranks_; }
  /// Calls `visit` for the steps [first, first + count) of `rank`, in order. After flush().
  Status read(uint32_t rank, uint64_t first, uint64_t count, const std::function<void(const StepTimes&)>& visit) const;
  /// Fills `rows` with the steps [first, first + rows.size() / ranks()) of all ranks, as append() took them.
  Status read_rows(uint64_t first, std::span<StepTimes> rows) const;

 private:
  StepLog(int fd, uint32_t ranks) : fd_(fd), ranks_(ranks) {}
  Status read_entries(uint64_t first, std::span<StepTimes> entries) const;

  int fd_;
  uint32_t ranks_;
  uint64_t steps_ = 0;
  std::vector<StepTimes> pending_;
  std::optional<Error> failed_;  // of the first write that did: what is behind it is not whole
};

}  // namespace mlps::training
