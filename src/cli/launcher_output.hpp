#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mlps::cli {

/// What a launcher says on standard error: meant for the user, but for the lines in which processes of the job tell the
/// command that started them how it ended. Launchers' own statuses can't be relied on: Open MPI's, told to let the
/// others live when one ends, returns 0 for a process that never came as far as MPI_Init, or doesn't end at all.
class LauncherOutput {
 public:
  /// The line of process 0, at its end, and of a process that could not join the others.
  static std::string end_line(int status);

  /// Takes the next bytes. What of them, and of those before, is for the user: all but the lines above.
  std::string take(std::string_view bytes);
  /// The launcher has ended: what is left, for the user.
  std::string finish();

  /// The status that the processes have told, of several the first that isn't success; nothing before the first.
  std::optional<int> status() const { return status_; }

 private:
  bool understand(std::string_view line);

  std::string rest_;  // the beginning of a line whose end has not come
  std::optional<int> status_;
};

}  // namespace mlps::cli
