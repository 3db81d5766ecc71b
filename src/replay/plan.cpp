#include "replay/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;
using Kind = ObjectState::Kind;

constexpr size_t kMostOperations = 20'000'000;
constexpr uint64_t kMostNameBytes = kGiB;
constexpr size_t kMostName = 4096;
constexpr size_t kMostReasons = 20;
constexpr uint32_t kMostAtOnce = 1024;

/// Returns whether a name stays below the location that it is put under.
bool is_usable(std::string_view name) {
  if (name.empty() || name.size() > kMostName || name.find('\0') != std::string_view::npos) return false;
  for (size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

/// Returns the most operations that were under way at a time; they are in the order of their times.
uint32_t most_at_once(const std::vector<PlannedOperation>& operations) {
  std::priority_queue<int64_t, std::vector<int64_t>, std::greater<>> ends;
  size_t most = 1;
  for (const PlannedOperation& operation : operations) {
    while (!ends.empty() && ends.top() <= operation.due_ns) ends.pop();
    ends.push(operation.due_ns + operation.recorded_ns);
    most = std::max(most, ends.size());
  }
  return static_cast<uint32_t>(std::min<size_t>(most, kMostAtOnce));
}

}  // namespace

// ---- lines

void Planner::leave_out(const std::string& why, uint64_t count) {
  const bool full = plan_.left_out.size() >= kMostReasons && !plan_.left_out.contains(why);
  plan_.left_out[full ? "other" : why] += count;
}

Result<uint32_t> Planner::name_index(std::string_view file) {
  if (!file.starts_with(strip_)) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("--strip {}: {} doesn't begin with it", printable(strip_), printable(file, 200)), {},
                "name what all objects of the log have in front, or leave it out");
  }
  file.remove_prefix(strip_.size());
  while (file.starts_with('/')) file.remove_prefix(1);
  if (!is_usable(file)) {
    return fail(ErrorCode::kInvalidStructure,
                fmt::format("the log names an object '{}', which can't be one below a location", printable(file, 200)));
  }
  const auto [found, is_new] = names_.try_emplace(std::string(file), static_cast<uint32_t>(plan_.names.size()));
  if (!is_new) return found->second;
  name_bytes_ += file.size();
  plan_.names.emplace_back(file);
  ended_.push_back(0);
  return found->second;
}

Status Planner::add(const LogLine& line) {
  ++plan_.lines;
  const bool data = line.op && (*line.op == LogOp::kGet || *line.op == LogOp::kPut || *line.op == LogOp::kDelete);
  // What gives an upload up removes what its parts become here.
  const bool gives_up = line.op == LogOp::kDelete && !line.moves_data;
  if (!data || (!line.moves_data && !gives_up)) {
    leave_out(data ? "beginnings and ends of uploads" : line.word.empty() ? "without an operation" : line.word);
    const auto name = line.op == LogOp::kPut && !line.failed ? name_index(line.file) : Result<uint32_t>(kNone);
    if (name && *name != kNone) ended_[*name] = std::max(ended_[*name], line.start_ns);
    return {};
  }
  if (line.failed || (*line.op == LogOp::kGet && line.bytes == 0)) {
    leave_out(line.failed ? "failed ones" : "reads of nothing");
    return {};
  }
  const auto name = name_index(line.file);
  if (!name) return fail(name.error());
  if (plan_.operations.size() >= kMostOperations || name_bytes_ > kMostNameBytes) {
    return fail(ErrorCode::kInvalidStructure, "the log has more than 20,000,000 operations or 1 GiB of names", {},
                "replay a part of it");
  }
  plan_.operations.push_back({.op = *line.op,
                              .offset = line.offset,
                              .bytes = line.bytes,
                              .due_ns = line.start_ns,
                              .recorded_ns = line.duration_ns});
  names_of_.push_back(*name);
  gives_up_.push_back(gives_up);
  return {};
}

// ---- order

uint32_t Planner::add_state(Kind kind, uint32_t name) {
  const auto index = static_cast<uint32_t>(plan_.states.size());
  plan_.states.push_back({.kind = kind, .name = name, .before = latest_[name].state});
  latest_[name].state = index;
  latest_[name].open = kind == Kind::kWrite;
  latest_[name].offsets.reset();
  return index;
}

/// Finds out which state of the object an operation reads or makes.
void Planner::place(PlannedOperation& operation, uint32_t name) {
  Latest& latest = latest_[name];
  if (operation.op == LogOp::kGet) {
    if (latest.state == kNone) add_state(Kind::kThere, name);
    latest.open = false;
    ObjectState& state = plan_.states[latest.state];
    if (state.kind == Kind::kThere) state.size_bytes = std::max(state.size_bytes, operation.offset + operation.bytes);
    ++state.readers;
  } else if (operation.op == LogOp::kDelete) {
    ++plan_.states[add_state(Kind::kRemoval, name)].makers;
  } else {
    const bool again =
        operation.offset == latest.first_offset || (latest.offsets && latest.offsets->contains(operation.offset));
    if (!latest.open || again) {
      add_state(Kind::kWrite, name);
      latest.begun_ns = operation.due_ns;
      latest.first_offset = operation.offset;
    } else {
      if (!latest.offsets) latest.offsets = std::make_unique<std::unordered_set<uint64_t>>();
      latest.offsets->insert(operation.offset);
    }
  }
  operation.state = latest.state;
}

/// Keeps of each write what makes an object: parts of one size from the beginning on, the last one of any size.
void Planner::settle_write(const std::vector<size_t>& parts) {
  ObjectState& state = plan_.states[plan_.operations[parts.front()].state];
  state.part_bytes = std::max<uint64_t>(plan_.operations[parts.front()].bytes, 1);
  bool whole = true;
  for (const size_t index : parts) {
    const PlannedOperation& part = plan_.operations[index];
    whole = whole && part.offset == state.size_bytes && part.bytes <= state.part_bytes &&
            state.size_bytes % state.part_bytes == 0;
    left_[index] = !whole;
    if (!whole) {
      leave_out("parts without those before them");
      continue;
    }
    state.size_bytes += part.bytes;
    ++state.makers;
  }
  if (state.makers == 0) state.kind = Kind::kThere;  // nothing of it is played
}

void Planner::settle_writes() {
  std::vector<size_t> puts;
  for (size_t i = 0; i < plan_.operations.size(); ++i) {
    if (plan_.operations[i].op == LogOp::kPut) puts.push_back(i);
  }
  std::sort(puts.begin(), puts.end(), [this](size_t a, size_t b) {
    const PlannedOperation& one = plan_.operations[a];
    const PlannedOperation& other = plan_.operations[b];
    return std::pair(one.state, one.offset) < std::pair(other.state, other.offset);
  });
  std::vector<size_t> parts;
  for (size_t i = 0; i < puts.size(); ++i) {
    parts.push_back(puts[i]);
    const bool last = i + 1 == puts.size() || plan_.operations[puts[i + 1]].state != plan_.operations[puts[i]].state;
    if (!last) continue;
    settle_write(parts);
    parts.clear();
  }
}

void Planner::drop_left_out() {
  size_t kept = 0;
  for (size_t i = 0; i < plan_.operations.size(); ++i) {
    if (!left_[i]) plan_.operations[kept++] = plan_.operations[i];
  }
  plan_.operations.resize(kept);
}

Result<Plan> Planner::plan() {
  std::vector<size_t> order(plan_.operations.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](size_t a, size_t b) { return plan_.operations[a].due_ns < plan_.operations[b].due_ns; });
  std::vector<PlannedOperation> sorted;
  sorted.reserve(order.size());
  latest_.resize(plan_.names.size());
  for (const size_t index : order) {
    const uint32_t name = names_of_[index];
    // What is cleared away after an upload has ended is none of the object.
    if (gives_up_[index] && ended_[name] > latest_[name].begun_ns) {
      leave_out("beginnings and ends of uploads");
      continue;
    }
    sorted.push_back(plan_.operations[index]);
    place(sorted.back(), name);
  }
  plan_.operations = std::move(sorted);
  left_.assign(plan_.operations.size(), false);
  settle_writes();
  drop_left_out();
  if (plan_.operations.empty()) {
    return fail(ErrorCode::kInvalidStructure,
                fmt::format("of {} none can be played", counted(static_cast<double>(plan_.lines), "line")), {},
                "reads, writes and removals that didn't fail are played");
  }
  const int64_t first = plan_.operations.front().due_ns;
  for (PlannedOperation& operation : plan_.operations) {
    operation.due_ns -= first;
    plan_.span_ns = std::max(plan_.span_ns, operation.due_ns + operation.recorded_ns);
    plan_.bytes += operation.bytes;
  }
  plan_.at_once = most_at_once(plan_.operations);
  return std::move(plan_);
}

Plan plan_of_writing(const Plan& plan, const std::vector<uint32_t>& states, uint64_t part_bytes) {
  Plan writing;
  writing.names = plan.names;
  for (const uint32_t index : states) {
    const ObjectState& wanted = plan.states[index];
    const auto state = static_cast<uint32_t>(writing.states.size());
    const uint64_t part = std::min(part_bytes, std::max<uint64_t>(wanted.size_bytes, 1));
    writing.states.push_back(
        {.kind = Kind::kWrite, .name = wanted.name, .size_bytes = wanted.size_bytes, .part_bytes = part});
    uint64_t offset = 0;
    do {
      const uint64_t bytes = std::min(part, wanted.size_bytes - offset);
      writing.operations.push_back({.op = LogOp::kPut, .state = state, .offset = offset, .bytes = bytes});
      ++writing.states.back().makers;
      offset += bytes;
    } while (offset < wanted.size_bytes);
  }
  return writing;
}

}  // namespace mlps::replay
