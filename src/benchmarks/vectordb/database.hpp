#pragma once

#include <memory>
#include <string>

#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/settings.hpp"
#include "storage/store.hpp"

namespace mlps::vectordb {

/// A collection that describes its vectors: a SearchEngine with a text beside it.
class Database {
 public:
  virtual ~Database() = default;
  virtual SearchEngine& engine() = 0;
  /// Keeps a text with the collection that SearchEngine::create() makes next; to be called before it.
  virtual Status describe(const std::string& text) = 0;
  /// Returns that text; empty if the collection has none. E603 if there is no collection.
  virtual Result<std::string> description() = 0;
  /// Returns name and version of the server as it tells them; empty of the embedded engine.
  virtual std::string server_version() { return {}; }
};

/// Opens the engine of the settings: for the embedded one on `store`, which must outlive it. No I/O is done; a server
/// is spoken to by the first call.
Result<std::unique_ptr<Database>> open_database(const Settings& settings, storage::Store& store);

}  // namespace mlps::vectordb
