#include "world/cpu_pressure.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <vector>

#include "world/host_counters.hpp"
#include "world/proc_text.hpp"

namespace mlps::world {
namespace {

constexpr Nanos kNsPerUs = 1'000;
constexpr size_t kStealIndex = 7;  // of the first line of /proc/stat

std::string text_or_empty(const std::string& path) {
  return read_text(path).value_or(std::string());
}

/// Whether the comma-separated `list` has `word`.
bool has_word(std::string_view list, std::string_view word) {
  for (size_t from = 0; from <= list.size();) {
    const size_t end = std::min(list.find(',', from), list.size());
    if (list.substr(from, end - from) == word) return true;
    from = end + 1;
  }
  return false;
}

/// Returns the path of this process in the hierarchy with the processor's controller; `version2`: in the unified one.
std::optional<std::string_view> group_path(std::string_view groups, bool version2) {
  for (const std::string_view line : lines_of(groups)) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (version2 ? line.starts_with("0::") : has_word(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

void add(std::optional<Nanos>& total, Nanos more) {
  total = total.value_or(0) + more;
}

void add_threads(const std::string& root, CpuPressure& pressure) {
  const std::string own = std::to_string(::syscall(SYS_gettid));
  std::error_code ignored;
  for (const auto& thread : std::filesystem::directory_iterator(root + "/proc/self/task", ignored)) {
    if (thread.path().filename() == own) continue;
    const std::string text = text_or_empty(thread.path() / "schedstat");
    const auto words = words_of(text);
    if (words.size() > 1) add(pressure.threads_ns, number_or_zero<Nanos>(words[1]));
  }
}

template <class T>
std::optional<T> difference(const std::optional<T>& now, const std::optional<T>& before) {
  if (!now || !before) return std::nullopt;
  return *now > *before ? *now - *before : 0;
}

}  // namespace

CpuPressure CpuPressure::since(const CpuPressure& before) const {
  return {difference(throttled_periods, before.throttled_periods), difference(throttled_ns, before.throttled_ns),
          difference(steal_ns, before.steal_ns), difference(stalled_ns, before.stalled_ns),
          difference(threads_ns, before.threads_ns)};
}

StoppedTime::StoppedTime(const StallMeter& stalls, const QuotaCounters& quota)
    : stalls_(&stalls), quota_(&quota), stopped_before_(stalls.stopped_ns(now_ns())), before_(quota.read()) {}

Nanos StoppedTime::ns() const {
  const Nanos throttled = quota_->read().since(before_).throttled_ns.value_or(0) / ::get_nprocs();
  return std::max(stalls_->stopped_ns(now_ns()) - stopped_before_, throttled);
}

std::vector<std::string> cpu_group_folders(std::string_view groups, std::string_view mounts) {
  std::vector<std::string> folders;
  for (const std::string_view line : lines_of(mounts)) {
    const auto words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool version2 = dash[1] == "cgroup2";
    if (!version2 && (dash[1] != "cgroup" || !has_word(dash[3], "cpu"))) continue;
    const auto path = group_path(groups, version2);
    if (!path) continue;
    // A container may see only its own part of the hierarchy, mounted as if it were all of it.
    std::string inside(*path);
    if (words[3] != "/" && inside.starts_with(words[3])) inside.erase(0, words[3].size());
    for (;;) {
      while (inside.ends_with('/')) inside.pop_back();
      folders.push_back(std::string(words[4]) + inside);
      if (inside.empty()) break;
      inside.erase(inside.rfind('/'));
    }
  }
  return folders;
}

void add_throttling(std::string_view cpu_stat, CpuPressure& pressure) {
  for (const std::string_view line : lines_of(cpu_stat)) {
    const auto words = words_of(line);
    if (words.size() != 2) continue;
    if (words[0] == "nr_throttled") {
      pressure.throttled_periods = pressure.throttled_periods.value_or(0) + number_or_zero<uint64_t>(words[1]);
    }
    if (words[0] == "throttled_time") add(pressure.throttled_ns, number_or_zero<Nanos>(words[1]));
    if (words[0] == "throttled_usec") add(pressure.throttled_ns, number_or_zero<Nanos>(words[1]) * kNsPerUs);
  }
}

QuotaCounters::QuotaCounters(const std::string& root) {
  const std::string groups = text_or_empty(root + "/proc/self/cgroup");
  for (const std::string& folder : cpu_group_folders(groups, text_or_empty(root + "/proc/self/mountinfo"))) {
    Descriptor file(::open((root + folder + "/cpu.stat").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.is_open()) files_.push_back(std::move(file));
  }
}

CpuPressure QuotaCounters::read() const {
  CpuPressure pressure;
  std::array<char, 4096> text;  // cpu.stat has a dozen lines
  for (const Descriptor& file : files_) {
    const ssize_t length = ::pread(file.get(), text.data(), text.size(), 0);
    if (length > 0) add_throttling({text.data(), static_cast<size_t>(length)}, pressure);
  }
  return pressure;
}

CpuPressure cpu_pressure(const std::string& root) {
  CpuPressure pressure = QuotaCounters(root).read();
  if (const auto cpu = parse_cpu(text_or_empty(root + "/proc/stat"))) {
    pressure.steal_ns = static_cast<Nanos>(cpu->ticks[kStealIndex] * (1'000'000'000 / ticks_per_second()));
  }
  const std::string stalls = text_or_empty(root + "/proc/pressure/cpu");
  for (const std::string_view line : lines_of(stalls)) {
    const size_t total = line.find("total=");
    if (!line.starts_with("some ") || total == std::string_view::npos) continue;
    pressure.stalled_ns = number_or_zero<Nanos>(line.substr(total + 6)) * kNsPerUs;
  }
  add_threads(root, pressure);
  return pressure;
}

}  // namespace mlps::world
