#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "storage/store.hpp"

namespace mlps::vectordb {

/// Returns the engine of this program itself for the collection of that name, which is a folder of objects below the
/// root of `store`; the store must outlive it. Needs no server. No I/O is done before exists(), create() or load().
std::unique_ptr<SearchEngine> make_embedded_engine(storage::Store& store, std::string collection);

}  // namespace mlps::vectordb
