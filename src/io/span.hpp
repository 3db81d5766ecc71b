#pragma once

#include "base/clock.hpp"

namespace mlps::io {

/// From a moment to a later one.
struct Span {
  Nanos begin = 0, end = 0;
};

}  // namespace mlps::io
