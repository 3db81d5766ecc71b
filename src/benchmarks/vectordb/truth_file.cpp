#include <fmt/format.h>

#include "base/crc.hpp"
#include "benchmarks/vectordb/binary.hpp"
#include "benchmarks/vectordb/truth.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint64_t kTruthMark = 0x31544754'53504c4d;  // "MLPSTGT1"
constexpr uint32_t kMostIdentity = 65536;

tl::unexpected<Error> damaged_truth(std::string_view what) {
  return fail(ErrorCode::kDataMismatch, fmt::format("stored ground truth: {}", what), {},
              "delete the file; ground truth is computed anew");
}

}  // namespace

std::vector<std::byte> serialise(const GroundTruth& truth) {
  BinaryWriter out;
  out.put(kTruthMark);
  out.put_text(truth.identity);
  out.put(truth.rows);
  out.put(truth.k);
  out.put(truth.per_query);
  out.put(uint64_t{truth.queries()});
  for (const Neighbour& neighbour : truth.neighbours) {
    out.put(neighbour.key);
    out.put(neighbour.score);
  }
  out.put(crc64nvme(out.bytes()));
  return std::move(out.bytes());
}

Result<GroundTruth> parse_truth(std::span<const std::byte> bytes) {
  if (bytes.size() < 2 * sizeof(uint64_t)) return damaged_truth(fmt::format("{} bytes are too few", bytes.size()));
  const auto body = bytes.first(bytes.size() - sizeof(uint64_t));
  BinaryReader in(body);
  if (in.take<uint64_t>() != kTruthMark) return damaged_truth("not a file of ground truth, or of another version");
  if (BinaryReader(bytes.last(sizeof(uint64_t))).take<uint64_t>() != crc64nvme(body)) {
    return damaged_truth("its checksum is wrong: the file is cut off or damaged");
  }
  GroundTruth truth;
  truth.identity = in.take_text(kMostIdentity);
  truth.rows = in.take<uint64_t>();
  truth.k = in.take<uint32_t>();
  truth.per_query = in.take<uint32_t>();
  const auto queries = in.take<uint64_t>();
  constexpr size_t kEntry = sizeof(uint64_t) + sizeof(float);
  if (!in.is_valid() || truth.per_query > truth.k || (truth.per_query == 0 && queries != 0) ||
      in.left() % kEntry != 0 || (truth.per_query != 0 && in.left() / kEntry / truth.per_query != queries) ||
      in.left() / kEntry != queries * truth.per_query) {
    return damaged_truth("its sizes do not fit together");
  }
  truth.neighbours.resize(in.left() / kEntry);
  for (Neighbour& neighbour : truth.neighbours) {
    neighbour.key = in.take<uint64_t>();
    neighbour.score = in.take<float>();
  }
  return truth;
}

}  // namespace mlps::vectordb
