#include "world/proc_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mlps::world {
namespace {

constexpr size_t kNetworkHeaderLines = 2;
constexpr size_t kChunkBytes = 16 * 1024;

template <size_t N>
std::array<uint64_t, N> counters_of(const std::vector<std::string_view>& words, size_t first) {
  std::array<uint64_t, N> counters{};
  const size_t count = words.size() > first ? std::min(words.size() - first, N) : 0;
  for (size_t i = 0; i < count; ++i) counters[i] = number_or_zero<uint64_t>(words[first + i]);
  return counters;
}

}  // namespace

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t";
  for (size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kBlank, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlank, end);
  }
  return words;
}

std::optional<std::pair<std::string, std::string>> pair_of(std::string_view line, char separator) {
  const size_t at = line.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair{std::string(trimmed(line.substr(0, at))), std::string(trimmed(line.substr(at + 1)))};
}

TextPairs parse_pairs(std::string_view text) {
  TextPairs pairs;
  for (const std::string_view line : lines_of(text)) {
    if (auto pair = pair_of(line, ':')) pairs.push_back(std::move(*pair));
  }
  return pairs;
}

std::vector<DiskFacts> parse_disks(std::string_view text) {
  constexpr size_t kFirstCounter = 3;  // after major, minor and name
  std::vector<DiskFacts> disks;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() <= kFirstCounter) continue;
    disks.push_back({std::string(words[2]), counters_of<17>(words, kFirstCounter)});
  }
  return disks;
}

std::vector<NetworkFacts> parse_network(std::string_view text) {
  std::vector<NetworkFacts> networks;
  const std::vector<std::string_view> lines = lines_of(text);
  for (size_t at = kNetworkHeaderLines; at < lines.size(); ++at) {
    if (auto pair = pair_of(lines[at], ':')) {
      networks.push_back({std::move(pair->first), counters_of<16>(words_of(pair->second), 0)});
    }
  }
  return networks;
}

std::optional<LoadFacts> parse_load(std::string_view text) {
  const std::vector<std::string_view> words = words_of(trimmed(text));
  if (words.size() < 4) return std::nullopt;
  LoadFacts load;
  load.load_1min = number_or_zero<double>(words[0]);
  load.load_5min = number_or_zero<double>(words[1]);
  load.load_15min = number_or_zero<double>(words[2]);
  const size_t slash = words[3].find('/');
  load.running_processes = number_or_zero<uint64_t>(words[3].substr(0, slash));
  if (slash != std::string_view::npos) load.total_processes = number_or_zero<uint64_t>(words[3].substr(slash + 1));
  return load;
}

Result<std::string> read_text(const std::string& path, size_t most_bytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(errno_error(errno, "open " + path));
  std::string text;
  ssize_t got = 0;
  do {
    const size_t have = text.size();
    text.resize(have + std::min(kChunkBytes, most_bytes - have));
    got = ::read(file, text.data() + have, text.size() - have);
    text.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  } while ((got > 0 && text.size() < most_bytes) || (got < 0 && errno == EINTR));
  const int error = errno;
  ::close(file);
  if (got < 0) return fail(errno_error(error, "read " + path));
  if (text.size() >= most_bytes) return fail(errno_error(EFBIG, "read " + path));  // a part would be a wrong answer
  return text;
}

}  // namespace mlps::world
