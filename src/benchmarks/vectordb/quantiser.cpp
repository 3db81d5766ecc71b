#include "benchmarks/vectordb/quantiser.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/threads.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "payload/mix.hpp"

namespace mlps::vectordb {
namespace {

constexpr size_t kCentres = 256;
constexpr int kRounds = 12;

/// Returns the principal components of the sample, one per row, strongest first, and their variances.
std::pair<Eigen::MatrixXf, Eigen::VectorXf> components(VectorView sample) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto size = static_cast<Eigen::Index>(sample.dimension());
  const Eigen::Map<const Rows> rows(sample.values().data(), static_cast<Eigen::Index>(sample.rows()), size);
  const Eigen::RowVectorXf mean = rows.colwise().mean();
  Eigen::MatrixXf covariance = rows.transpose() * rows / static_cast<float>(sample.rows());
  covariance -= mean.transpose() * mean;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(covariance);
  return {solver.eigenvectors().rowwise().reverse().transpose(), solver.eigenvalues().reverse()};
}

/// Deals components, strongest first, each to the part with the smallest product of variances that has room. Returns
/// for each part its components.
std::vector<std::vector<uint32_t>> deal_components(const Eigen::VectorXf& variances, uint32_t parts) {
  const auto count = static_cast<uint32_t>(variances.size());
  std::vector<std::vector<uint32_t>> dealt(parts);
  std::vector<double> logarithm(parts, 0);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t best = parts;
    for (uint32_t p = 0; p < parts; ++p) {
      const uint32_t room = count / parts + (p < count % parts ? 1 : 0);
      if (dealt[p].size() < room && (best == parts || logarithm[p] < logarithm[best])) best = p;
    }
    dealt[best].push_back(i);
    // Against the strongest, so that every step of the product raises it or leaves it.
    const double share = std::max<double>(variances[i], variances[0] * 1e-9) / std::max(variances[0], 1e-30F);
    logarithm[best] += std::log(share) + 21;
  }
  return dealt;
}

/// Finds the 256 centres of one part by k-means. `points` holds its rotated elements, row after row.
class PartTrainer {
 public:
  PartTrainer(const std::vector<float>& points, size_t elements, uint64_t seed)
      : points_(points),
        elements_(elements),
        count_(points.size() / elements),
        seed_(seed),
        centres_(elements * kCentres) {}

  std::vector<float> train() {
    for (size_t c = 0; c < kCentres; ++c) {
      const size_t chosen = payload::mix64(seed_ + c * 0x9e3779b97f4a7c15u) % count_;
      for (size_t d = 0; d < elements_; ++d) centres_[d * kCentres + c] = points_[chosen * elements_ + d];
    }
    for (int round = 0; round < kRounds; ++round) improve(round);
    return std::move(centres_);
  }

 private:
  void improve(int round) {
    std::vector<double> sums(elements_ * kCentres);
    std::array<size_t, kCentres> members{};
    for (size_t i = 0; i < count_; ++i) {
      const float* point = points_.data() + i * elements_;
      const size_t nearest = kernels().nearest_centre(centres_.data(), point, elements_);
      ++members[nearest];
      for (size_t d = 0; d < elements_; ++d) sums[d * kCentres + nearest] += double{point[d]};
    }
    for (size_t c = 0; c < kCentres; ++c) {
      // A centre without points moves to one of them, and gets a part of its surroundings in the next round.
      const size_t other = payload::mix64(seed_ ^ (c + kCentres * static_cast<size_t>(round + 1))) % count_;
      for (size_t d = 0; d < elements_; ++d) {
        centres_[d * kCentres + c] = members[c] == 0
                                         ? points_[other * elements_ + d]
                                         : static_cast<float>(sums[d * kCentres + c] / static_cast<double>(members[c]));
      }
    }
  }

  const std::vector<float>& points_;
  size_t elements_;
  size_t count_;
  uint64_t seed_;
  std::vector<float> centres_;
};

}  // namespace

Result<Quantiser> Quantiser::train(VectorView sample, uint32_t bytes, uint64_t seed, unsigned threads) {
  Quantiser made;
  made.dimension_ = sample.dimension();
  const auto [axes, variances] = components(sample);
  made.first_.push_back(0);
  for (const auto& part : deal_components(variances, bytes)) {
    for (const uint32_t i : part) {
      for (uint32_t d = 0; d < made.dimension_; ++d) made.rotation_.push_back(axes(i, d));
    }
    made.first_.push_back(made.first_.back() + static_cast<uint32_t>(part.size()));
  }
  VectorBlock rotated(made.dimension_, sample.rows());
  for (size_t i = 0; i < sample.rows(); ++i) made.rotate(sample.row(i), rotated.row(i).data());
  made.centres_.resize(size_t{made.dimension_} * kCentres);
  std::atomic<uint32_t> next = 0;
  const auto trained = run_on_threads(std::min(threads, bytes), {.name = "code training threads"}, [&](size_t) {
    for (uint32_t m; (m = next++) < bytes;) {
      const uint32_t first = made.first_[m], elements = made.first_[m + 1] - first;
      std::vector<float> points;
      for (size_t i = 0; i < rotated.rows(); ++i) {
        const auto part = rotated.row(i).subspan(first, elements);
        points.insert(points.end(), part.begin(), part.end());
      }
      const auto centres = PartTrainer(points, elements, seed + m).train();
      std::copy(centres.begin(), centres.end(), made.centres_.begin() + first * kCentres);
    }
  });
  if (!trained) return fail(trained.error());
  return made;
}

void Quantiser::rotate(std::span<const float> vector, float* out) const {
  for (uint32_t i = 0; i < dimension_; ++i) {
    out[i] = kernels().dot(rotation_.data() + size_t{i} * dimension_, vector.data(), dimension_);
  }
}

void Quantiser::encode(std::span<const float> vector, uint8_t* code) const {
  std::vector<float> rotated(dimension_);
  rotate(vector, rotated.data());
  for (uint32_t m = 0; m < bytes(); ++m) {
    code[m] = static_cast<uint8_t>(kernels().nearest_centre(centres_.data() + first_[m] * kCentres,
                                                            rotated.data() + first_[m], first_[m + 1] - first_[m]));
  }
}

void Quantiser::make_table(std::span<const float> query, std::vector<float>& table) const {
  table.resize(bytes() * kCentres + dimension_);
  float* rotated = table.data() + bytes() * kCentres;  // room behind the table, so that no search allocates
  rotate(query, rotated);
  for (uint32_t m = 0; m < bytes(); ++m) {
    kernels().centre_distances(centres_.data() + first_[m] * kCentres, rotated + first_[m], first_[m + 1] - first_[m],
                               table.data() + m * kCentres);
  }
}

void Quantiser::write(BinaryWriter& out) const {
  out.put(dimension_);
  out.put(bytes());
  out.put_all(std::span<const uint32_t>(first_));
  out.put_all(std::span<const float>(rotation_));
  out.put_all(std::span<const float>(centres_));
}

Result<Quantiser> Quantiser::read(BinaryReader& in) {
  Quantiser made;
  made.dimension_ = in.take<uint32_t>();
  const auto bytes = in.take<uint32_t>();
  const bool fits =
      made.dimension_ >= 1 && made.dimension_ <= kMaxDimension + 1 && bytes >= 1 && bytes <= made.dimension_;
  if (fits) {
    made.first_ = in.take_all<uint32_t>(uint64_t{bytes} + 1);
    made.rotation_ = in.take_all<float>(uint64_t{made.dimension_} * made.dimension_);
    made.centres_ = in.take_all<float>(uint64_t{made.dimension_} * kCentres);
  }
  if (!fits || !in.is_valid() || made.first_.front() != 0 || made.first_.back() != made.dimension_ ||
      !std::is_sorted(made.first_.begin(), made.first_.end())) {
    return fail(ErrorCode::kDataMismatch, "the tables of its codes do not fit together");
  }
  return made;
}

}  // namespace mlps::vectordb
