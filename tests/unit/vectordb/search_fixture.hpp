#pragma once

#include "benchmarks/vectordb/record.hpp"

namespace mlps::vectordb::test {

constexpr Nanos kMs = 1'000'000;

/// Returns a record of a closed search that keeps every rule: two workers, two searches of two queries each.
inline RunRecord closed_search() {
  RunRecord record;
  record.searches = true;
  record.ranks = 2;
  record.hosts.resize(1);
  record.hosts.front().ranks = 2;
  record.collection.name = "c";
  record.source.rows = record.facts.rows = record.truth.rows = 1'000'000;
  record.source.dimension = 1536;
  record.search.workers = 2;
  record.search.batch = 2;
  record.search.runtime_s = 1;
  record.storage_root = "/mnt/milvus";
  record.storage_type = "local_fs";
  record.truth.rows_checked = record.truth.rows_right = 16;
  record.windows = {{200, std::nullopt, true}};
  for (uint32_t rank = 0; rank < 2; ++rank) {
    WorkerWindow worker;
    worker.rank = rank;
    worker.start = {1000 * kMs + rank * 100 * kMs, 1'000'000};
    worker.batches = {{0, 10 * kMs, 2, true}, {20 * kMs, 30 * kMs, 2, true}};
    worker.answered = worker.completed = 4;
    worker.recall_sum = worker.exact_sum = rank == 0 ? 2.0 : 3.0;
    worker.recall1_sum = 4;
    worker.first_answers = {{rank, 0.5, 0.5}, {7, rank == 0 ? 0.2 : 0.9, 0.2}};
    record.workers.push_back(worker);
  }
  HostWindow host;
  host.seconds = 1;
  host.cpu_user_s = 0.001;
  record.host_windows = {host};
  return record;
}

}  // namespace mlps::vectordb::test
