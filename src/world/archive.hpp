#pragma once

#include <array>
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
#include "world/packet.hpp"

/// Packs structs into bytes for other processes, and unpacks them. A struct has a list of its fields (base/fields.hpp)
/// or names them for both directions in its own namespace:
///
///     template <class Archive, Is<Point> P>
///     void fields(Archive& archive, P& point) { archive(point.x, point.y); }
///
/// A field may be a number, an enum, a text, an Error, a Stamp, a Histogram, such a struct, or a vector, array, pair or
/// optional of those. Unpacking only detects truncated or malformed bytes. Callers must validate values, including
/// enums.
namespace mlps::world {

template <class T, class Wanted>
concept Is = std::same_as<std::remove_const_t<T>, Wanted>;

template <class T>
concept Numeric = std::integral<T> || std::is_enum_v<T>;

template <class Archive, Is<Stamp> S>
void fields(Archive& archive, S& stamp) {
  archive(stamp.monotonic_ns, stamp.wall_us);
}

constexpr auto fields_of(Of<ClockOffset>) {
  return std::tuple(kept("monotonic_offset_ns", &ClockOffset::monotonic_ns),
                    kept("wall_offset_ns", &ClockOffset::wall_ns), kept("error_ns", &ClockOffset::error_ns));
}

class PackArchive {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  Bytes take() { return packer_.take(); }

 private:
  template <Numeric T>
  void put(const T& value) {
    packer_.number(static_cast<uint64_t>(value));
  }
  void put(const double& value) { packer_.real(value); }
  void put(const std::string& value) { packer_.text(value); }
  void put(const Error& value) { packer_.error(value); }
  template <class T>
  void put(const std::vector<T>& values) {
    packer_.number(values.size());
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
    packer_.number(state.buckets.size());
    for (const auto& [index, count] : state.buckets) packer_.number(index).number(count);
    packer_.number(state.sum).number(state.min).number(state.max);
  }
  template <class T>
  requires(!Numeric<T> && !Listed<T>) void put(const T& value) { fields(*this, value); }
  template <Listed T>
  void put(const T& value) {
    for_each_field<T>([&](const auto& field) { put(value.*field.member); });
  }

  Packer packer_;
};

class UnpackArchive {
 public:
  explicit UnpackArchive(std::string_view bytes) : in_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (get_while_good(values), ...);
  }
  /// Returns true if all bytes were read and none was malformed; otherwise the values may be anything of their types.
  bool whole() const { return good() && in_.empty(); }

 private:
  bool good() const { return good_ && in_.good(); }
  template <class T>
  void get_while_good(T& value) {
    if (good()) get(value);
  }
  // Every value takes at least the room of a number, so memory is never reserved for an impossible count.
  uint64_t count() {
    const uint64_t count = in_.number();
    if (count > in_.left() / sizeof(uint64_t)) good_ = false;
    return good() ? count : 0;
  }

  template <Numeric T>
  void get(T& value) {
    const uint64_t raw = in_.number();
    value = static_cast<T>(raw);
    if (static_cast<uint64_t>(value) != raw) good_ = false;
  }
  void get(double& value) { value = in_.real(); }
  void get(std::string& value) { value = in_.text(); }
  void get(Error& value) { value = in_.error(); }
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
    if (there && good()) get(value.emplace());
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

  Unpacker in_;
  bool good_ = true;
};

/// Returns E503: the `kind` ("record") that `whose` ("host b") sent can't be used.
tl::unexpected<Error> unusable(std::string_view kind, const std::string& whose, std::string details = {});

/// Returns the 64-bit FNV-1a hash of what was packed: processes that hold the same values have the same hash.
uint64_t hash_of(std::string_view packed);

/// Packs `kind` before the value, so that unpack() does not take a value for one of another kind.
template <class T>
Bytes pack(const std::string& kind, const T& value) {
  PackArchive archive;
  archive(kind, value);
  return archive.take();
}

/// Unpacks what pack() of the same kind made; E503 for any other bytes.
template <class T>
Result<T> unpack(const std::string& kind, const std::string& whose, std::string_view bytes) {
  UnpackArchive archive(bytes);
  std::string found;
  T value;
  archive(found, value);
  if (!archive.whole() || found != kind) return unusable(kind, whose);
  return value;
}

}  // namespace mlps::world
