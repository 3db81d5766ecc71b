#include "world/gather_pieces.hpp"

#include <algorithm>
#include <utility>

namespace mlps::world {
namespace {

Status failed(Transport& transport, Error error) {
  transport.failure().raise(error);
  return fail(std::move(error));
}

}  // namespace

Status gather_pieces(Transport& transport, const std::function<Result<Bytes>()>& next,
                     const std::function<Status(uint32_t process, std::string_view piece)>& take) {
  bool mine_are_over = false;
  for (double left = 1; left > 0;) {
    Bytes mine;
    if (!mine_are_over) {
      Result<Bytes> piece = next();
      if (!piece) return failed(transport, std::move(piece.error()));
      mine = std::move(*piece);
      mine_are_over = mine.empty();
    }
    left = mine_are_over ? 0 : 1;
    const Result<std::vector<Bytes>> pieces = transport.gather(std::move(mine));
    if (!pieces) return fail(pieces.error());
    for (uint32_t process = 0; process < pieces->size(); ++process) {
      if ((*pieces)[process].empty()) continue;
      if (Status taken = take(process, (*pieces)[process]); !taken) {
        return failed(transport, std::move(taken.error()));
      }
    }
    if (Status met = transport.reduce(Reduction::kMax, {&left, 1}); !met) return met;
  }
  return {};
}

}  // namespace mlps::world
