#include "benchmarks/vectordb/database.hpp"

#include <span>
#include <utility>

#include "benchmarks/vectordb/embedded.hpp"
#include "benchmarks/vectordb/servers/servers.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint64_t kMostDescription = 64 << 10;

/// The description is an object beside the folder of the collection.
class EmbeddedDatabase final : public Database {
 public:
  EmbeddedDatabase(storage::Store& store, const std::string& collection)
      : store_(store), name_(collection + ".dataset.json"), engine_(make_embedded_engine(store, collection)) {}

  SearchEngine& engine() override { return *engine_; }

  Status describe(const std::string& text) override {
    auto session = store_.open_session(1);
    if (!session) return fail(session.error());
    return (*session)->put(name_, std::as_bytes(std::span(text)));
  }

  Result<std::string> description() override {
    auto session = store_.open_session(1);
    if (!session) return fail(session.error());
    const auto bytes = storage::get_whole(**session, name_, kMostDescription);
    if (!bytes) {
      if (bytes.error().code != ErrorCode::kStorageNotFound) return fail(bytes.error());
      return std::string();
    }
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

 private:
  storage::Store& store_;
  std::string name_;
  std::unique_ptr<SearchEngine> engine_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_database(const Settings& settings, storage::Store& store) {
  switch (settings.engine) {
    case EngineKind::kEmbedded:
      return std::make_unique<EmbeddedDatabase>(store, settings.collection.name);
    case EngineKind::kMilvus:
      return make_milvus(settings);
    case EngineKind::kPgvector:
      return make_pgvector(settings);
    case EngineKind::kElasticsearch:
    case EngineKind::kOpensearch:
      return make_elastic(settings);
  }
  return fail(ErrorCode::kInternal, "no engine");
}

}  // namespace mlps::vectordb
