#include <fmt/format.h>

#include "formats/format.hpp"
#include "formats/kinds.hpp"

namespace mlps::formats {
namespace {

// Below this limit sizes can be computed without overflow; no storage holds such a file.
constexpr double kMostFileBytes = static_cast<double>(uint64_t{1} << 60);

Status check_samples(const Layout& layout) {
  if (layout.samples_per_file == 0) {
    return fail(ErrorCode::kConfigInvalid, "dataset.num_samples_per_file=0 is not legal", {}, "give at least 1");
  }
  if (!(layout.record_bytes >= 0)) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("dataset.record_length_bytes={} is not legal", layout.record_bytes), {}, "give at least 1");
  }
  const double file_bytes = static_cast<double>(layout.samples_per_file) *
                            (layout.record_bytes * workloads::element_bytes(layout.element_type) + 64);
  if (!(file_bytes < kMostFileBytes)) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("dataset.num_samples_per_file={} of {} bytes is more than a file can hold",
                            layout.samples_per_file, layout.record_bytes),
                {}, "a file has less than 1 EiB");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Format>> make_format(const Layout& layout) {
  if (Status good = check_samples(layout); !good) return fail(good.error());
  if (layout.found_bytes > 0) return make_found(layout);
  using workloads::DataFormat;
  switch (layout.format) {
    case DataFormat::kNpz:
      return make_npz(layout);
    case DataFormat::kNpy:
      return make_npy(layout);
    case DataFormat::kJpeg:
    case DataFormat::kPng:
      return make_raw(layout);
    case DataFormat::kSynthetic:
      return make_synthetic(layout);
    case DataFormat::kTfrecord:
      return make_tfrecord(layout);
    case DataFormat::kParquet:
      return make_parquet(layout);
  }
  return fail(ErrorCode::kNotImplemented, fmt::format("dataset.format={}: this build can't make such files",
                                                      workloads::format_name(layout.format)));
}

}  // namespace mlps::formats
