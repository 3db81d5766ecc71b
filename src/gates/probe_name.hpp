#pragma once

#include <string>

namespace mlps::gates {

/// 32 random hexadecimal digits: what makes a probe's name one that nobody else has. Any thread.
std::string random_suffix();

}  // namespace mlps::gates
