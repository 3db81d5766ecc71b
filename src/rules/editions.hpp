#pragma once

#include <array>
#include <string>
#include <string_view>

#include "rules/tree.hpp"

/// What MLCommons publishes of the editions of the rules: which there are, which classes of runs compare with each
/// other, and which revisions of DLIO results were accepted from.
namespace mlps::rules {

inline constexpr std::array<std::string_view, 4> kPublishedEditions = {"0.5", "1.0", "2.0", "3.0"};

/// Returns the edition that a submission's submission.yaml declares; empty if there is none, or it says "unknown".
std::string declared_edition(const Tree& tree, std::string_view submission);
/// Returns whether a submission declares a published edition whose trees can't be judged here: they have another form.
bool declares_other_edition(const Tree& tree, std::string_view submission);

/// Names runs that can be compared with each other: they executed the same workload. All classes are of closed.
struct ComparabilityClass {
  std::string_view id;  ///< "unet3d-b200-A"
  std::string_view family, model;
  std::string_view accelerator;  ///< empty: any
  std::string_view hash;         ///< of the core configuration
};

/// Returns the class of edition 3.0 of a run with this core configuration, or nullptr.
const ComparabilityClass* class_of(std::string_view family, std::string_view model, std::string_view accelerator,
                                   std::string_view hash);

/// Returns the hash of the core configuration of a run, computed from the parameters of its metadata; "unknown" where
/// these don't tell it.
std::string core_hash_of(std::string_view family, const Leaf& leaf);

}  // namespace mlps::rules
