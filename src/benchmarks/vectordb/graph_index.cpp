#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/crc.hpp"
#include "base/threads.hpp"
#include "benchmarks/vectordb/graph_file.hpp"
#include "benchmarks/vectordb/graph_search.hpp"
#include "benchmarks/vectordb/index.hpp"
#include "benchmarks/vectordb/object_reads.hpp"
#include "benchmarks/vectordb/pages.hpp"
#include "benchmarks/vectordb/vamana.hpp"
#include "payload/mix.hpp"

namespace mlps::vectordb {
namespace {

constexpr std::string_view kMemoryFile = "index.memory", kPageFile = "index.pages", kGraphFile = "build.graph";
/// Rows that codes are learnt from, and that stand for queries when the pages to cache are chosen.
constexpr uint32_t kTrainingRows = 65536, kHeatSearches = 5000;
/// One in so many rows is in the navigation graph, whose degree and build list are these.
constexpr uint32_t kRowsPerEntry = 64, kEntryDegree = 16, kEntryList = 32;
constexpr uint32_t kDefaultBeam = 1;

uint32_t code_bytes_of(const CollectionSpec& spec, uint32_t dimension) {
  const uint32_t wanted = spec.code_bytes != 0 ? spec.code_bytes : std::clamp(dimension * 4 / 8, 1U, 512U);
  return std::min(wanted, dimension);
}

/// Pages as they will be stored, made from what the build has in memory.
class BuiltPages final : public PageReader {
 public:
  BuiltPages(const PageShape& shape, const PageContent& content, uint64_t number)
      : shape_(shape), content_(content), number_(number) {}
  Status read(std::span<const uint32_t> pages, std::span<std::byte* const> to, QueryCost&) override {
    for (size_t i = 0; i < pages.size(); ++i) fill_page(shape_, content_, number_, pages[i], to[i]);
    return {};
  }

 private:
  const PageShape& shape_;
  const PageContent& content_;
  uint64_t number_;
};

class GraphIndexBuilder {
 public:
  GraphIndexBuilder(const IndexInput& input, ObjectFiles& files) : input_(input), files_(files) {
    index_.shape = {.nodes = static_cast<uint32_t>(input.rows.rows()),
                    .dimension = input.rows.dimension(),
                    .degree = input.spec.max_degree,
                    .code_bytes = code_bytes_of(input.spec, input.rows.dimension()),
                    .inline_codes = input.spec.index == IndexKind::kAiSaq};
    index_.number =
        payload::mix64(static_cast<uint64_t>(Stamp::now().wall_us)) ^ payload::mix64(static_cast<uint64_t>(now_ns()));
  }

  Result<uint64_t> build() {
    for (const auto step : {&GraphIndexBuilder::make_codes, &GraphIndexBuilder::make_graph, &GraphIndexBuilder::order,
                            &GraphIndexBuilder::make_entries, &GraphIndexBuilder::store}) {
      if (input_.options.stop != nullptr && *input_.options.stop) {
        return fail(ErrorCode::kInterrupted, "build of the index: stopped before its end");
      }
      if (auto done = (this->*step)(); !done) return fail(done.error());
    }
    return stored_bytes_;
  }

 private:
  void tell(std::string_view step, uint64_t done, uint64_t total) const {
    if (input_.options.progress) input_.options.progress(step, done, total);
  }
  unsigned threads() const { return std::max(1U, input_.options.threads); }
  uint32_t nodes() const { return index_.shape.nodes; }

  Status make_codes() {
    tell("codes", 0, nodes());
    const uint32_t count = std::min(nodes(), kTrainingRows);
    VectorBlock sample(index_.shape.dimension, count);
    for (uint32_t i = 0; i < count; ++i) {
      const auto row = input_.rows.row(uint64_t{i} * nodes() / count);
      std::copy(row.begin(), row.end(), sample.row(i).begin());
    }
    auto trained = Quantiser::train(sample.view(), index_.shape.code_bytes, input_.spec.seed, threads());
    if (!trained) return fail(trained.error());
    index_.quantiser = std::move(*trained);
    codes_.resize(uint64_t{nodes()} * index_.shape.code_bytes);
    std::atomic<uint32_t> next = 0;
    return run_on_threads(threads(), {.name = "code threads"}, [&](size_t) {
      for (uint32_t at; (at = next.fetch_add(256)) < nodes();) {
        for (uint32_t i = at; i < std::min(nodes(), at + 256); ++i) {
          index_.quantiser.encode(input_.rows.row(i), codes_.data() + size_t{i} * index_.shape.code_bytes);
        }
      }
    });
  }

  /// What a stored graph must have been made from to be of use.
  uint64_t input_number() const {
    const auto& spec = input_.spec;
    const std::array<uint64_t, 5> parts{spec.max_degree, spec.search_list_size, spec.seed, nodes(),
                                        crc64nvme(std::as_bytes(input_.rows.values()))};
    return crc64nvme(std::as_bytes(std::span(parts)));
  }

  Status make_graph() {
    const std::string file = fmt::format("{}.{:016x}", kGraphFile, input_number());
    auto there = files_.is_there(file);
    if (!there) return fail(there.error());
    if (*there) {
      if (auto bytes = files_.read_checked(file)) {
        if (auto graph = parse_graph(*bytes);
            graph && graph->nodes() == nodes() && graph->degree == index_.shape.degree) {
          graph_ = std::move(*graph);
          graph_file_ = file;
          return {};
        }
      }
    }
    auto built =
        build_graph(input_.rows, {.degree = input_.spec.max_degree,
                                  .list = std::max(input_.spec.search_list_size, input_.spec.max_degree),
                                  .threads = threads(),
                                  .seed = input_.spec.seed,
                                  .progress = [&](uint64_t done, uint64_t total) { tell("graph", done, total); },
                                  .stop = input_.options.stop});
    if (!built) return fail(built.error());
    graph_ = std::move(*built);
    graph_file_ = file;
    return files_.write_checked(file, serialise(graph_));
  }

  Status order() {
    tell("pages", 0, index_.shape.pages());
    order_ = order_into_pages(input_.rows, graph_, index_.shape.nodes_per_page());
    positions_.resize(nodes());
    for (uint32_t i = 0; i < nodes(); ++i) positions_[order_[i]] = i;
    if (index_.shape.inline_codes) return {};
    index_.codes.resize(codes_.size());
    for (uint32_t i = 0; i < nodes(); ++i)
      copy_code(order_[i], index_.codes.data() + size_t{i} * index_.shape.code_bytes);
    return {};
  }
  void copy_code(uint32_t row, uint8_t* to) const {
    std::copy_n(codes_.data() + size_t{row} * index_.shape.code_bytes, index_.shape.code_bytes, to);
  }

  Status make_entries() {
    tell("navigation", 0, 1);
    const uint32_t count = std::min(nodes(), std::max(32U, nodes() / kRowsPerEntry));
    VectorBlock rows(index_.shape.dimension, count);
    index_.entry_codes.resize(size_t{count} * index_.shape.code_bytes);
    for (uint32_t i = 0; i < count; ++i) {
      const auto row = static_cast<uint32_t>(uint64_t{i} * nodes() / count);
      const auto values = input_.rows.row(row);
      std::copy(values.begin(), values.end(), rows.row(i).begin());
      index_.entries.push_back(positions_[row]);
      copy_code(row, index_.entry_codes.data() + size_t{i} * index_.shape.code_bytes);
    }
    auto graph = build_graph(rows.view(), {.degree = kEntryDegree,
                                           .list = kEntryList,
                                           .threads = threads(),
                                           .seed = input_.spec.seed,
                                           .stop = input_.options.stop});
    if (!graph) return fail(graph.error());
    index_.entry_graph = std::move(*graph);
    return {};
  }

  /// Has some rows searched for as if they were queries, and puts the pages in the order in which these need them.
  Status find_hot_pages(PageReader& pages) {
    std::vector<uint32_t> uses(index_.shape.pages());
    GraphSearch search(index_, pages);
    QueryCost cost;
    const uint32_t count = std::min(nodes(), kHeatSearches);
    for (uint32_t i = 0; i < count; ++i) {
      const auto row = input_.rows.row(uint64_t{i} * nodes() / count);
      if (auto done = search.search(row, {.list = input_.spec.search_list_size}, cost); !done) return done;
      for (const uint32_t page : search.used_pages()) ++uses[page];
      if (i % 256 == 0) tell("cache", i, count);
    }
    index_.hot_pages.resize(uses.size());
    std::iota(index_.hot_pages.begin(), index_.hot_pages.end(), 0U);
    std::stable_sort(index_.hot_pages.begin(), index_.hot_pages.end(),
                     [&](uint32_t a, uint32_t b) { return uses[a] > uses[b]; });
    return {};
  }

  Status store() {
    const PageContent content{input_.rows, graph_, input_.keys, order_, positions_, codes_};
    BuiltPages pages(index_.shape, content, index_.number);
    if (auto found = find_hot_pages(pages); !found) return found;
    const uint64_t page_bytes = index_.shape.page_bytes();
    auto written = files_.write_parts(
        kPageFile, index_.shape.bytes(), page_bytes, [&](uint64_t offset, std::span<std::byte> part) {
          for (uint64_t at = 0; at < part.size(); at += page_bytes) {
            fill_page(index_.shape, content, index_.number, static_cast<uint32_t>((offset + at) / page_bytes),
                      part.data() + at);
          }
          tell("pages", (offset + part.size()) / page_bytes, index_.shape.pages());
        });
    if (!written) return written;
    auto memory = serialise(index_);
    stored_bytes_ = index_.shape.bytes() + memory.size();
    written = files_.write_checked(kMemoryFile, std::move(memory));
    if (!written) return written;
    return files_.remove(graph_file_);
  }

  const IndexInput& input_;
  ObjectFiles& files_;
  GraphIndex index_;
  std::vector<uint8_t> codes_;  ///< of each row
  Graph graph_;
  std::string graph_file_;
  std::vector<uint32_t> order_, positions_;
  uint64_t stored_bytes_ = 0;
};

/// Reads pages from the store.
class StoredPages final : public PageReader {
 public:
  StoredPages(const GraphIndex& index, std::unique_ptr<ObjectReads> reads) : index_(index), reads_(std::move(reads)) {}

  Status read(std::span<const uint32_t> pages, std::span<std::byte* const> to, QueryCost& cost) override {
    const uint64_t bytes = index_.shape.page_bytes();
    ranges_.clear();
    for (size_t i = 0; i < pages.size(); ++i)
      ranges_.push_back({.offset = pages[i] * bytes, .bytes = bytes, .to = to[i]});
    if (auto done = reads_->read(ranges_, cost); !done) return done;
    for (size_t i = 0; i < pages.size(); ++i) {
      if (auto legal = check_page(index_.shape, index_.number, pages[i], to[i]); !legal) return legal;
    }
    return {};
  }
  void cancel() { reads_->cancel(); }

 private:
  const GraphIndex& index_;
  std::unique_ptr<ObjectReads> reads_;
  std::vector<ObjectReads::Range> ranges_;
};

class GraphIndexSearch final : public IndexSearch {
 public:
  GraphIndexSearch(const GraphIndex& index, std::unique_ptr<StoredPages> pages)
      : pages_(std::move(pages)), search_(index, *pages_), nodes_(index.shape.nodes) {}

  Status search(std::span<const float> query, const SearchParams& params, std::vector<FoundRow>& found,
                QueryCost& cost) override {
    const uint32_t beam = params.beam_width == 0 ? kDefaultBeam : std::min(params.beam_width, ObjectReads::kDepth);
    auto done = search_.search(query, {params.k, widened_effort(params, nodes_), beam, params.filter}, cost);
    found.clear();
    for (const auto& row : search_.found()) found.push_back({row.distance, row.key});
    return done;
  }
  void cancel() override { pages_->cancel(); }

 private:
  std::unique_ptr<StoredPages> pages_;
  GraphSearch search_;
  uint32_t nodes_;
};

class LoadedGraphIndex final : public LoadedIndex {
 public:
  LoadedGraphIndex(GraphIndex index, ObjectFiles& files)
      : index_(std::move(index)), object_(files, kPageFile, index_.shape.bytes(), kPageUnit) {}

  Status open(uint64_t cache_bytes) {
    if (auto opened = object_.open(); !opened) return opened;
    return fill_cache(cache_bytes);
  }

  Result<std::unique_ptr<IndexSearch>> open_search() override {
    auto pages = open_pages();
    if (!pages) return fail(pages.error());
    return std::make_unique<GraphIndexSearch>(index_, std::move(*pages));
  }
  uint64_t memory_bytes() const override { return index_.memory_bytes(); }

 private:
  Result<std::unique_ptr<StoredPages>> open_pages() {
    auto reads = object_.open_reads();
    if (!reads) return fail(reads.error());
    return std::make_unique<StoredPages>(index_, std::move(*reads));
  }

  Status fill_cache(uint64_t cache_bytes) {
    const uint64_t page_bytes = index_.shape.page_bytes();
    const size_t count = std::min<uint64_t>(cache_bytes / page_bytes, index_.hot_pages.size());
    auto reader = open_pages();
    if (!reader) return fail(reader.error());
    auto cache = AlignedBuffer::allocate(std::max<size_t>(1, count * page_bytes));
    if (!cache) return fail(cache.error());
    QueryCost cost;
    constexpr size_t kAtOnce = 64;
    for (size_t at = 0; at < count; at += kAtOnce) {
      const size_t some = std::min(kAtOnce, count - at);
      std::vector<std::byte*> places;
      for (size_t i = 0; i < some; ++i) places.push_back(cache->data() + (at + i) * page_bytes);
      const auto pages = std::span<const uint32_t>(index_.hot_pages).subspan(at, some);
      if (auto read = (*reader)->read(pages, places, cost); !read) return read;
    }
    if (count != 0) index_.cached_at.assign(index_.shape.pages(), kNoNode);
    for (size_t i = 0; i < count; ++i) index_.cached_at[index_.hot_pages[i]] = static_cast<uint32_t>(i);
    index_.cache = std::move(*cache);
    index_.hot_pages = {};
    return {};
  }

  GraphIndex index_;
  ReadableObject object_;
};

}  // namespace

Result<uint64_t> build_graph_index(const IndexInput& input, ObjectFiles& files) {
  if (auto removed = files.remove(kMemoryFile); !removed) return fail(removed.error());
  return GraphIndexBuilder(input, files).build();
}

Result<std::unique_ptr<LoadedIndex>> load_graph_index(const CollectionSpec& spec, uint32_t stored_dimension,
                                                      const LoadOptions& options, ObjectFiles& files) {
  auto bytes = files.read_checked(kMemoryFile);
  if (!bytes) return fail(bytes.error());
  auto index = parse_graph_index(*bytes);
  if (!index) return fail(index.error());
  if (index->shape.dimension != stored_dimension || index->shape.degree != spec.max_degree ||
      index->shape.inline_codes != (spec.index == IndexKind::kAiSaq)) {
    return fail(ErrorCode::kDataMismatch, fmt::format("{} is of another collection", files.path(kMemoryFile)));
  }
  auto loaded = std::make_unique<LoadedGraphIndex>(std::move(*index), files);
  if (auto opened = loaded->open(options.cache_bytes); !opened) return fail(opened.error());
  return loaded;
}

uint64_t graph_index_build_bytes(const CollectionSpec& spec, uint64_t rows, unsigned threads) {
  const uint64_t codes = rows * code_bytes_of(spec, spec.dimension) * 2;
  return codes + rows * 8 + graph_build_bytes(rows, {.degree = spec.max_degree, .threads = threads});
}

}  // namespace mlps::vectordb
