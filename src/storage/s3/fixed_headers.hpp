#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/object/call.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// A header that goes with every request of some kinds: encryption, storage class, who pays, and the user's own.
struct FixedHeader {
  std::string name;    ///< lower case
  std::string value;   ///< as it is signed: without blanks at its ends, single ones inside
  uint32_t kinds = 0;  ///< bit by object::CallKind

  bool goes_with(object::CallKind kind) const { return (kinds >> static_cast<unsigned>(kind) & 1U) != 0; }
};

/// The headers, sorted by name, and what people are shown of them: never a key, and of their own headers the names.
struct FixedHeaders {
  std::vector<FixedHeader> all;
  storage::SettingList shown;
};

/// Returns what MLPSTORAGE_S3_SSE and its kin ask for. E102, E103 and E105 name the variable.
Result<FixedHeaders> fixed_headers(const Environment& environment);

}  // namespace mlps::s3
