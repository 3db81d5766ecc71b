#include "storage/object/settings.hpp"

#include <fmt/format.h>

#include <array>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::object {
namespace {

constexpr std::array<std::string_view, 3> kBalanceNames = {"round_robin", "least_connections", "rank"};
constexpr const char* kBalanceVariable = "S3_LOAD_BALANCE_STRATEGY";

// By Open MPI, PMIx, MPICH, MVAPICH and Slurm.
constexpr std::array kRankVariables = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK",
                                       "SLURM_PROCID"};

}  // namespace

std::string_view balance_name(Balance balance) {
  return kBalanceNames.at(static_cast<size_t>(balance));
}

Status read_balance(TransferSettings& settings, const Environment& environment) {
  for (const char* variable : kRankVariables) {
    const auto text = environment.get(variable);
    const auto rank = text ? parse_number<uint32_t>(*text) : std::nullopt;
    if (!rank) continue;
    settings.rank = *rank;
    break;
  }
  const auto name = environment.get(kBalanceVariable);
  if (!name) return {};
  for (size_t i = 0; i < kBalanceNames.size(); ++i) {
    if (trimmed(*name) != kBalanceNames[i]) continue;
    settings.balance = static_cast<Balance>(i);
    return {};
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not known", kBalanceVariable, printable(*name)), {},
              fmt::format("Use one of: {}.", join(kBalanceNames, ", ")));
}

}  // namespace mlps::object
