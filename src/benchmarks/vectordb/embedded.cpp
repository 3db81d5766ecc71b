#include "benchmarks/vectordb/embedded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/process_usage.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/vectordb/collection.hpp"
#include "benchmarks/vectordb/embedded_session.hpp"

namespace mlps::vectordb {
namespace {

constexpr std::string_view kDescription = "collection";
using Segment = CollectionDescription::Segment;

class EmbeddedEngine final : public SearchEngine {
 public:
  EmbeddedEngine(storage::Store& store, std::string collection) : name_(std::move(collection)), files_(store, name_) {}

  std::string_view name() const override { return "embedded"; }
  Result<bool> exists() override { return files_.is_there(kDescription); }
  Status create(const CollectionSpec& spec) override;
  Status drop() override;
  Status insert(uint64_t first_key, VectorView vectors) override;
  Status flush() override;
  Status build(const BuildOptions& options) override;
  Status load(const LoadOptions& options) override;
  Status release() override {
    loaded_.reset();
    fresh_.clear();
    return {};
  }
  Result<CollectionFacts> facts() override;
  Result<std::unique_ptr<SearchSession>> open_session() override;

 private:
  Status describe();  ///< makes described_ what storage has
  Status store_description() { return files_.write_checked(kDescription, serialise(*described_)); }
  MetricSpace space() const { return {described_->spec.metric, described_->spec.dimension, described_->longest}; }
  Status merge_segments(const std::vector<Segment>& fresh);
  Result<FlatRows> read_rows(const std::vector<Segment>& segments, unsigned threads, bool find_longest);
  Status load_rows();
  Status check_build_memory(const BuildOptions& options) const;

  std::string name_;
  ObjectFiles files_;
  std::mutex mutex_;  ///< of described_ and writer_ when they are made
  std::optional<CollectionDescription> described_;
  std::unique_ptr<SegmentWriter> writer_;
  std::unique_ptr<LoadedIndex> loaded_;
  FreshRows fresh_;
};

Status check_spec(const CollectionSpec& spec) {
  const auto out_of_range = [](std::string_view what, uint64_t value, uint64_t low, uint64_t high) -> Status {
    if (value >= low && value <= high) return {};
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("collection of the embedded engine: {} {} is not from {} to {}", what, value, low, high));
  };
  if (auto legal = out_of_range("dimension", spec.dimension, 1, kMaxDimension); !legal) return legal;
  if (auto legal = out_of_range("number of vectors", spec.expected_rows, 0, UINT32_MAX - 1); !legal) return legal;
  switch (spec.index) {
    case IndexKind::kFlat:
      return {};
    case IndexKind::kHnsw:
      if (auto legal = out_of_range("M", spec.m, 2, 512); !legal) return legal;
      return out_of_range("efConstruction", spec.ef_construction, 1, 100'000);
    case IndexKind::kDiskAnn:
    case IndexKind::kAiSaq:
      if (auto legal = out_of_range("max_degree", spec.max_degree, 2, 512); !legal) return legal;
      if (auto legal = out_of_range("search_list_size", spec.search_list_size, 1, 100'000); !legal) return legal;
      return out_of_range("code bytes", spec.code_bytes, 0, spec.dimension);
    case IndexKind::kIvfFlat:
    case IndexKind::kIvfSq8:
      return out_of_range("number of lists", spec.lists, 1, 1U << 20);
  }
  return {};
}

bool is_ivf(IndexKind kind) {
  return kind == IndexKind::kIvfFlat || kind == IndexKind::kIvfSq8;
}

Result<uint64_t> build_index(const IndexInput& input, ObjectFiles& files) {
  if (input.spec.index == IndexKind::kHnsw) return build_hnsw(input, files);
  return is_ivf(input.spec.index) ? build_ivf(input, files) : build_graph_index(input, files);
}

Status EmbeddedEngine::create(const CollectionSpec& spec) {
  if (auto legal = check_spec(spec); !legal) return legal;
  auto there = exists();
  if (!there) return fail(there.error());
  if (*there)
    return fail(ErrorCode::kConfigInvalid, fmt::format("collection {} is there already", name_), {},
                "drop it first, or use another name");
  described_ = CollectionDescription{.spec = spec};
  described_->spec.name = name_;
  writer_ = std::make_unique<SegmentWriter>(files_, spec.dimension);
  return store_description();
}

Status EmbeddedEngine::drop() {
  if (auto released = release(); !released) return released;
  described_.reset();
  writer_.reset();
  return files_.remove_all();
}

Status EmbeddedEngine::describe() {
  std::lock_guard lock(mutex_);
  if (described_) return {};
  auto bytes = files_.read_checked(kDescription);
  if (!bytes) return fail(bytes.error());
  auto parsed = parse_collection(*bytes);
  if (!parsed) return fail(parsed.error());
  described_ = std::move(*parsed);
  if (!writer_) writer_ = std::make_unique<SegmentWriter>(files_, described_->spec.dimension);
  return {};
}

Status EmbeddedEngine::insert(uint64_t first_key, VectorView vectors) {
  if (auto described = describe(); !described) return described;
  if (vectors.dimension() != described_->spec.dimension) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("insert of vectors with {} dimensions into collection {}, which has {}",
                            vectors.dimension(), name_, described_->spec.dimension));
  }
  if (vectors.rows() == 0) return {};
  if (auto added = writer_->add(first_key, vectors); !added) return added;
  if (!loaded_) return {};
  FlatRows rows{VectorBlock(space().stored_dimension(), vectors.rows()), {}};
  for (size_t i = 0; i < vectors.rows(); ++i) {
    space().store_row(vectors.row(i), rows.rows.row(i).data());
    rows.keys.push_back(first_key + i);
  }
  fresh_.add(std::move(rows));
  return {};
}

/// Takes segments into the description; keys that come twice are an error, and nothing changes then.
Status EmbeddedEngine::merge_segments(const std::vector<Segment>& fresh) {
  auto all = described_->segments;
  for (const Segment& segment : fresh) {
    // The same rows once more, after an insert that was interrupted, took the place of the old object.
    std::erase_if(all,
                  [&](const Segment& old) { return old.first_key == segment.first_key && old.rows == segment.rows; });
    all.push_back(segment);
  }
  std::sort(all.begin(), all.end(), [](const Segment& a, const Segment& b) { return a.first_key < b.first_key; });
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].first_key >= all[i - 1].end()) continue;
    return fail(ErrorCode::kDataMismatch,
                fmt::format("collection {}: keys {} to {} were inserted twice", name_, all[i].first_key,
                            std::min(all[i].end(), all[i - 1].end()) - 1),
                {}, "keys must be unique; drop the collection and generate it again");
  }
  described_->segments = std::move(all);
  return {};
}

Status EmbeddedEngine::flush() {
  if (auto described = describe(); !described) return described;
  auto stored = writer_->flush();
  if (!stored) return fail(stored.error());
  if (auto merged = merge_segments(*stored); !merged) return merged;
  if (auto written = store_description(); !written) return written;
  return files_.store().flush();
}

Result<FlatRows> EmbeddedEngine::read_rows(const std::vector<Segment>& segments, unsigned threads, bool find_longest) {
  uint64_t count = 0;
  std::vector<uint64_t> first_row;
  for (const Segment& segment : segments) {
    first_row.push_back(count);
    count += segment.rows;
  }
  MetricSpace into = space();
  FlatRows all{VectorBlock(into.stored_dimension(), count), {}};
  all.keys.reserve(count);
  for (const Segment& segment : segments) {
    for (uint64_t i = 0; i < segment.rows; ++i) all.keys.push_back(segment.first_key + i);
  }
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> error;
  auto ran = run_on_threads(std::max(1U, threads), {.name = "segment readers"}, [&](size_t) {
    for (size_t at; (at = next++) < segments.size();) {
      const auto out =
          std::span(all.rows.values)
              .subspan(first_row[at] * into.stored_dimension(), segments[at].rows * into.stored_dimension());
      if (auto read = read_segment(files_, segments[at], into.dimension, into.stored_dimension(), out); !read) {
        std::lock_guard lock(mutex);
        error = read.error();
        return;
      }
    }
  });
  if (!ran) return fail(ran.error());
  if (error) return fail(*error);
  if (find_longest && into.metric == Metric::kInnerProduct) {
    float longest = 0;
    for (uint64_t i = 0; i < count; ++i)
      longest = std::max(longest, MetricSpace::length(all.rows.row(i).first(into.dimension)));
    described_->longest = into.longest = longest > 0 ? longest : 1;
  }
  for (uint64_t i = 0; i < count; ++i) into.store_row(all.rows.row(i).first(into.dimension), all.rows.row(i).data());
  return all;
}

Status EmbeddedEngine::check_build_memory(const BuildOptions& options) const {
  const uint64_t rows = described_->rows();
  if (rows > UINT32_MAX - 1)
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("collection {} has {} rows; an index holds at most {}", name_, rows, UINT32_MAX - 1));
  uint64_t needed = rows * (space().stored_dimension() * sizeof(float) + sizeof(uint64_t));
  const auto& spec = described_->spec;
  if (spec.index == IndexKind::kHnsw) needed += rows * (space().stored_dimension() + 4 * spec.m + 32) * sizeof(float);
  if (spec.index == IndexKind::kDiskAnn || spec.index == IndexKind::kAiSaq) {
    needed += graph_index_build_bytes(spec, rows, options.threads);
  }
  if (options.memory_bytes == 0 || needed <= options.memory_bytes) return {};
  return fail(
      ErrorCode::kConfigInvalid,
      fmt::format("the build of {} over {} rows needs {} of memory, more than the {} allowed",
                  index_name(described_->spec.index), rows, human_bytes(needed), human_bytes(options.memory_bytes)));
}

Status EmbeddedEngine::build(const BuildOptions& options) {
  if (auto flushed = flush(); !flushed) return flushed;
  if (!files_.store().traits().holds_objects) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("{} keeps nothing, so no index can be built there", files_.store().root().to_string()));
  }
  if (described_->segments.empty())
    return fail(ErrorCode::kConfigInvalid, fmt::format("collection {} has no rows to build an index of", name_));
  if (auto enough = check_build_memory(options); !enough) return enough;
  if (auto released = release(); !released) return released;
  auto rows = read_rows(described_->segments, options.threads, true);
  if (!rows) return fail(rows.error());
  described_->indexed.clear();
  described_->indexed_rows = 0;
  if (auto written = store_description(); !written) return written;
  described_->index_bytes = 0;
  if (described_->spec.index != IndexKind::kFlat) {
    const IndexInput input{described_->spec, rows->rows.view(), rows->keys, options};
    auto bytes = build_index(input, files_);
    if (!bytes) return fail(bytes.error());
    described_->index_bytes = *bytes;
  }
  described_->indexed = described_->segments;
  described_->indexed_rows = rows->keys.size();
  return store_description();
}

Status EmbeddedEngine::load(const LoadOptions& options) {
  described_.reset();  // another process may have built it meanwhile
  if (auto described = describe(); !described) return described;
  if (described_->indexed_rows == 0) {
    return fail(ErrorCode::kStorageNotFound,
                fmt::format("collection {} has {} rows and no index", name_, described_->rows()), {},
                "build it: run datagen to its end");
  }
  if (auto released = release(); !released) return released;
  const auto is_indexed = [&](const Segment& segment) {
    return std::any_of(described_->indexed.begin(), described_->indexed.end(), [&](const Segment& old) {
      return old.first_key == segment.first_key && old.rows == segment.rows;
    });
  };
  std::vector<Segment> fresh;
  std::copy_if(described_->segments.begin(), described_->segments.end(), std::back_inserter(fresh),
               [&](const Segment& s) { return !is_indexed(s); });
  if (!fresh.empty()) {
    auto rows = read_rows(fresh, 1, false);
    if (!rows) return fail(rows.error());
    fresh_.add(std::move(*rows));
  }
  if (described_->spec.index == IndexKind::kFlat || described_->spec.index == IndexKind::kHnsw) return load_rows();
  auto index = is_ivf(described_->spec.index)
                   ? load_ivf(described_->spec, space().stored_dimension(), files_)
                   : load_graph_index(described_->spec, space().stored_dimension(), options, files_);
  if (!index) return fail(index.error());
  loaded_ = std::move(*index);
  return {};
}

/// Loads an index that has the rows in memory.
Status EmbeddedEngine::load_rows() {
  auto rows = read_rows(described_->indexed, processors(), false);
  if (!rows) return fail(rows.error());
  if (described_->spec.index == IndexKind::kFlat) {
    loaded_ = make_flat_index(std::move(*rows));
    return {};
  }
  auto index = load_hnsw(std::move(*rows), files_);
  if (!index) return fail(index.error());
  loaded_ = std::move(*index);
  return {};
}

Result<CollectionFacts> EmbeddedEngine::facts() {
  if (auto described = describe(); !described) return fail(described.error());
  const CollectionSpec& spec = described_->spec;
  CollectionFacts facts{
      .rows = described_->rows(), .indexed_rows = described_->indexed_rows, .metric = spec.metric, .index = spec.index};
  facts.data_bytes = facts.rows * spec.dimension * sizeof(float);
  if (described_->indexed_rows != 0) facts.index_bytes = described_->index_bytes;
  if (loaded_) facts.memory_bytes = loaded_->memory_bytes();
  if (is_ivf(spec.index)) {
    facts.parameters = {{"nlist", std::to_string(spec.lists)}};
  } else if (spec.index == IndexKind::kHnsw) {
    facts.parameters = {{"M", std::to_string(spec.m)}, {"efConstruction", std::to_string(spec.ef_construction)}};
  } else if (spec.index != IndexKind::kFlat) {
    facts.parameters = {{"max_degree", std::to_string(spec.max_degree)},
                        {"search_list_size", std::to_string(spec.search_list_size)}};
  }
  return facts;
}

Result<std::unique_ptr<SearchSession>> EmbeddedEngine::open_session() {
  if (!loaded_) return fail(ErrorCode::kInternal, fmt::format("collection {} is not loaded", name_));
  auto search = loaded_->open_search();
  if (!search) return fail(search.error());
  return make_embedded_session(space(), std::move(*search), fresh_);
}

}  // namespace

std::unique_ptr<SearchEngine> make_embedded_engine(storage::Store& store, std::string collection) {
  return std::make_unique<EmbeddedEngine>(store, std::move(collection));
}

}  // namespace mlps::vectordb
