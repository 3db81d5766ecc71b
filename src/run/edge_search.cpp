#include "run/edge_search.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace mlps::run {
namespace {

class EdgeSearch {
 public:
  EdgeSearch(const EdgeQuestion& question, const std::vector<EdgePoint>& points) : question_(question) {
    used_ = static_cast<uint32_t>(points.size());
    std::map<uint64_t, int> balance;  // trials that met the threshold, less those that did not
    for (const EdgePoint& point : points) balance[point.load] += point.met ? 1 : -1;
    for (const auto& [load, met] : balance) {
      if (met < 0) {
        high_ = load;
        break;
      }
      low_ = load;
    }
    for (const EdgePoint& point : points) {
      if (point.load == (low_ != 0 ? low_ : high_)) ++at_edge_;
      if (point.load == (high_ != 0 ? high_ : low_) && point.guess) guess_ = point.guess;
      if (point.load == high_ && !point.met) client_limited_ = point.client_limited;
    }
  }

  /// Returns the load of the next trial, or nothing at the end.
  std::optional<uint64_t> next() const {
    if (used_ == 0) return std::clamp<uint64_t>(question_.first, 1, question_.bound);
    if (used_ >= question_.most_trials) return std::nullopt;
    if (!known()) {
      const uint32_t reserved = question_.repeats - std::min(low_ != 0 ? at_edge_ : 1, question_.repeats);
      const uint32_t left = question_.most_trials - used_;
      if (left > reserved) return explore(left - reserved);
    }
    if (low_ == 0 && high_ != 1) return std::nullopt;
    return at_edge_ < question_.repeats ? std::optional(low_ != 0 ? low_ : high_) : std::nullopt;
  }

  void conclude(EdgeAnswer& answer) const {
    if (low_ != 0) answer.edge = low_;
    if (high_ != 0) answer.not_met = high_;
    if (answer.error) {
      answer.stop = EdgeStop::kError;
    } else if (!known()) {
      answer.stop = EdgeStop::kTrials;
    } else if (high_ == 0) {
      answer.stop = EdgeStop::kBound;
    } else {
      answer.stop = client_limited_ ? EdgeStop::kClient : low_ == 0 ? EdgeStop::kNeverMet : EdgeStop::kFound;
    }
  }

 private:
  /// Returns the greatest load above `low` whose failure leaves nothing to be looked for.
  uint64_t closing(uint64_t low) const {
    return static_cast<uint64_t>(static_cast<double>(low) / (1 - question_.tolerance)) + 1;
  }
  bool known() const { return high_ == 0 ? low_ == question_.bound : high_ <= closing(low_); }

  /// Returns the greatest load, if below `enough`, whose failure leaves what so many trials find: the first of them
  /// goes where the others suffice whether it fails or not.
  uint64_t reach(uint64_t low, uint32_t trials, uint64_t enough) const {
    if (low >= enough) return enough;
    if (trials == 0) return closing(low);
    return reach(reach(low, trials - 1, enough), trials - 1, enough);
  }
  bool suffices(uint32_t trials, uint64_t low, uint64_t high) const { return reach(low, trials, high) >= high; }

  /// Returns whether so many trials suffice for any edge from `low`, which was met, to the bound.
  bool covers_all(uint32_t trials, uint64_t low) const {
    while (low < question_.bound && trials > 0) low = reach(low, --trials, question_.bound);
    return low >= question_.bound;
  }

  /// Returns the next load when trials are left to explore with, at least one.
  uint64_t explore(uint32_t trials) const {
    if (high_ == 0) return grow(trials - 1);
    if (guess_ && suffices(trials - 1, low_, high_)) {
      return std::clamp(whole(*guess_), closing(low_), high_ - 1);
    }
    return halve(trials - 1);
  }

  static uint64_t whole(double guess) { return static_cast<uint64_t>(std::clamp(guess, 0.0, 1e15)); }

  /// Returns the middle on a logarithmic scale, or near it where `trials` after this one suffice only from there.
  uint64_t halve(uint32_t trials) const {
    const double middle = std::sqrt(static_cast<double>(std::max<uint64_t>(low_, 1)) * static_cast<double>(high_));
    const uint64_t cut = std::clamp(whole(middle), low_ + 1, high_ - 1);
    for (uint32_t needed = 0; needed <= trials; ++needed) {
      if (!suffices(needed + 1, low_, high_)) continue;
      if (suffices(needed, low_, cut) && suffices(needed, cut, high_)) return cut;
      return std::min(reach(low_, needed, high_), high_ - 1);
    }
    return cut;
  }

  /// Returns a load above the greatest that met the threshold, when `trials` are left after it.
  uint64_t grow(uint32_t trials) const {
    const uint64_t most = std::max(std::min(reach(low_, trials, question_.bound), question_.bound), low_ + 1);
    if (guess_ && *guess_ > 2 * static_cast<double>(low_)) return std::min(whole(*guess_), most);
    for (uint64_t next = 2 * low_; next < most; next += next / 8 + 1) {
      if (covers_all(trials, next)) return next;
    }
    return most;
  }

  const EdgeQuestion& question_;
  uint32_t used_ = 0, at_edge_ = 0;
  uint64_t low_ = 0;   ///< greatest load that met the threshold, below all that did not; 0: none
  uint64_t high_ = 0;  ///< least load that did not; 0: none
  std::optional<double> guess_;
  bool client_limited_ = false;
};

}  // namespace

std::string_view edge_stop_name(EdgeStop stop) {
  switch (stop) {
    case EdgeStop::kFound:
      return "found";
    case EdgeStop::kNeverMet:
      return "never_met";
    case EdgeStop::kBound:
      return "bound";
    case EdgeStop::kClient:
      return "client";
    case EdgeStop::kTrials:
      return "trials";
    case EdgeStop::kError:
      break;
  }
  return "error";
}

std::vector<double> EdgeAnswer::values_at(uint64_t load) const {
  std::vector<double> values;
  for (const EdgePoint& point : points) {
    if (point.load == load) values.push_back(point.value);
  }
  return values;
}

EdgeAnswer search_edge(const EdgeQuestion& question, const std::function<Result<EdgeTrial>(uint64_t load)>& trial) {
  EdgeAnswer answer;
  for (auto load = EdgeSearch(question, {}).next(); load; load = EdgeSearch(question, answer.points).next()) {
    auto made = trial(*load);
    if (!made) {
      answer.error = std::move(made.error());
      break;
    }
    answer.points.push_back({*made, *load});
  }
  EdgeSearch(question, answer.points).conclude(answer);
  return answer;
}

}  // namespace mlps::run
