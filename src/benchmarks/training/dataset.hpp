#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/format.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::training {

enum class FileSet { kTrain, kEval };

/// The seed of file sizes and payload where the user gives none. Fixed, so that a data set without manifest can be
/// read by its configuration alone.
inline constexpr uint64_t kDefaultDataSeed = 10;

/// Sizes of the files of a set that another program made, as they were found in the store.
struct FoundSizes {
  uint64_t same = 0;           ///< of every file, if `each` is empty
  std::vector<uint64_t> each;  ///< by index

  uint64_t bytes(uint64_t index) const { return each.empty() ? same : each[index]; }
  double mean() const;
};

/// Computes names, shapes and sizes of the files of one set (train or valid) from (seed, index), without a list.
/// Immutable and cheap to copy but for the format it refers to, which must live longer. Any thread.
class Dataset {
 public:
  /// `total` of the names is num_files_generated where given. A set may be empty. `found`: sizes are those, not drawn,
  /// and the shape of a file is (its size, 1), as the format of found files wants it.
  Dataset(const workloads::DatasetSettings& settings, FileSet set, uint64_t seed, const formats::Format& format,
          std::shared_ptr<const FoundSizes> found = nullptr);

  uint64_t files() const { return files_; }
  uint64_t samples_per_file() const { return samples_per_file_; }
  uint64_t seed() const { return seed_; }
  const formats::Format& format() const { return *format_; }

  /// Returns "train/img_0042_of_7200.npz", with the subfolders that DLIO's generator makes; relative to the data folder
  /// (`<data-dir>/<model>`). append_name() adds it to `text` without allocating once `text` has grown.
  std::string name(uint64_t index) const;
  void append_name(uint64_t index, std::string& text) const;
  /// Returns "index/train/img_0042_of_7200.tfrecord.idx".
  std::string index_name(uint64_t index) const;

  /// Returns the shape of a file, which depends on (seed, set, index) alone, not on the number of ranks.
  formats::FileShape shape(uint64_t index) const;
  uint64_t file_bytes(uint64_t index) const { return sizes_vary() ? format_->file_bytes(shape(index)) : same_bytes_; }
  /// Returns the extent at `place` of a file of `file_bytes`.
  formats::Extent extent(uint64_t index, uint32_t place, uint64_t file_bytes) const;
  bool sizes_vary() const { return sigma_ > 0 || (found_ && !found_->each.empty()); }
  bool sizes_are_found() const { return found_ != nullptr; }

  /// Returns the mean size of a file; exact where sizes don't vary or were found, else that of the first 4,096 files.
  double mean_file_bytes() const { return mean_file_bytes_; }
  uint64_t expected_bytes() const { return static_cast<uint64_t>(mean_file_bytes_ * static_cast<double>(files_)); }

  /// Returns payload and structure of one file, which keeps a reference to the format.
  formats::FileContent content(uint64_t index) const;

 private:
  const formats::Format* format_;
  std::string folder_;  // "train/"
  std::string prefix_;  // "img_"
  std::string ending_;  // "_of_7200.npz"
  uint64_t files_;
  uint64_t samples_per_file_;
  uint64_t seed_;
  uint64_t shape_key_ = 0;
  uint64_t subfolders_;
  uint32_t index_digits_;
  uint32_t subfolder_digits_;
  uint64_t height_ = 1, width_ = 1;  // of every file, if sizes don't vary
  double side_ = 1, sigma_ = 0;      // else
  uint64_t same_bytes_ = 0;          // of every file, if sizes don't vary
  std::vector<formats::Extent> same_extents_;
  double mean_file_bytes_ = 0;
  std::shared_ptr<const FoundSizes> found_;
};

}  // namespace mlps::training
