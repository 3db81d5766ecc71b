// A location as the user types it: what is accepted means the same when it is shown and read again.
#include "location/location.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view text = fuzz::text_of(data, size);
  const Environment environment;
  (void)checkpoint_location(text, AccessProtocol::kObject, false, environment);
  (void)data_location({std::string(text), "unet3d", {"unet3d"}}, AccessProtocol::kObject, environment);
  const auto location = parse_location(text);
  if (!location) {
    for (const char c : location.error().message) fuzz::require(c != '\n' && c != '\0', "an error is one line");
    return 0;
  }
  // A path that holds a scheme's name or "://" can be given with file:// only, and to_string() leaves that away.
  if (location->scheme() == Scheme::kFile) return 0;
  const auto again = parse_location(location->to_string());
  fuzz::require(again && again->to_string() == location->to_string() && again->scheme() == location->scheme(),
                "a location survives being shown");
  return 0;
}
