#pragma once

#include <string>

#include "rules/tree.hpp"

namespace mlps::reports {

/// Returns submission.yaml of a submission ("closed/acme") in the shape "mlps-submission-manifest/1": its systems, its
/// run folders with their stamps, and the code images that they point to. A run without a stamp has its class derived
/// from its metadata. Unreadable files are told in `problems`.
std::string manifest_text(const rules::Tree& tree, const std::string& submission, rules::Problems& problems);

/// Returns a page, as a PDF, that shows the description of a system as it was written: A4, as many pages
/// as that takes. Characters outside of ASCII are shown as '?'.
std::string description_page(const std::string& title, const std::string& yaml);

}  // namespace mlps::reports
