#pragma once

#include <string_view>

/// What `try` runs, by the words of its command lines.
namespace mlps::cli {

inline constexpr std::string_view kTryModel = "unet3d";
inline constexpr std::string_view kTryModelName = "U-Net3D";
inline constexpr std::string_view kTryCheckpoint = "llama3-8b";
inline constexpr std::string_view kTryCheckpointName = "Llama 3 8B";
/// The folder, or prefix, below the place in which everything is stored; a random number follows.
inline constexpr std::string_view kTryFolder = "mlpstorage-try-";

}  // namespace mlps::cli
