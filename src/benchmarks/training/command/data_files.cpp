#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/training/check_files.hpp"
#include "benchmarks/training/command/prepare.hpp"
#include "world/failure.hpp"

namespace mlps::cli {
namespace {

using training::Dataset;
using training::FileSet;
using training::FoundSizes;
using workloads::TrainingWorkload;

Result<std::shared_ptr<const FoundSizes>> found_sizes(const Dataset& names, std::optional<uint64_t> interval,
                                                      storage::Store& store) {
  world::Failure failure;  // nothing else runs yet
  auto sizes = training::find_sizes(names, interval, store, failure);
  if (!sizes) return fail(sizes.error());
  return std::make_shared<const FoundSizes>(std::move(*sizes));
}

// Every piece of a file that is read by itself has at least a byte.
Status check_smallest(const Dataset& files, const FoundSizes& sizes) {
  const auto smallest = std::min_element(sizes.each.begin(), sizes.each.end());
  const uint64_t bytes = sizes.each.empty() ? sizes.same : *smallest;
  if (bytes >= files.format().extent_count()) return {};
  const auto index = static_cast<uint64_t>(smallest - sizes.each.begin());
  return fail(ErrorCode::kDataMismatch, fmt::format("{} has {} bytes only", files.name(index), bytes), {},
              fmt::format("the files of the data set have {:.0f} bytes on average: it is damaged", sizes.mean()));
}

void tell(const Dataset& files, const FoundSizes& sizes) {
  std::string range = fmt::format("{} bytes each", grouped(sizes.same));
  if (!sizes.each.empty()) {
    const auto [least, most] = std::minmax_element(sizes.each.begin(), sizes.each.end());
    range = fmt::format("from {} to {} bytes", grouped(*least), grouped(*most));
  }
  log::status("the data set is another program's: its {} as they are, {}, {} in all",
              counted(static_cast<double>(files.files()), "file is read", "files are read"), range,
              human_bytes(files.expected_bytes()));
}

}  // namespace

Result<DataFiles> make_files(const TrainingWorkload& workload, uint64_t seed, uint64_t part_bytes) {
  auto format = formats::make_format(formats::layout_of(workload, part_bytes));
  if (!format) return fail(format.error());
  DataFiles files;
  files.format = std::move(*format);
  files.train = std::make_unique<Dataset>(workload.dataset, FileSet::kTrain, seed, *files.format);
  files.eval = std::make_unique<Dataset>(workload.dataset, FileSet::kEval, seed, *files.format);
  return files;
}

Result<std::optional<DataFiles>> files_as_found(const DataFiles& names, const TrainingWorkload& workload,
                                                uint64_t part_bytes, storage::Store& store) {
  const std::optional<uint64_t> interval = workload.dataset.listing_validation_interval;
  auto train = found_sizes(*names.train, interval, store);
  if (!train) return fail(train.error());
  if ((*train)->mean() == 0) return std::nullopt;
  Result<std::shared_ptr<const FoundSizes>> eval = std::make_shared<const FoundSizes>();
  if (workload.evaluation && names.eval->files() > 0) eval = found_sizes(*names.eval, interval, store);
  if (!eval) return fail(eval.error());

  formats::Layout layout = formats::layout_of(workload, part_bytes);
  layout.found_bytes = (*train)->mean();
  auto format = formats::make_format(layout);
  if (!format) return fail(format.error());
  DataFiles files;
  files.format = std::move(*format);
  files.train = std::make_unique<Dataset>(workload.dataset, FileSet::kTrain, 0, *files.format, *train);
  files.eval = std::make_unique<Dataset>(workload.dataset, FileSet::kEval, 0, *files.format, *eval);
  if (Status large = check_smallest(*files.train, **train); !large) return fail(large.error());
  if (workload.evaluation && files.eval->files() > 0) {
    if (Status large = check_smallest(*files.eval, **eval); !large) return fail(large.error());
  }
  tell(*files.train, **train);
  return std::optional(std::move(files));
}

}  // namespace mlps::cli
