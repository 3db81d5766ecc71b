#pragma once

#include <memory>
#include <string>

#include "benchmarks/vectordb/files/row_file.hpp"

namespace mlps::vectordb {

/// Opens a Parquet file whose column `part` (empty: its only one) has in each row a list of numbers, of one length. A
/// row group is decoded as a whole; the last four are kept. For hostile input: E606 for what is damaged, E102 for
/// what is not read.
Result<std::unique_ptr<RowFile>> open_parquet(std::unique_ptr<FileBytes> bytes, const std::string& part);

}  // namespace mlps::vectordb
