#include "benchmarks/training/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>

#include "payload/mix.hpp"
#include "payload/payload.hpp"

namespace mlps::training {
namespace {

constexpr uint64_t kFilesSampledForSize = 4096;
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;

uint32_t digits_of(uint64_t value) {
  uint32_t digits = 1;
  for (; value >= 10; value /= 10) ++digits;
  return digits;
}

void append_padded(uint64_t value, uint32_t digits, std::string& text) {
  char buffer[20];
  const char* end = std::to_chars(std::begin(buffer), std::end(buffer), value).ptr;
  const auto length = static_cast<uint32_t>(end - buffer);
  if (length < digits) text.append(digits - length, '0');
  text.append(buffer, length);
}

// (0, 1]: the logarithm of it is finite.
double uniform(uint64_t word) {
  return static_cast<double>((word >> 11) + 1) * 0x1p-53;
}

struct TwoNormals {
  double first, second;
};

// Box and Muller's, from two words that depend on the key and the index alone.
TwoNormals normals(uint64_t key, uint64_t index) {
  const uint64_t state = payload::mix64(key + kGolden * (2 * index + 1));
  const double radius = std::sqrt(-2 * std::log(uniform(payload::mix64(state ^ key))));
  const double angle = 2 * std::numbers::pi * uniform(payload::mix64(state + kGolden));
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

uint64_t side_of(double mean, double sigma, double normal) {
  return static_cast<uint64_t>(std::max(std::trunc(mean + sigma * normal), 1.0));
}

uint64_t set_key(uint64_t seed, FileSet set) {
  return payload::mix64(seed * 2 + (set == FileSet::kEval ? 1 : 0) + kGolden);
}

}  // namespace

double FoundSizes::mean() const {
  if (each.empty()) return static_cast<double>(same);
  return std::accumulate(each.begin(), each.end(), 0.0) / static_cast<double>(each.size());
}

Dataset::Dataset(const workloads::DatasetSettings& settings, FileSet set, uint64_t seed, const formats::Format& format,
                 std::shared_ptr<const FoundSizes> found)
    : format_(&format),
      folder_(set == FileSet::kTrain ? "train/" : "valid/"),
      prefix_(settings.file_prefix + "_"),
      files_(set == FileSet::kTrain ? settings.num_files_train : settings.num_files_eval),
      samples_per_file_(settings.num_samples_per_file),
      seed_(seed),
      subfolders_(set == FileSet::kTrain ? settings.num_subfolders_train : settings.num_subfolders_eval),
      found_(std::move(found)) {
  const uint64_t total = set == FileSet::kTrain ? settings.num_files_generated.value_or(files_) : files_;
  ending_ = fmt::format("_of_{}.{}", total, workloads::format_name(settings.format));
  index_digits_ = digits_of(total);
  subfolder_digits_ = digits_of(subfolders_);
  shape_key_ = set_key(seed, set);
  if (found_) {
    height_ = found_->same;
  } else if (!settings.columns.empty()) {
    // Columns say what a row is; it has no sides.
  } else if (!settings.record_dims.empty()) {
    height_ = settings.record_dims.front();
    for (size_t dim = 1; dim < settings.record_dims.size(); ++dim) width_ *= settings.record_dims[dim];
  } else {
    side_ = std::max(std::floor(std::sqrt(settings.record_bytes)), 1.0);
    sigma_ = settings.record_bytes_stdev / (2 * std::sqrt(settings.record_bytes));
    height_ = width_ = static_cast<uint64_t>(side_);
  }
  if (!sizes_vary()) {
    same_bytes_ = format_->file_bytes(shape(0));
    for (uint32_t i = 0; i < format_->extent_count(); ++i) same_extents_.push_back(format_->extent(shape(0), i));
  }
  const uint64_t sampled = sizes_vary() ? std::min(files_, kFilesSampledForSize) : std::min<uint64_t>(files_, 1);
  double sum = 0;
  for (uint64_t index = 0; index < sampled; ++index) sum += static_cast<double>(file_bytes(index));
  if (sampled > 0) mean_file_bytes_ = sum / static_cast<double>(sampled);
  if (found_) mean_file_bytes_ = found_->mean();
}

void Dataset::append_name(uint64_t index, std::string& text) const {
  text += folder_;
  if (subfolders_ > 1) {
    append_padded(index % subfolders_, subfolder_digits_, text);
    text += '/';
  }
  text += prefix_;
  append_padded(index, index_digits_, text);
  text += ending_;
}

std::string Dataset::name(uint64_t index) const {
  std::string text;
  append_name(index, text);
  return text;
}

std::string Dataset::index_name(uint64_t index) const {
  std::string text = "index/";
  append_name(index, text);
  return text + ".idx";
}

formats::FileShape Dataset::shape(uint64_t index) const {
  if (!sizes_vary()) return {height_, width_};
  if (found_) return {found_->bytes(index), 1};
  const auto [first, second] = normals(shape_key_, index);
  return {side_of(side_, sigma_, first), side_of(side_, sigma_, second)};
}

formats::Extent Dataset::extent(uint64_t index, uint32_t place, uint64_t file_bytes) const {
  if (!sizes_vary()) return same_extents_[place];
  return format_->extent_count() == 1 ? formats::Extent{0, file_bytes} : format_->extent(shape(index), place);
}

formats::FileContent Dataset::content(uint64_t index) const {
  return {*format_, shape(index), payload::Source(seed_, name(index))};
}

}  // namespace mlps::training
