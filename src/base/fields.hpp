#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

/// One list of the fields of a struct, from which merging, packing and JSON are made. A struct is listed once, in its
/// own namespace, beside its definition:
///
///     struct Times { Nanos wait_ns = 0; Nanos longest_ns = 0; };
///     constexpr auto fields_of(Of<Times>) {
///       return std::tuple(summed("wait_ns", &Times::wait_ns), highest("longest_ns", &Times::longest_ns));
///     }
namespace mlps {

/// Names the struct whose list is asked for; no list of a base class is taken for that of a derived one.
template <class T>
struct Of {};

/// Tells how the values that two parts of a job have of a field become the value of the whole.
enum class Merging { kKeep, kSum, kHighest, kLowest, kEach };

/// Holds the published name of a field, which is empty for those that are not published, and where its value is.
template <class Owner, class Value, Merging rule>
struct Field {
  std::string_view name;
  Value Owner::*member;
};

template <Merging rule>
struct FieldMaker {
  template <class Owner, class Value>
  constexpr Field<Owner, Value, rule> operator()(std::string_view name, Value Owner::*member) const {
    return {name, member};
  }
};

/// Makes a field of which the whole keeps its own value.
inline constexpr FieldMaker<Merging::kKeep> kept;
/// Makes a field whose values add up: numbers are summed, histograms and listed structs merged, lists appended. An
/// optional value is known of the whole only if it is known of every part.
inline constexpr FieldMaker<Merging::kSum> summed;
inline constexpr FieldMaker<Merging::kHighest> highest;
inline constexpr FieldMaker<Merging::kLowest> lowest;
/// Makes a field with a list whose elements are merged one by one; all parts have equally many.
inline constexpr FieldMaker<Merging::kEach> each;

template <class T>
concept Listed = requires {
  fields_of(Of<T>());
};

/// Calls `visit` with every field of T, in the order of its list.
template <Listed T, class Visit>
constexpr void for_each_field(const Visit& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, fields_of(Of<T>()));
}

template <Listed T>
void merge(T& into, const T& from);

template <class T>
void add_value(T& into, const T& from) {
  if constexpr (Listed<T> || requires { into.merge(from); }) {
    if constexpr (Listed<T>) merge(into, from);
    if constexpr (!Listed<T>) into.merge(from);
  } else {
    into += from;
  }
}
template <class T>
void add_value(std::vector<T>& into, const std::vector<T>& from) {
  into.insert(into.end(), from.begin(), from.end());
}
template <class T>
void add_value(std::optional<T>& into, const std::optional<T>& from) {
  if (into && from) {
    add_value(*into, *from);
  } else {
    into.reset();
  }
}

/// Merges `from` into `into`, every field by its own rule.
template <Listed T>
void merge(T& into, const T& from) {
  for_each_field<T>([&]<class Owner, class Value, Merging rule>(const Field<Owner, Value, rule>& field) {
    Value& whole = into.*field.member;
    const Value& part = from.*field.member;
    if constexpr (rule == Merging::kSum) add_value(whole, part);
    if constexpr (rule == Merging::kHighest) whole = std::max(whole, part);
    if constexpr (rule == Merging::kLowest) whole = std::min(whole, part);
    if constexpr (rule == Merging::kEach) {
      for (size_t i = 0; i < whole.size(); ++i) merge(whole[i], part[i]);
    }
  });
}

/// Converts to anything; only for counting the members of an aggregate.
struct AnyValue {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};
template <class T, size_t... I>
constexpr bool is_made_of(std::index_sequence<I...>) {
  return requires {
    T{(static_cast<void>(I), AnyValue())...};
  };
}

/// Returns how many members of its own T has, an aggregate with so many base classes. For static_asserts beside lists
/// that leave members out on purpose: a new member must be thought about.
template <class T, size_t bases = 0, size_t least = 0>
consteval size_t own_members() {
  if constexpr (is_made_of<T>(std::make_index_sequence<least + 1>())) {
    return own_members<T, bases, least + 1>();
  } else {
    return least - bases;
  }
}

/// Whether the list of T has as many fields as T has members, those of its base classes included.
template <Listed T, class... Bases>
constexpr bool lists_every_member() {
  constexpr size_t kFields = std::tuple_size_v<decltype(fields_of(Of<T>()))>;
  return kFields == (own_members<T, sizeof...(Bases)>() + ... + own_members<Bases>());
}

}  // namespace mlps
