#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "benchmarks/vectordb/files/row_file.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/metric_space.hpp"
#include "benchmarks/vectordb/numpy_random.hpp"
#include "benchmarks/vectordb/vector_source.hpp"
#include "payload/mix.hpp"
#include "payload/payload.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint32_t kMaxClusters = 65536;  // one 16-bit number chooses
constexpr size_t kTileWords = 8192;       // 32 KiB of words: they, a row and its copy stay in cache
/// The payload's first bytes hold its seed; rows begin behind them, where a block of the generator begins.
constexpr uint64_t kFirstByte = 16 * 1024;
/// Sizes of clusters and their radii are lognormal with these widths.
constexpr double kSizeSkew = 0.5, kSpreadSigma = 0.2;

Status out_of_range(std::string_view what, uint64_t value, uint64_t low, uint64_t high) {
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("generated vectors: {} {} is not from {} to {}", what, value, low, high));
}

Status check_source(const SourceSpec& spec) {
  if (spec.dimension < 1 || spec.dimension > kMaxDimension) {
    return out_of_range("dimension", spec.dimension, 1, kMaxDimension);
  }
  if (spec.rows > UINT64_MAX / 4 / kMaxDimension / 2) {
    return out_of_range("rows", spec.rows, 0, UINT64_MAX / 4 / kMaxDimension / 2);
  }
  if (spec.distribution != Distribution::kClustered) return {};
  const ClusteredSpec& c = spec.clustered;
  const uint64_t most = std::min<uint64_t>(spec.dimension, GeneratorTables::kMaxAmbient);
  if (c.clusters < 1 || c.clusters > kMaxClusters) return out_of_range("clusters", c.clusters, 1, kMaxClusters);
  if (c.ambient < 1 || c.ambient > most) return out_of_range("ambient dimension", c.ambient, 1, most);
  if (c.intrinsic_dimension < 1 || c.intrinsic_dimension > c.ambient) {
    return out_of_range("intrinsic dimension", c.intrinsic_dimension, 1, c.ambient);
  }
  for (const auto& [value, what] : {std::pair(c.centre_scale, "centre scale"), std::pair(c.noise, "noise")}) {
    if (!std::isfinite(value) || value < 0 || value > 1000) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("generated vectors: {} {} is not from 0 to 1000", what, value));
    }
  }
  return {};
}

std::string describe_source(const SourceSpec& spec) {
  std::string text =
      fmt::format("{} {} x {} seed {}{}{}", distribution_name(spec.distribution), spec.rows, spec.dimension, spec.seed,
                  spec.normalise ? "" : " not normalised", spec.stream == Stream::kQuery ? " queries" : "");
  if (spec.distribution == Distribution::kClustered) {
    const ClusteredSpec& c = spec.clustered;
    text += fmt::format(" clusters {} intrinsic {} ambient {} centre {:a} noise {:a}", c.clusters,
                        c.intrinsic_dimension, c.ambient, c.centre_scale, c.noise);
  }
  return text;
}

/// Numbers for the tables of a mixture: few, so their speed doesn't matter.
class TableRandom {
 public:
  explicit TableRandom(uint64_t seed) : state_(payload::mix64(seed ^ 0x636c7573)) {}
  double unit() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
  double normal() { return std::sqrt(-2 * std::log(unit())) * std::cos(2 * std::numbers::pi * unit()); }

 private:
  uint64_t next() { return payload::mix64(state_ += 0x9e3779b97f4a7c15u); }
  uint64_t state_;
};

/// Returns `count` orthonormal rows of `size` elements, each padded to `stride` (Gram and Schmidt, in double).
std::vector<double> orthonormal(TableRandom& random, size_t count, size_t size) {
  std::vector<double> rows(count * size);
  for (size_t i = 0; i < count; ++i) {
    double* row = rows.data() + i * size;
    for (size_t d = 0; d < size; ++d) row[d] = random.normal();
    for (int pass = 0; pass < 2; ++pass) {  // twice is enough (Giraud et al. 2005)
      for (size_t j = 0; j < i; ++j) {
        const double* other = rows.data() + j * size;
        double product = 0;
        for (size_t d = 0; d < size; ++d) product += row[d] * other[d];
        for (size_t d = 0; d < size; ++d) row[d] -= product * other[d];
      }
    }
    double square = 0;
    for (size_t d = 0; d < size; ++d) square += row[d] * row[d];
    for (size_t d = 0; d < size; ++d) row[d] /= std::sqrt(square);
  }
  return rows;
}

/// The arrays that GeneratorTables points to.
struct Mixture {
  std::vector<float> ambient, centres, bases;
  std::vector<uint16_t> cluster_of;

  Mixture(const SourceSpec& spec) {
    const ClusteredSpec& c = spec.clustered;
    TableRandom random(spec.seed);
    const size_t dimension = padded(spec.dimension), width = padded(c.ambient);
    ambient = as_floats(orthonormal(random, c.ambient, spec.dimension), spec.dimension, dimension, 1);
    centres.resize(c.clusters * width);
    std::vector<double> sizes(c.clusters);
    for (uint32_t k = 0; k < c.clusters; ++k) {
      for (uint32_t j = 0; j < c.ambient; ++j) {
        centres[k * width + j] = static_cast<float>(c.centre_scale * random.normal() / std::sqrt(c.ambient));
      }
      sizes[k] = std::exp(kSizeSkew * random.normal());
      const double spread = std::exp(kSpreadSigma * random.normal()) / std::sqrt(c.intrinsic_dimension);
      const auto basis = as_floats(orthonormal(random, c.intrinsic_dimension, c.ambient), c.ambient, width, spread);
      bases.insert(bases.end(), basis.begin(), basis.end());
    }
    choose_clusters(sizes);
  }

 private:
  static std::vector<float> as_floats(const std::vector<double>& rows, size_t size, size_t stride, double scale) {
    std::vector<float> out(rows.size() / size * stride);
    for (size_t i = 0; i < rows.size(); ++i) out[i / size * stride + i % size] = static_cast<float>(rows[i] * scale);
    return out;
  }

  void choose_clusters(const std::vector<double>& sizes) {
    double all = 0, upto = 0;
    for (const double size : sizes) all += size;
    cluster_of.resize(65536);
    size_t filled = 0;
    for (size_t k = 0; k < sizes.size(); ++k) {
      upto += sizes[k];
      const size_t end = k + 1 == sizes.size() ? 65536 : static_cast<size_t>(upto / all * 65536 + 0.5);
      for (; filled < std::min<size_t>(end, 65536); ++filled) cluster_of[filled] = static_cast<uint16_t>(k);
    }
  }
};

/// Returns a number of the Zipf distribution with exponent 1.5, from a row's head of random words (Devroye 1986, p.
/// 551).
float zipf(const uint32_t* head) {
  constexpr double kExponent = 1.5, kB = 1.4142135623730951;  // 2^(exponent - 1)
  uint64_t state = uint64_t{head[1]} << 32 | head[0];
  const auto unit = [&] {
    return (static_cast<double>(payload::mix64(state += 0x9e3779b97f4a7c15u) >> 11) + 0.5) * 0x1p-53;
  };
  for (;;) {
    const double u = unit(), v = unit();
    const double x = std::floor(std::pow(u, -1 / (kExponent - 1)));
    if (!(x >= 1) || x > 9e15) continue;
    const double t = std::pow(1 + 1 / x, kExponent - 1);
    if (v * x * (t - 1) / (kB - 1) <= t / kB) return static_cast<float>(x);
  }
}

class GeneratedSource final : public VectorSource {
 public:
  explicit GeneratedSource(const SourceSpec& spec)
      : spec_(spec),
        identity_(describe_source(spec)),
        bytes_(spec.seed, spec.stream == Stream::kQuery ? "vectors.query" : "vectors.base") {
    tables_.distribution = spec.distribution;
    tables_.dimension = spec.dimension;
    tables_.normalise = spec.normalise;
    tables_.row_words = GeneratorTables::kHeadWords + (padded(spec.dimension) + 31) / 32 * 32;
    if (spec.distribution != Distribution::kClustered) return;
    mixture_.emplace(spec);
    tables_.ambient_count = spec.clustered.ambient;
    tables_.intrinsic = spec.clustered.intrinsic_dimension;
    tables_.noise = spec.clustered.noise / std::sqrt(static_cast<float>(spec.dimension));
    tables_.ambient = mixture_->ambient.data();
    tables_.centres = mixture_->centres.data();
    tables_.bases = mixture_->bases.data();
    tables_.cluster_of = mixture_->cluster_of.data();
    tables_.row_words += 2 * padded(tables_.intrinsic);
  }

  uint64_t rows() const override { return spec_.rows; }
  uint32_t dimension() const override { return spec_.dimension; }
  std::string identity() const override { return identity_; }

  Status read(uint64_t first_row, std::span<float> out) const override {
    const size_t wanted = out.size() / spec_.dimension;
    const size_t tile_rows = std::max<size_t>(1, kTileWords / tables_.row_words);
    std::vector<uint32_t> words(std::min(tile_rows, std::max<size_t>(wanted, 1)) * tables_.row_words + kPadLanes);
    std::vector<float> scratch(2 * padded(spec_.dimension));
    for (size_t at = 0; at < wanted; at += tile_rows) {
      const size_t rows = std::min(tile_rows, wanted - at);
      const auto part = std::span(words).first(rows * tables_.row_words);
      bytes_.fill(kFirstByte + (first_row + at) * tables_.row_words * sizeof(uint32_t), std::as_writable_bytes(part));
      float* into = out.data() + at * spec_.dimension;
      kernels().generate(tables_, words.data(), rows, scratch.data(), into);
      if (spec_.distribution == Distribution::kZipfian && !spec_.normalise)
        stretch(words, {into, rows * spec_.dimension});
    }
    return {};
  }

 private:
  void stretch(const std::vector<uint32_t>& words, std::span<float> rows) const {
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i] *= zipf(words.data() + i / spec_.dimension * tables_.row_words) / 10;
    }
  }

  SourceSpec spec_;
  std::string identity_;
  payload::Source bytes_;
  std::optional<Mixture> mixture_;
  GeneratorTables tables_;
};

class NumpySource final : public VectorSource {
 public:
  explicit NumpySource(const SourceSpec& spec)
      : identity_("numpy " + describe_source(spec)), rows_(spec.dimension, spec.rows) {
    NumpyRandom random(static_cast<uint32_t>(spec.seed));
    const bool is_normal = spec.distribution == Distribution::kNormal;
    for (float& value : rows_.values) value = static_cast<float>(is_normal ? random.normal() : random.uniform());
    for (size_t i = 0; spec.normalise && i < rows_.rows(); ++i) numpy_normalise(rows_.row(i));
  }

  uint64_t rows() const override { return rows_.rows(); }
  uint32_t dimension() const override { return rows_.dimension; }
  std::string identity() const override { return identity_; }
  Status read(uint64_t first_row, std::span<float> out) const override {
    std::copy_n(rows_.values.data() + first_row * rows_.dimension, out.size(), out.data());
    return {};
  }

 private:
  std::string identity_;
  VectorBlock rows_;
};

}  // namespace

Result<std::unique_ptr<VectorSource>> make_source(const SourceSpec& spec) {
  if (spec.distribution == Distribution::kFile) {
    SourceSpec of_file = spec;
    return make_file_source(of_file);
  }
  if (auto legal = check_source(spec); !legal) return fail(legal.error());
  return std::make_unique<GeneratedSource>(spec);
}

Result<std::unique_ptr<VectorSource>> make_numpy_source(const SourceSpec& spec) {
  if (auto legal = check_source(spec); !legal) return fail(legal.error());
  if (spec.distribution != Distribution::kUniform && spec.distribution != Distribution::kNormal) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("vectors of NumPy's generator: distribution {} has no such stream; uniform and normal have",
                            distribution_name(spec.distribution)));
  }
  if (spec.seed > UINT32_MAX) return fail(out_of_range("seed of NumPy's generator", spec.seed, 0, UINT32_MAX).error());
  return std::make_unique<NumpySource>(spec);
}

Result<VectorBlock> planted_queries(const VectorSource& base, uint64_t count, float noise, uint64_t seed,
                                    bool keep_length) {
  constexpr uint64_t kMostRows = uint64_t{1} << 28;  // the permutation takes 4 bytes of each
  if (count > base.rows() || base.rows() > kMostRows || seed > UINT32_MAX) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("planted queries: {} queries of {} rows with seed {}; at most as many queries as rows, at "
                            "most {} rows and a seed of 32 bits are possible",
                            count, base.rows(), seed, kMostRows));
  }
  auto chosen = NumpyRandom(static_cast<uint32_t>(seed)).permutation(static_cast<uint32_t>(base.rows()));
  chosen.resize(count);
  std::sort(chosen.begin(), chosen.end());
  NumpyRandom random(static_cast<uint32_t>(seed));
  VectorBlock queries(base.dimension(), count);
  std::vector<float> noise_row(base.dimension());
  for (size_t i = 0; i < count; ++i) {
    if (auto read = base.read(chosen[i], queries.row(i)); !read) return fail(read.error());
    for (float& value : noise_row) value = static_cast<float>(random.normal());
    numpy_normalise(noise_row);
    const float length = keep_length ? MetricSpace::length(queries.row(i)) : 1;
    numpy_normalise(queries.row(i));
    for (size_t d = 0; d < noise_row.size(); ++d) queries.row(i)[d] += noise * noise_row[d];
    numpy_normalise(queries.row(i));
    if (!keep_length) continue;
    for (float& value : queries.row(i)) value *= length;
  }
  return queries;
}

}  // namespace mlps::vectordb
