#include "benchmarks/vectordb/embedded.hpp"
namespace mlps::vectordb {
std::unique_ptr<SearchEngine> make_embedded_engine(storage::Store&, std::string) {
  return nullptr;
}
}  // namespace mlps::vectordb
