#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "../support/memory_store.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/generate_journal.hpp"

/// A data set of a few small files of uneven sizes, and what the tests of generating it share.
namespace mlps::training::test {

using mlps::test::MemoryStore;

/// Files of height x width bytes of payload, with an index file if wanted.
class PlainFormat final : public formats::Format {
 public:
  explicit PlainFormat(bool has_index) : has_index_(has_index) {}
  uint64_t file_bytes(const formats::FileShape& shape) const override { return shape.height * shape.width; }
  uint32_t extent_count() const override { return 1; }
  uint64_t extent_samples(uint32_t) const override { return 1; }
  formats::Extent extent(const formats::FileShape& shape, uint32_t) const override { return {0, file_bytes(shape)}; }
  void fill(const formats::FileShape&, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
  }
  std::optional<std::string> index_text(const formats::FileShape& shape) const override {
    if (!has_index_) return std::nullopt;
    return "0 " + std::to_string(file_bytes(shape)) + "\n";
  }

 private:
  bool has_index_;
};

inline constexpr uint64_t kSeed = 11;
inline constexpr const char* kShape = "model=small;files=23;seed=11";

inline workloads::DatasetSettings small_settings(uint64_t train, uint64_t eval) {
  workloads::DatasetSettings settings;
  settings.format = workloads::DataFormat::kJpeg;
  settings.num_files_train = train;
  settings.num_files_eval = eval;
  settings.record_bytes = 2500;  // sides of 50, give or take 10: 900 to 4900 bytes
  settings.record_bytes_stdev = 1000;
  return settings;
}

/// A data set and what generating it takes.
struct Small {
  explicit Small(uint64_t train_files = 20, uint64_t eval_files = 3, bool with_index = false)
      : format(with_index),
        train(small_settings(train_files, eval_files), FileSet::kTrain, kSeed, format),
        eval(small_settings(train_files, eval_files), FileSet::kEval, kSeed, format),
        has_index(with_index) {}

  uint64_t files() const { return train.files() + eval.files(); }
  std::string name(uint64_t index) const {
    return index < train.files() ? train.name(index) : eval.name(index - train.files());
  }
  const Dataset& set_of(uint64_t index) const { return index < train.files() ? train : eval; }
  uint64_t number_of(uint64_t index) const { return index < train.files() ? index : index - train.files(); }
  std::vector<std::byte> bytes(uint64_t index) const {
    std::vector<std::byte> expected(set_of(index).file_bytes(number_of(index)));
    set_of(index).content(number_of(index)).fill(0, expected);
    return expected;
  }

  GenerateRequest request(storage::Store& store, uint32_t workers, uint32_t depth = 1, uint64_t part = 1000) const {
    GenerateRequest request;
    request.model = "small";
    request.train = &train;
    request.eval = &eval;
    request.store = &store;
    request.writes = {workers, depth, part, workers * depth * part};
    request.manifest.model = "small";
    request.manifest.num_files_train = train.files();
    request.manifest.num_samples_per_file = 1;
    request.manifest.record_length_bytes = 2500;
    request.manifest.created_at = "2026-11-23T05:00:00Z";
    request.manifest.tool_version = "0.1.0";
    request.manifest.shape = kShape;
    request.manifest.seed = kSeed;
    request.index_files = has_index;
    request.invocation_start = Stamp::now();
    return request;
  }

  PlainFormat format;
  Dataset train, eval;
  bool has_index;
};

inline GenerateRecord run(GenerateRequest request, bool resume = false) {
  if (resume) {
    const auto state = inspect_destination(*request.store, request.manifest.shape);
    EXPECT_TRUE(state) << render(state.error());
    if (state) request.destination = *state;
  }
  world::LocalTransport transport;
  return generate(request, transport);
}

inline std::string why(const GenerateRecord& record) {
  return record.error ? render(*record.error) : "no error";
}

inline void expect_whole(const MemoryStore& store, const Small& small) {
  const size_t per_file = small.has_index ? 2 : 1;
  EXPECT_EQ(store.blobs.size(), small.files() * per_file + 1) << "and the manifest";
  EXPECT_EQ(store.blobs.count(kJournalName), 0U);
  EXPECT_EQ(store.blobs.count(kManifestName), 1U);
  EXPECT_EQ(store.protocol_errors, 0);
  for (uint64_t index = 0; index < small.files(); ++index) {
    const auto found = store.blobs.find(small.name(index));
    ASSERT_NE(found, store.blobs.end()) << small.name(index);
    EXPECT_TRUE(found->second.complete) << small.name(index);
    EXPECT_EQ(found->second.bytes, small.bytes(index)) << small.name(index);
  }
}

inline void put_text(MemoryStore& store, const std::string& name, const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  store.blobs[name] = {{bytes.begin(), bytes.end()}, true};
}

inline std::string text_of(MemoryStore& store, const std::string& name) {
  const std::lock_guard lock(store.mutex);
  const auto& bytes = store.blobs.at(name).bytes;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mlps::training::test
