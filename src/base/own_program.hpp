#pragma once

#include <string>

namespace mlps {

/// Returns the absolute path of this program's executable; nothing where /proc can't tell.
std::string own_program_path();

/// Returns the folder of this program's executable; nothing where /proc can't tell.
std::string own_program_folder();

}  // namespace mlps
