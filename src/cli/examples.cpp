#include "cli/examples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "base/text.hpp"
#include "cli/help.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kStart = "Start here";
constexpr std::string_view kTrain = "Training";
constexpr std::string_view kSave = "Checkpoints";
constexpr std::string_view kOffload = "KV caches";
constexpr std::string_view kVectors = "Vectors";
constexpr std::string_view kLook = "Results";

// They build on each other: a test runs them from the first to the last in one folder, with a place instead of
// /mnt/data and with --dry-run where a line needs a server or other hosts.
constexpr auto kLines = std::to_array<Example>({
    {kStart, "mlpstorage try /mnt/data", "how much a folder feeds, what limits it: a minute, nothing to prepare"},
    {kStart, "mlpstorage try s3://bucket/prefix --time 2m", "the same of a bucket, in two minutes"},
    {kStart, "mlpstorage init my-organisation results", "once: a directory for everything that is recorded"},
    {kTrain,
     "mlpstorage closed training unet3d datasize --max-accelerators 8 --accelerator-type b200 "
     "--client-host-memory-in-gb 256 --results-dir results --systemname my-system",
     "how large a data set must be, and the command that makes it"},
    {kTrain,
     "mlpstorage whatif training unet3d datagen file --num-processes 4 --data-dir /mnt/data/sets "
     "--params dataset.num_files_train=14 dataset.record_length_bytes=4000000 dataset.record_length_bytes_stdev=0",
     "a small data set on files"},
    {kTrain,
     "mlpstorage whatif training unet3d run file --num-accelerators 1 --accelerator-type b200 --data-dir "
     "/mnt/data/sets "
     "--o-direct --params dataset.num_files_train=14 dataset.record_length_bytes=4000000 "
     "dataset.record_length_bytes_stdev=0 train.computation_time=0.0044 train.epochs=2",
     "read it as a training job would, past the page cache"},
    {kTrain,
     "mlpstorage whatif training unet3d run file --num-accelerators 2 --accelerator-type b200 --data-dir null:// "
     "--params dataset.num_files_train=56 train.epochs=1",
     "what this client alone can do, without any storage"},
    {kTrain,
     "mlpstorage closed training unet3d run file --hosts node1,node2 --num-accelerators 16 --accelerator-type b200 "
     "--client-host-memory-in-gb 256 --data-dir /mnt/data --results-dir results --systemname my-system",
     "on two hosts, by the MPI that is there"},
    {kSave,
     "mlpstorage closed checkpointing datasize --model llama3-8b --num-processes 8 --client-host-memory-in-gb 512",
     "what a checkpoint takes"},
    {kSave,
     "mlpstorage whatif checkpointing run file --checkpoint-folder /mnt/data/ckpt --model llama3-8b --num-processes 8 "
     "--size-scale 0.001 --num-checkpoints-write 2 --num-checkpoints-read 2 --verify "
     "--params checkpoint.time_between_checkpoints=0",
     "two small checkpoints, every byte verified"},
    {kSave,
     "mlpstorage closed checkpointing run object --checkpoint-folder s3://bucket/prefix --model llama3-8b "
     "--num-processes 8 --client-host-memory-in-gb 512 --results-dir results --systemname my-system",
     "as it is submitted, on object storage"},
    {kOffload, "mlpstorage whatif kvcache datasize --num-users 50", "what users ask of memory and storage"},
    {kOffload,
     "mlpstorage whatif kvcache run file --cache-dir /mnt/data/kv --model tiny-1b --option 1 --trials 1 --duration 3 "
     "--num-users 4 --storage-capacity-gb 2",
     "three seconds of four users"},
    {kVectors,
     "mlpstorage whatif vectordb datagen file --storage-root /mnt/data/vectors --num-vectors 1000 --dimension 64 "
     "--distribution clustered",
     "load vectors into this program's own index"},
    {kVectors,
     "mlpstorage whatif vectordb run file --storage-root /mnt/data/vectors --runtime 2 --num-query-processes 4",
     "search them for two seconds"},
    {kLook, "mlpstorage runs list --results-dir results", "all runs with verdict and size"},
    {kLook, "mlpstorage reports reportgen --results-dir results", "tables over all runs"},
    {kLook, "mlpstorage status --results-dir results", "what stands between the results and a submission"},
    {kLook, "mlpstorage object du /mnt/data/ckpt", "what a run left"},
    {kLook, "mlpstorage object rm -r /mnt/data/ckpt", "remove it"},
});

/// Returns the words of a line up to the first flag or place, without the program's own.
std::vector<std::string> leading_words(std::string_view line) {
  std::vector<std::string> words = split(line, " ");
  words.erase(words.begin());
  const auto end = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with('-') || word.find('/') != std::string::npos;
  });
  words.erase(end, words.end());
  return words;
}

bool leads_to(const std::vector<std::string>& words, const std::vector<std::string>& line) {
  if (words.empty() || words.size() > line.size()) return false;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool free =
        i == 0 ? mode_of(words[0]) && mode_of(line[0]) : i == 2 && words[1] == line[1] && words[1] == "training";
    if (!free && words[i] != line[i]) return false;
  }
  return true;
}

}  // namespace

std::span<const Example> examples() {
  return kLines;
}

std::vector<const Example*> examples_of(const std::vector<std::string>& words) {
  std::vector<const Example*> found;
  for (const Example& example : kLines) {
    if (leads_to(words, leading_words(example.line))) found.push_back(&example);
  }
  // Other modes have other flags: they stand in only where the mode has no example.
  const auto of_mode = [&](const Example* example) { return leading_words(example->line).front() == words.front(); };
  if (std::any_of(found.begin(), found.end(), of_mode)) std::erase_if(found, std::not_fn(of_mode));
  return found;
}

std::string examples_text(size_t width) {
  std::string text;
  std::string_view topic;
  for (const Example& example : kLines) {
    if (example.topic != topic) text += fmt::format("{}{}\n", topic.empty() ? "" : "\n", example.topic);
    topic = example.topic;
    text += fmt::format("  # {}\n{}\n", example.text, wrapped_command(example.line, width));
  }
  return text;
}

}  // namespace mlps::cli
