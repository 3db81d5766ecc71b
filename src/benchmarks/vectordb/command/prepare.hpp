#pragma once

#include <memory>
#include <vector>

#include "benchmarks/vectordb/command/options.hpp"
#include "benchmarks/vectordb/run.hpp"
#include "storage/store.hpp"

namespace mlps::cli {

/// Holds a vectordb command in which everything is decided that can be without touching storage or server.
struct PreparedVectorDb {
  std::unique_ptr<storage::Store> store;         ///< of --storage-root, or null://
  std::unique_ptr<vectordb::Database> database;  ///< datagen and run
  vectordb::RunRequest request;
};

/// Makes the plan and opens store and engine; nothing is sent. Returns every failure found.
tl::expected<PreparedVectorDb, std::vector<Error>> prepare_vectordb(const VectorDbOptions& options,
                                                                    const Environment& environment);

}  // namespace mlps::cli
