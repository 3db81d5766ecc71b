#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"
#include "base/histogram.hpp"
#include "world/transport.hpp"

/// Packs structs into bytes for other processes, and unpacks them. A struct has a list of its fields (base/fields.hpp)
/// or names them for both directions in its own namespace:
///
///     template <class Archive, Is<Point> P>
///     void fields(Archive& archive, P& point) { archive(point.x, point.y); }
///
/// A field may be a number, an enum, a text, a Stamp, an Error, a Histogram, such a struct, or a vector, array, pair or
/// optional of those. Unpacking only detects truncated or malformed bytes: callers must validate values, including
/// enums. Hosts of a job share a byte order; a packet's mark would tell if they did not.
namespace mlps::world {

template <class T, class Wanted>
concept Is = std::same_as<std::remove_const_t<T>, Wanted>;

template <class T>
concept Numeric = std::integral<T> || std::is_enum_v<T>;

template <class Archive, Is<Stamp> S>
void fields(Archive& archive, S& stamp) {
  archive(stamp.monotonic_ns, stamp.wall_us);
}

template <class Archive, Is<Error> E>
void fields(Archive& archive, E& error) {
  archive(error.code, error.message, error.details, error.suggestion, error.host);
}

constexpr auto fields_of(Of<ClockOffset>) {
  return std::tuple(kept("monotonic_offset_ns", &ClockOffset::monotonic_ns),
                    kept("wall_offset_ns", &ClockOffset::wall_ns), kept("error_ns", &ClockOffset::error_ns));
}

/// Writes values one after the other, for Unpacker to read in the same order.
class Packer {
 public:
  Packer& number(uint64_t value);
  Packer& text(std::string_view value);
  template <class... T>
  Packer& operator()(const T&... values) {
    (put(values), ...);
    return *this;
  }
  Bytes take() { return std::move(bytes_); }

 private:
  template <Numeric T>
  void put(const T& value) {
    number(static_cast<uint64_t>(value));
  }
  void put(const double& value) { number(std::bit_cast<uint64_t>(value)); }
  void put(const std::string& value) { text(value); }
  template <class T>
  void put(const std::vector<T>& values) {
    number(values.size());
    for (const T& value : values) put(value);
  }
  template <class T, size_t N>
  void put(const std::array<T, N>& values) {
    for (const T& value : values) put(value);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& both) {
    put(both.first);
    put(both.second);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  void put(const Histogram& histogram) { put(histogram.state()); }
  void put(const Histogram::State& state) {
    number(state.buckets.size());
    for (const auto& [index, count] : state.buckets) number(index).number(count);
    number(state.sum).number(state.min).number(state.max);
  }
  template <class T>
  requires(!Numeric<T> && !Listed<T>) void put(const T& value) { fields(*this, value); }
  template <Listed T>
  void put(const T& value) {
    for_each_field<T>([&](const auto& field) { put(value.*field.member); });
  }

  Bytes bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  /// Return zero or an empty text when the bytes end too early; good() tells. Check good() before memory is reserved
  /// for a number that was read, or a loop runs over it.
  uint64_t number();
  std::string_view text();
  template <class... T>
  void operator()(T&... values) {
    (get_while_good(values), ...);
  }
  bool good() const { return good_; }
  bool empty() const { return rest_.empty(); }
  /// Returns true if all bytes were read and none was malformed; otherwise the values may be anything of their types.
  bool whole() const { return good_ && rest_.empty(); }

 private:
  std::string_view taken(uint64_t length);
  template <class T>
  void get_while_good(T& value) {
    if (good_) get(value);
  }
  // Every value takes at least the room of a number, so memory is never reserved for an impossible count.
  uint64_t count() {
    const uint64_t count = number();
    if (count > rest_.size() / sizeof(uint64_t)) good_ = false;
    return good_ ? count : 0;
  }

  template <Numeric T>
  void get(T& value) {
    const uint64_t raw = number();
    value = static_cast<T>(raw);
    if (static_cast<uint64_t>(value) != raw) good_ = false;
  }
  void get(double& value) { value = std::bit_cast<double>(number()); }
  void get(std::string& value) { value = text(); }
  template <class T>
  void get(std::vector<T>& values) {
    values.resize(count());
    for (T& value : values) get(value);
  }
  template <class T, size_t N>
  void get(std::array<T, N>& values) {
    for (T& value : values) get(value);
  }
  template <class A, class B>
  void get(std::pair<A, B>& both) {
    get(both.first);
    get(both.second);
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (there && good_) get(value.emplace());
  }
  void get(Histogram::State& state) {
    state.buckets.resize(count());
    for (auto& [index, count] : state.buckets) {
      get(index);
      get(count);
    }
    (*this)(state.sum, state.min, state.max);
  }
  void get(Histogram& histogram) {
    Histogram::State state;
    get(state);
    const std::optional<Histogram> restored = Histogram::restore(state);
    if (restored) histogram = *restored;
    if (!restored) good_ = false;
  }
  template <class T>
  requires(!Numeric<T> && !Listed<T>) void get(T& value) { fields(*this, value); }
  template <Listed T>
  void get(T& value) {
    for_each_field<T>([&](const auto& field) { get_while_good(value.*field.member); });
  }

  std::string_view rest_;
  bool good_ = true;
};

/// Returns E503: the `kind` ("record") that `whose` ("host b") sent can't be used.
tl::unexpected<Error> unusable(std::string_view kind, const std::string& whose, std::string details = {});

/// Returns the 64-bit FNV-1a hash of what was packed: processes that hold the same values have the same hash.
uint64_t hash_of(std::string_view packed);

/// Packs `kind` before the value, so that unpack() does not take a value for one of another kind.
template <class T>
Bytes pack(const std::string& kind, const T& value) {
  return Packer()(kind, value).take();
}

/// Unpacks what pack() of the same kind made; E503 for any other bytes.
template <class T>
Result<T> unpack(const std::string& kind, const std::string& whose, std::string_view bytes) {
  Unpacker archive(bytes);
  std::string found;
  T value;
  archive(found, value);
  if (!archive.whole() || found != kind) return unusable(kind, whose);
  return value;
}

}  // namespace mlps::world
