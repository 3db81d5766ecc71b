#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "benchmarks/vectordb/dataset.hpp"
#include "benchmarks/vectordb/files/row_file.hpp"
#include "benchmarks/vectordb/queries.hpp"

namespace mlps::vectordb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Bytes {
 public:
  template <class Number>
  Bytes& put(const std::vector<Number>& numbers) {
    const auto bytes = std::as_bytes(std::span(numbers));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  template <class Number>
  Bytes& row(const std::vector<Number>& numbers) {
    return put<uint32_t>({static_cast<uint32_t>(numbers.size())}).put(numbers);
  }
  Bytes& text(std::string_view text) { return put(std::vector<char>(text.begin(), text.end())); }
  Bytes& npy(const std::string& type, const std::string& order, const std::string& shape) {
    const std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
    return text(std::string_view("\x93NUMPY\x01\x00", 8))
        .put<uint16_t>({static_cast<uint16_t>(header.size())})
        .text(header);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

Result<std::unique_ptr<RowFile>> opened(const std::string& name, const Bytes& bytes) {
  return rows_of(bytes_in_memory(name, bytes.bytes()), kBasePart);
}

std::vector<float> all_of(const Result<std::unique_ptr<RowFile>>& file) {
  if (!file) return {};
  std::vector<float> values((*file)->rows() * (*file)->columns());
  EXPECT_TRUE((*file)->read(0, values));
  return values;
}

std::string refusal(const std::string& name, const Bytes& bytes) {
  const auto file = opened(name, bytes);
  if (!file) return file.error().message;
  std::vector<float> values((*file)->rows() * (*file)->columns());
  const Status read = (*file)->read(0, values);
  return read ? "none" : read.error().message;
}

TEST(VectorFiles, AreReadInEveryFormat) {
  EXPECT_THAT(all_of(opened("a.fvecs", Bytes().row<float>({1, 2.5}).row<float>({-3, 4}))), ElementsAre(1, 2.5, -3, 4));
  EXPECT_THAT(all_of(opened("a.bvecs", Bytes().row<uint8_t>({255, 0, 7}))), ElementsAre(255, 0, 7));
  EXPECT_THAT(all_of(opened("A.IVECS", Bytes().row<int32_t>({-1, 9}))), ElementsAre(-1, 9));
  EXPECT_THAT(all_of(opened("a.fbin", Bytes().put<uint32_t>({1, 2}).put<float>({5, 6}))), ElementsAre(5, 6));
  EXPECT_THAT(all_of(opened("a.i8bin", Bytes().put<uint32_t>({2, 1}).put<int8_t>({-5, 6}))), ElementsAre(-5, 6));
  const auto npy = [](const std::string& type, const auto& numbers) {
    return all_of(opened("a.npy", Bytes().npy(type, "False", "(1, 2)").put(numbers)));
  };
  EXPECT_THAT(npy("<f8", std::vector<double>{0.5, -2}), ElementsAre(0.5, -2));
  EXPECT_THAT(npy("<f2", std::vector<uint16_t>{0x3C00, 0x8001}), ElementsAre(1, -std::ldexp(1.0F, -24)));
  EXPECT_THAT(npy("<i8", std::vector<int64_t>{-7, 8}), ElementsAre(-7, 8));
  EXPECT_THAT(npy("|u1", std::vector<uint8_t>{200, 8}), ElementsAre(200, 8));
}

TEST(VectorFiles, ThatAreDamagedAreRefusedWithTheReason) {
  EXPECT_THAT(refusal("a.fvecs", Bytes().row<float>({1, 2}).put<uint32_t>({2})), HasSubstr("no whole number of rows"));
  EXPECT_THAT(refusal("a.fvecs", Bytes().row<float>({1, 2}).put<uint32_t>({3}).put<float>({1, 2})),
              HasSubstr("row 1 has 3 elements, the first one 2"));
  EXPECT_THAT(refusal("a.fvecs", Bytes().row<float>({1, std::numeric_limits<float>::quiet_NaN()})),
              HasSubstr("element 1 of row 0 is nan"));
  EXPECT_THAT(refusal("a.fvecs", Bytes().row<float>({1}).row<float>({INFINITY})),
              HasSubstr("element 0 of row 1 is inf"));
  EXPECT_THAT(refusal("a.fvecs", Bytes().put<uint32_t>({0})), HasSubstr("no element"));
  EXPECT_THAT(refusal("a.fvecs", Bytes()), HasSubstr("cut off"));
  EXPECT_THAT(refusal("a.fbin", Bytes().put<uint32_t>({3, 2}).put<float>({5, 6})), HasSubstr("can't hold the 3 rows"));
  EXPECT_THAT(refusal("a.fbin", Bytes().put<uint32_t>({UINT32_MAX, UINT32_MAX})), HasSubstr("can't hold"));
  EXPECT_THAT(refusal("a.npy", Bytes().npy("<f4", "True", "(1, 2)")), HasSubstr("Fortran"));
  EXPECT_THAT(refusal("a.npy", Bytes().npy(">f4", "False", "(1, 2)")), HasSubstr("little-endian"));
  EXPECT_THAT(refusal("a.npy", Bytes().npy("<f4", "False", "(2,)")), HasSubstr("two dimensions"));
  EXPECT_THAT(refusal("a.npy", Bytes().npy("<f4", "False", "(2, 9999999999)")), HasSubstr("can't hold"));
  EXPECT_THAT(refusal("a.npy", Bytes().text("NUMPY, said nobody")), HasSubstr("no NPY file"));
  EXPECT_THAT(refusal("a.hdf5", Bytes().text("\x89HDF\r\n")), HasSubstr("cut off"));
  EXPECT_THAT(refusal("a.csv", Bytes()), HasSubstr("tells no format"));
  EXPECT_EQ(open_rows("/nowhere/a.npy", "").error().code, ErrorCode::kPathNotFound);
  EXPECT_EQ(open_rows("/dev/null", "").error().code, ErrorCode::kConfigInvalid);
}

std::vector<std::byte> corpus(const std::string& name) {
  std::ifstream file(std::string(MLPS_VECTOR_FILES) + "/" + name, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// The file was written by h5py 3.16 as ann-benchmarks writes its own.
TEST(VectorFiles, OfAnnBenchmarksAreHdf5) {
  const auto train = rows_of(bytes_in_memory("a.hdf5", corpus("hdf5")), kBasePart);
  ASSERT_TRUE(train) << train.error().message;
  EXPECT_EQ((*train)->rows(), 6u);
  EXPECT_EQ(all_of(train)[5], 5.0F / 8);
  EXPECT_EQ(**metric_of_file(**train), Metric::kL2);
  const auto keys = rows_of(bytes_in_memory("a.h5", corpus("hdf5")), kTruthPart);
  ASSERT_TRUE(keys) << keys.error().message;
  std::vector<int64_t> found(4);
  ASSERT_TRUE((*keys)->read_keys(0, found));
  EXPECT_THAT(found, ElementsAre(0, 1, 5, 4));
  const auto none = rows_of(bytes_in_memory("a.h5", corpus("hdf5")), "nothing");
  EXPECT_THAT(none.error().details, HasSubstr("train"));
  const auto piece = corpus("hdf5_chunks");
  EXPECT_THAT(rows_of(bytes_in_memory("a.h5", piece), kBasePart).error().message, HasSubstr("not in one piece"));
  const auto latest = corpus("hdf5_latest");
  EXPECT_THAT(rows_of(bytes_in_memory("a.h5", latest), kBasePart).error().message, HasSubstr("superblock has version"));
}

TEST(VectorFiles, OfHdf5AreReadOrRefusedWhereverTheyAreCutOff) {
  const auto whole = corpus("hdf5");
  for (size_t size = 0; size < whole.size(); size += 7) {
    const auto file = rows_of(bytes_in_memory("a.hdf5", {whole.begin(), whole.begin() + size}), kBasePart);
    if (!file) continue;
    std::vector<float> values((*file)->rows() * (*file)->columns());
    (void)(*file)->read(0, values);
  }
}

Result<std::unique_ptr<RowFile>> parquet(const std::string& name, const std::string& column = "") {
  return rows_of(bytes_in_memory("a.parquet", corpus("parquet_" + name)), column);
}

// The files were written by pyarrow 26.
TEST(ParquetFiles, OfListsAreReadAsTheyAreWrittenElsewhere) {
  for (const char* name : {"snappy", "plain", "zstd_v2"}) {
    const auto file = parquet(name, "emb");
    ASSERT_TRUE(file) << name << file.error().message;
    EXPECT_EQ((*file)->rows(), 6u);
    EXPECT_EQ((*file)->columns(), 4u);
    const auto values = all_of(file);
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<float>(i) / 8) << name;
    std::vector<float> last(4);
    ASSERT_TRUE((*file)->read(5, last));
    EXPECT_THAT(last, ElementsAre(20 / 8.0F, 21 / 8.0F, 22 / 8.0F, 23 / 8.0F));
    EXPECT_FALSE((*file)->read(6, last)) << "behind the end";
    std::vector<int64_t> keys(4);
    EXPECT_FALSE((*file)->read_keys(0, keys)) << "floats are no keys";
  }
  const auto keys = parquet("keys");
  ASSERT_TRUE(keys) << keys.error().message;
  std::vector<int64_t> found(4);
  ASSERT_TRUE((*keys)->read_keys(0, found));
  EXPECT_THAT(found, ElementsAre(0, 1, 5, 4));
}

TEST(ParquetFiles, ThatHoldNoVectorsAreRefusedWithTheReason) {
  const auto why = [](const std::string& name, const std::string& column = "") {
    const auto file = parquet(name, column);
    if (!file) return file.error().message;
    std::vector<float> values((*file)->rows() * (*file)->columns());
    const Status read = (*file)->read(0, values);
    return read ? std::string("none") : read.error().message;
  };
  EXPECT_THAT(why("ragged"), HasSubstr("not of one length"));
  EXPECT_THAT(why("null"), HasSubstr("element 1 of row 0 is null"));
  EXPECT_THAT(why("gzip"), HasSubstr("compressed by codec 2"));
  EXPECT_THAT(why("snappy", "id"), HasSubstr("no column 'id' of lists of numbers"));
  const auto whole = corpus("parquet_snappy");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(rows_of(bytes_in_memory("a.parquet", {whole.begin(), whole.begin() + size}), ""));
  }
  for (size_t place = 0; place < whole.size(); ++place) {
    auto changed = whole;
    changed[place] ^= std::byte{0x55};
    const auto file = rows_of(bytes_in_memory("a.parquet", changed), "");
    if (!file || (*file)->rows() * (*file)->columns() > 1000) continue;
    std::vector<float> values((*file)->rows() * (*file)->columns());
    (void)(*file)->read(0, values);
  }
}

class TruthOfFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "vector_files";
    std::filesystem::create_directories(folder_);
    // Eight points on a line, of different lengths: by L2 the neighbours of 3.1 are 3, 4, 2; by IP the longest.
    Bytes base;
    for (int i = 0; i < 8; ++i) base.row<float>({static_cast<float>(i), 1});
    keep("base.fvecs", base);
    keep("queries.fvecs", Bytes().row<float>({3.1F, 1}).row<float>({0, 1}));
    spec_.distribution = Distribution::kFile;
    spec_.rows = 8;
    spec_.dimension = 2;
    spec_.file.path = path("base.fvecs");
    auto source = make_file_source(spec_);
    ASSERT_TRUE(source) << source.error().message;
    base_ = std::move(*source);
    queries_ = *read_queries(path("queries.fvecs"), 2, 0);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void keep(const std::string& name, const Bytes& bytes) const {
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.bytes().data()), static_cast<std::streamsize>(bytes.bytes().size()));
  }
  Result<GroundTruth> truth(const Bytes& keys, Metric metric = Metric::kL2, uint32_t wanted = 2) const {
    keep("truth.ivecs", keys);
    TruthOptions options;
    options.metric = metric;
    return read_truth(path("truth.ivecs"), *base_, queries_.view(), options, wanted);
  }

  std::filesystem::path folder_;
  SourceSpec spec_;
  std::unique_ptr<VectorSource> base_;
  VectorBlock queries_;
};

TEST_F(TruthOfFile, HasTheScoresOfTheVectors) {
  const auto found = truth(Bytes().row<int32_t>({3, 4, 2}).row<int32_t>({0, 1, 2}));
  ASSERT_TRUE(found) << found.error().message << found.error().details;
  EXPECT_NEAR(found->of(0)[1].score, -0.81, 1e-5);
  EXPECT_EQ(recall_of(found->of(0), std::vector<uint64_t>{3, 2}, 2), 0.5);
}

// opensearch-benchmark: answers that are padded with -1 are as many as there are.
TEST_F(TruthOfFile, WithFewerNeighboursDividesByTheirNumber) {
  const auto found = truth(Bytes().row<int32_t>({3, 4, -1}).row<int32_t>({0, -1, -1}));
  ASSERT_TRUE(found) << found.error().message << found.error().details;
  EXPECT_EQ(found->of(1).size(), 1u);
  EXPECT_EQ(recall_of(found->of(1), std::vector<uint64_t>{0, 5}, 2), 1.0);
  EXPECT_EQ(recall_of(found->of(0), std::vector<uint64_t>{3, 4, 6}, 3), 1.0);
  EXPECT_THAT(truth(Bytes().row<int32_t>({3, -1, 2}).row<int32_t>({0, 1, 2})).error().details, HasSubstr("behind -1"));
}

TEST_F(TruthOfFile, OfAnotherMetricOrOtherVectorsIsRefused) {
  const auto why = [](const Result<GroundTruth>& found) { return found ? "none" : found.error().details; };
  const Bytes right = Bytes().row<int32_t>({3, 4, 2}).row<int32_t>({0, 1, 2});
  EXPECT_EQ(why(truth(right)), "none");
  EXPECT_THAT(why(truth(right, Metric::kInnerProduct)), HasSubstr("by IP"));
  EXPECT_THAT(why(truth(Bytes().row<int32_t>({4, 3, 2}).row<int32_t>({0, 1, 2}))),
              HasSubstr("nearer than the one before"));
  // The answers over the even half of the vectors are in order, and still not those over all.
  EXPECT_THAT(why(truth(Bytes().row<int32_t>({4, 2, 6}).row<int32_t>({0, 2, 4}))),
              HasSubstr("the vector 1 is nearer than the last answer"));
  EXPECT_THAT(why(truth(Bytes().row<int32_t>({3, 8, 2}).row<int32_t>({0, 1, 2}))), HasSubstr("no key of 8 vectors"));
  EXPECT_THAT(why(truth(Bytes().row<int32_t>({3, 3, 4}).row<int32_t>({0, 1, 2}))), HasSubstr("comes twice"));
  EXPECT_EQ(truth(Bytes().row<int32_t>({3, 4}), Metric::kL2).error().code, ErrorCode::kConfigIncompatible)
      << "one query";
  EXPECT_EQ(truth(right, Metric::kL2, 4).error().code, ErrorCode::kConfigIncompatible) << "three answers";
}

TEST_F(TruthOfFile, IsThatOfTheFileWhichWasLoaded) {
  const auto again = parse_dataset(dataset_text(spec_), "c");
  ASSERT_TRUE(again) << again.error().message;
  SourceSpec same = *again;
  EXPECT_TRUE(make_file_source(same));
  EXPECT_EQ((*make_file_source(same))->identity(), base_->identity());
  Bytes other;
  for (int i = 0; i < 8; ++i) other.row<float>({static_cast<float>(i), 2});
  keep("base.fvecs", other);
  const auto changed = make_file_source(same);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("not the file that the collection was loaded from"));
  same.rows = 9;
  EXPECT_FALSE(make_file_source(same));
  EXPECT_FALSE(
      parse_dataset(R"({"schema":"mlpstorage.vectordb-dataset/1","distribution":"file","rows":1,"dimension":1})", "c"));
}

TEST_F(TruthOfFile, QueriesOfItsVectorsKeepTheirLength) {
  SearchSettings search;
  search.planted = true;
  search.query_vectors = 8;
  const auto planted = make_queries(search, spec_, *base_);
  ASSERT_TRUE(planted);
  const auto last = planted->view().row(7);
  EXPECT_NEAR(last[0] * last[0] + last[1] * last[1], 50, 1e-3);
  search.planted = false;
  EXPECT_THAT(make_queries(search, spec_, *base_).error().message, HasSubstr("no distribution to draw queries from"));
}

}  // namespace
}  // namespace mlps::vectordb
