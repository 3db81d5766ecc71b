#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// Several deletions in one request of the JSON API: a body of MIME parts, each of which holds an HTTP request, and an
/// answer of MIME parts, each of which holds an HTTP answer.
namespace mlps::gcs {

inline constexpr size_t kMaxBatch = 100;  ///< requests in one

/// The value of Content-Type that goes with deletion_batch().
inline constexpr std::string_view kBatchContentType = "multipart/mixed; boundary=mlpstorage-batch";

/// Returns the body that deletes the objects with these paths (encoded, beginning with '/').
std::string deletion_batch(std::span<const std::string> paths);

/// One answer of a batch.
struct BatchAnswer {
  int status = 0;
  std::string body;
};

/// Reads the answer to a batch. E605 if it isn't one with exactly `wanted` answers.
Result<std::vector<BatchAnswer>> parse_batch_answer(std::string_view content_type, std::string_view body,
                                                    size_t wanted);

}  // namespace mlps::gcs
