#include "benchmarks/vectordb/command/prepare.hpp"

#include <fmt/format.h>

#include "base/environment.hpp"
#include "benchmarks/vectordb/dataset.hpp"
#include "session/execution.hpp"

namespace mlps::cli {
namespace {

using vectordb::EngineKind;

/// What the embedded engine can't do with this storage.
Status check_storage(const VectorDbOptions& options, const Location& folder) {
  if (options.settings.engine != EngineKind::kEmbedded) return {};
  if (options.which == VectorDbCommand::kRun && folder.scheme() == Scheme::kNull) {
    return fail(ErrorCode::kConfigIncompatible, "--storage-root null:// with 'run'", {},
                "null:// keeps nothing that could be searched: it measures 'datagen' alone");
  }
  const bool many = options.hosts.hosts.size() > 1;
  if (options.which == VectorDbCommand::kDatagen && many) {
    return fail(ErrorCode::kConfigIncompatible, "--hosts with several hosts and 'datagen' of --vdb-engine embedded", {},
                "one host builds an index; leave --hosts out");
  }
  if (options.which == VectorDbCommand::kRun && many && options.settings.search.insert_rate > 0) {
    return fail(ErrorCode::kConfigIncompatible, "--insert-rate with several hosts and --vdb-engine embedded", {},
                "what one host inserts the others see after the next load; leave --hosts or --insert-rate out");
  }
  return {};
}

}  // namespace

tl::expected<PreparedVectorDb, std::vector<Error>> prepare_vectordb(const VectorDbOptions& options,
                                                                    const Environment& environment) {
  PreparedVectorDb prepared;
  vectordb::RunRequest& request = prepared.request;
  static_cast<vectordb::Settings&>(request) = options.settings;
  request.source = vectordb::fitted(request.source);
  request.searches = options.which == VectorDbCommand::kRun;
  if (request.searches) request.source = {};  // the collection tells it
  request.ranks = ranks_of(options).count;
  request.truth_folder = options.truth_folder.empty() ? "" : expanded_path(options.truth_folder, environment);
  request.injected_fault = options.inject_fault;
  const auto failed = [](Error error) { return tl::unexpected(std::vector<Error>{std::move(error)}); };
  const auto folder = folder_of(options, environment);
  if (!folder) return failed(folder.error());
  if (Status legal = check_storage(options, *folder); !legal) return failed(legal.error());
  auto store = open_store(*folder, options, environment);
  if (!store) return failed(store.error());
  prepared.store = std::move(*store);
  request.store = prepared.store.get();
  const bool reaches = options.which == VectorDbCommand::kDatagen || options.which == VectorDbCommand::kRun;
  if (!reaches || options.common.dry_run) return prepared;
  auto database = vectordb::open_database(request, *prepared.store);
  if (!database) return failed(database.error());
  prepared.database = std::move(*database);
  request.database = prepared.database.get();
  return prepared;
}

}  // namespace mlps::cli
