// Recall against reads and processor time of an embedded index, over vectors in files of float32 without heads:
//   index_curve FOLDER DIMENSION INDEX STORE [degree=32] [list=50] [code=32] [cache=0] [beam=1] [efforts=10,20,...]
//   [threads=1]
// FOLDER holds base.f32 and query.f32; STORE is a location that gets the collection (kept, and used again). Prints one
// line for each effort; processor time is that of one thread, one query at a time.
#include <fmt/format.h>
#include <time.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "benchmarks/vectordb/embedded.hpp"
#include "storage/open.hpp"

namespace {

using namespace mlps;
using namespace mlps::vectordb;

VectorBlock read_file(const std::string& path, uint32_t dimension) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto bytes = static_cast<size_t>(file.tellg());
  VectorBlock block(dimension, bytes / sizeof(float) / dimension);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(block.values.data()), static_cast<std::streamsize>(bytes));
  if (!file) throw std::runtime_error(path + " can't be read");
  return block;
}

class BlockSource final : public VectorSource {
 public:
  explicit BlockSource(const VectorBlock& rows) : rows_(rows) {}
  uint64_t rows() const override { return rows_.rows(); }
  uint32_t dimension() const override { return rows_.dimension; }
  std::string identity() const override { return "file"; }
  Status read(uint64_t first, std::span<float> out) const override {
    std::copy_n(rows_.values.data() + first * rows_.dimension, out.size(), out.data());
    return {};
  }

 private:
  const VectorBlock& rows_;
};

double thread_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(render(result.error()));
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

void measure(SearchEngine& engine, VectorView queries, const GroundTruth& truth, const SearchParams& params) {
  auto session = must(engine.open_session());
  SearchAnswers answers;
  QueryCost cost;
  double recall = 0, seconds = 0;
  for (size_t q = 0; q < queries.rows(); ++q) {
    const double begin = thread_seconds();
    must(session->search(queries.slice(q, 1), params, answers));
    seconds += thread_seconds() - begin;
    merge(cost, answers.cost);
    std::vector<uint64_t> keys;
    for (const auto& found : answers.of(0)) keys.push_back(found.key);
    recall += recall_of(truth.of(q), keys, params.k);
  }
  const auto count = static_cast<double>(queries.rows());
  const auto mean = [&](uint64_t sum) { return static_cast<double>(sum) / count; };
  fmt::print(
      "effort {:4} recall@{} {:6.2f} % reads {:6.1f} KiB {:7.1f} rounds {:6.1f} hits {:5.1f} scored {:6.0f} cpu "
      "{:6.1f} us\n",
      params.effort, params.k, recall / count * 100, mean(cost.reads), mean(cost.bytes) / 1024, mean(cost.rounds),
      mean(cost.cache_hits), mean(cost.scored), seconds / count * 1e6);
}

void run(int count, char** words) {
  std::map<std::string, std::string> options;
  for (int i = 5; i < count; ++i) {
    const std::string word = words[i];
    options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  const auto number = [&](const std::string& name, uint64_t otherwise) {
    return options.contains(name) ? std::stoull(options[name]) : otherwise;
  };
  const std::string folder = words[1];
  const auto dimension = static_cast<uint32_t>(std::stoul(words[2]));
  const auto base = read_file(folder + "/base.f32", dimension), queries = read_file(folder + "/query.f32", dimension);
  CollectionSpec spec;
  spec.dimension = dimension;
  spec.expected_rows = base.rows();
  spec.index = index_of(words[3]).value();
  spec.max_degree = static_cast<uint32_t>(number("degree", 32));
  spec.search_list_size = static_cast<uint32_t>(number("list", 50));
  spec.code_bytes = static_cast<uint32_t>(number("code", 32));
  const auto threads = static_cast<unsigned>(number("threads", 1));
  const auto store = must(storage::open_store(must(parse_location(words[4])), {}, Environment::of_process()));
  auto engine = make_embedded_engine(*store, std::string(index_name(spec.index)));
  if (!must(engine->exists())) {
    must(engine->create(spec));
    must(engine->insert(0, base.view()));
    timespec begin, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    must(engine->build({.threads = threads}));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    fmt::print("build {} s of processor time\n", end.tv_sec - begin.tv_sec);
  }
  must(engine->load({.cache_bytes = number("cache", 0)}));
  const auto facts = must(engine->facts());
  fmt::print("index {:.1f} MB on storage, {:.2f} MB in memory\n",
             static_cast<double>(facts.index_bytes.value_or(0)) / 1e6,
             static_cast<double>(facts.memory_bytes.value_or(0)) / 1e6);
  const auto truth = must(compute_truth(BlockSource(base), queries.view(), {.k = 10, .threads = threads}));
  std::stringstream efforts(options.contains("efforts") ? options["efforts"] : "10,15,20,25,30,40,50,60,80,100");
  for (std::string effort; std::getline(efforts, effort, ',');) {
    measure(*engine, queries.view(), truth,
            {.k = 10,
             .effort = static_cast<uint32_t>(std::stoul(effort)),
             .beam_width = static_cast<uint32_t>(number("beam", 1))});
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 5) {
    std::fputs("usage: index_curve FOLDER DIMENSION INDEX STORE [name=value...]\n", stderr);
    return 2;
  }
  try {
    run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "index_curve: %s\n", error.what());
    return 1;
  }
  return 0;
}
