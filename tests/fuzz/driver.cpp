// Runs a fuzzer without libFuzzer: every seed, then mutations of them that are the same in every run. For compilers
// without libFuzzer, and short enough for every test run. Usage: fuzz_X CORPUS_FOLDER MUTATIONS
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

constexpr size_t kLongestInput = 4096;

std::vector<std::string> seeds_in(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string next() {
    std::string text = seeds_[below(seeds_.size())];
    for (size_t changes = 1 + below(6); changes > 0; --changes) change(text);
    if (text.size() > kLongestInput) text.resize(kLongestInput);
    return text;
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void change(std::string& text) {
    const size_t at = below(text.size() + 1);
    const size_t length = below(std::min<size_t>(text.size() - at, 16) + 1);
    switch (below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        return;
      case 1:
        text.insert(at, 1 + below(4), kSpecial[below(sizeof kSpecial)]);
        return;
      case 2:
        text.erase(at, length);
        return;
      case 3:
        text.insert(at, text.substr(at, length));
        return;
      case 4:  // the beginning of one seed and the end of another
      {
        const std::string& other = seeds_[below(seeds_.size())];
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
      }
        return;
      default:
        text.insert(at, kNumbers[below(std::size(kNumbers))]);
    }
  }

  static constexpr char kSpecial[] = "\0\r\n\t ,:;/\\\"'<>&%{}[]=-.@#?*~\x7f\x80\xff";
  static constexpr const char* kNumbers[] = {"0", "-1", "18446744073709551615", "9223372036854775808", "1e999", "4096"};

  std::vector<std::string> seeds_;
  std::minstd_rand random_{42};
};

void run(const std::string& text) {
  // A copy of exactly this size, so that a sanitizer sees every byte that is read beyond it.
  std::vector<uint8_t> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER MUTATIONS\n", argv[0]);
    return 2;
  }
  std::vector<std::string> seeds = seeds_in(argv[1]);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s holds no seeds\n", argv[1]);
    return 2;
  }
  for (const std::string& seed : seeds) run(seed);
  Mutator mutator(std::move(seeds));
  const long mutations = std::atol(argv[2]);
  for (long i = 0; i < mutations; ++i) run(mutator.next());
  return 0;
}
