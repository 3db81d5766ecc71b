#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.hpp"
#include "replay/log_reader.hpp"

namespace mlps::replay {

inline constexpr uint32_t kNone = UINT32_MAX;

/// A state of one object that operations make or need: a write with all its parts, a removal, or what is there before
/// the replay. Each comes after the state `before` of the same object, and after the reads of that.
struct ObjectState {
  enum class Kind : uint8_t { kThere, kWrite, kRemoval };
  Kind kind = Kind::kThere;
  uint32_t name = 0;        ///< index in Plan::names
  uint32_t before = kNone;  ///< index in Plan::states
  uint32_t makers = 0;      ///< operations that make it
  uint32_t readers = 0;     ///< operations that read it
  uint64_t size_bytes = 0;  ///< kWrite: of the object; kThere: how much of it is read
  uint64_t part_bytes = 0;  ///< kWrite
};

/// One operation to be played.
struct PlannedOperation {
  storage::LogOp op = storage::LogOp::kGet;  ///< kGet, kPut or kDelete
  uint32_t state = 0;                        ///< index in Plan::states: what it reads or makes
  uint64_t offset = 0;
  uint64_t bytes = 0;
  int64_t due_ns = 0;       ///< after the first operation
  int64_t recorded_ns = 0;  ///< how long it took when it was recorded; 0: not known
};

/// What a log asks a store to do.
struct Plan {
  std::vector<std::string> names;
  std::vector<ObjectState> states;
  std::vector<PlannedOperation> operations;  ///< in the order of their times
  uint32_t at_once = 1;                      ///< the most operations that were under way at a time
  int64_t span_ns = 0;                       ///< from the first start to the last end
  uint64_t bytes = 0;
  uint64_t lines = 0;
  std::map<std::string, uint64_t> left_out;  ///< lines that aren't played, by reason
};

/// Gathers lines and makes a plan of them. Lines may come in any order, and from several logs.
class Planner {
 public:
  /// `strip` is taken away from the front of every name.
  explicit Planner(std::string strip) : strip_(std::move(strip)) {}

  /// E102 for a name that doesn't begin with what is to be stripped, E404 for one that can't be used below a location,
  /// and for more than twenty million operations.
  Status add(const LogLine& line);
  /// Returns the plan; once. E404 if there is nothing to play.
  Result<Plan> plan();

 private:
  struct Latest {
    uint32_t state = kNone;
    bool open = false;                                           ///< its state may get more parts
    int64_t begun_ns = 0;                                        ///< its first part
    uint64_t first_offset = 0;                                   ///< of the parts that it has
    std::unique_ptr<std::unordered_set<uint64_t>> offsets = {};  ///< of the others, where there are any
  };

  void leave_out(const std::string& why, uint64_t count = 1);
  Result<uint32_t> name_index(std::string_view file);
  uint32_t add_state(ObjectState::Kind kind, uint32_t name);
  void place(PlannedOperation& operation, uint32_t name);
  void settle_writes();
  void settle_write(const std::vector<size_t>& parts);
  void drop_left_out();

  const std::string strip_;
  Plan plan_;
  std::vector<uint32_t> names_of_;  // of the operations, by index
  std::unordered_map<std::string, uint32_t> names_;
  std::vector<Latest> latest_;  // by name
  std::vector<bool> gives_up_;  // of the operations, by index: an upload, which may be no removal
  std::vector<int64_t> ended_;  // by name: when its last upload was begun or ended
  std::vector<bool> left_;      // of the operations, by index
  uint64_t name_bytes_ = 0;
};

/// Returns a plan that writes the objects of these states of kind kThere.
Plan plan_of_writing(const Plan& plan, const std::vector<uint32_t>& states, uint64_t part_bytes);

}  // namespace mlps::replay
