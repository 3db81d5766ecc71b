#pragma once

#include <string_view>

/// What `try` runs, by the words of its command lines.
namespace mlps::cli {

struct TryModel {
  std::string_view word, name;
  double small_files;  ///< share of the rates of large files that its files are expected to move with
};
/// U-Net3D asks for most; where not even its slowest accelerator is fed, RetinaNet tells more.
inline constexpr TryModel kTryModels[] = {{"unet3d", "U-Net3D", 1}, {"retinanet", "RetinaNet", 0.5}};
inline constexpr std::string_view kTryCheckpoint = "llama3-8b";
inline constexpr std::string_view kTryCheckpointName = "Llama 3 8B";
/// The folder, or prefix, below the place in which everything is stored; a random number follows.
inline constexpr std::string_view kTryFolder = "mlpstorage-try-";

}  // namespace mlps::cli
