#include "reports/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "rules/editions.hpp"
#include "rules/rule.hpp"

namespace mlps::reports {
namespace {

using rules::joined;
using rules::Leaf;

constexpr int kLayoutVersion = 3;
constexpr const char* kNotKnown = "unknown";

// A text that YAML reads as just this text.
std::string yaml_text(std::string_view text) {
  std::string out;
  Json::append_quoted(text, out);
  return out;
}

std::string list_of(const char* key, const std::set<std::string>& values) {
  std::string text = fmt::format("{}:{}\n", key, values.empty() ? " []" : "");
  for (const std::string& value : values) text += fmt::format("  - {}\n", yaml_text(value));
  return text;
}

// Collects what the runs of a submission say.
class Manifest {
 public:
  Manifest(const rules::Tree& tree, const std::string& submission) : tree_(tree), submission_(submission) {}

  void add(const rules::Workload& workload, const Leaf& leaf) {
    const rules::Node stamp = leaf.provenance.root();
    const std::string path = leaf.place.path.substr(submission_.size() + 1);
    const std::string hash = stamp.at("core_config.hash").text_or(rules::core_hash_of(workload.place.family, leaf));
    versions_.insert(stamp.at("tool.version").text_or(kNotKnown));
    commits_.insert(stamp.at("dlio.commit").text_or(kNotKnown));
    if (!leaf.pointer.empty()) images_.insert(leaf.pointer);
    systems_.insert(workload.place.system);
    std::vector<std::pair<const char*, std::string>> fields = {
        {"leaf", path},
        {"benchmark", workload.place.family},
        {"model", workload.place.model},
        {"command", leaf.metadata["command"].text_or(leaf.place.command)},
        {"accelerator", leaf.metadata["accelerator"].text_or(kNotKnown)},
        {"system", workload.place.system},
        {"rules_edition", stamp["rules_edition"].text_or(kNotKnown)},
        {"core_config", hash},
        {"code_image", leaf.pointer.empty() ? kNotKnown : leaf.pointer},
        {"provenance", stamp.is_there() ? path + "/provenance.json" : "derived"}};
    for (size_t i = 0; i < fields.size(); ++i) {
      runs_ += fmt::format("  {} {}: {}\n", i == 0 ? "-" : " ", fields[i].first, yaml_text(fields[i].second));
    }
  }

  std::string text() const {
    const size_t slash = submission_.find('/');
    std::string text = "schema: mlps-submission-manifest/1\n";
    text +=
        fmt::format("orgname: {}\nmode: {}\n", yaml_text(submission_.substr(slash + 1)), submission_.substr(0, slash));
    text += fmt::format("rules_edition: {}\nlayout_version: {}\n", yaml_text(kRulesEdition), kLayoutVersion);
    text += fmt::format("generated_at: {}\n", yaml_text(iso_utc(Stamp::now().wall_us)));
    text += fmt::format("generated_by: {}\n", yaml_text(fmt::format("mlpstorage {}", version_text())));
    text += list_of("tool_versions", versions_) + list_of("dlio_commits", commits_);
    text += fmt::format("systems:{}\n", systems_.empty() ? " []" : "");
    for (const std::string& name : systems_) {
      const std::string about = "systems/" + name;
      const bool has_page = tree_.has(joined(submission_, about + ".pdf"));
      text += fmt::format("  - name: {}\n    description: {}\n    pdf: {}\n", yaml_text(name),
                          yaml_text(about + ".yaml"), yaml_text(has_page ? about + ".pdf" : "missing"));
    }
    text += fmt::format("runs:{}\n", runs_.empty() ? " []" : "") + runs_;
    text += list_of("code_images", images_);
    return text + "provenance:\n  rules_edition: tool-constant\n  runs: walked\n";
  }

 private:
  const rules::Tree& tree_;
  const std::string& submission_;
  std::set<std::string> versions_, commits_, images_, systems_;
  std::string runs_;
};

// ---- PDF

constexpr size_t kLinesOfPage = 72;
constexpr size_t kLettersOfLine = 96;

std::string page_text(const std::vector<std::string>& lines, size_t first) {
  std::string text = "BT /F1 9 Tf 11 TL 50 800 Td\n";
  for (size_t i = first; i < std::min(lines.size(), first + kLinesOfPage); ++i) {
    text += '(';
    for (const char c : lines[i]) {
      if (c == '(' || c == ')' || c == '\\') text += '\\';
      text += c >= ' ' && c <= '~' ? c : '?';
    }
    text += ") Tj T*\n";
  }
  return text + "ET\n";
}

std::vector<std::string> lines_of(const std::string& title, const std::string& yaml) {
  std::vector<std::string> lines = {title, ""};
  for (size_t at = 0; at < yaml.size();) {
    const size_t end = std::min(yaml.find('\n', at), yaml.size());
    for (size_t from = at; from == at || from < end; from += kLettersOfLine) {
      lines.push_back(yaml.substr(from, std::min(kLettersOfLine, end - from)));
    }
    at = end + 1;
  }
  return lines;
}

}  // namespace

std::string manifest_text(const rules::Tree& tree, const std::string& submission, rules::Problems& problems) {
  Manifest manifest(tree, submission);
  for (const rules::WorkloadPlace& place : tree.workloads(submission, problems)) {
    const rules::Workload workload = tree.load(place, problems);
    for (const Leaf& leaf : workload.leaves) manifest.add(workload, leaf);
  }
  return manifest.text();
}

std::string description_page(const std::string& title, const std::string& yaml) {
  const std::vector<std::string> lines = lines_of(title, yaml);
  const size_t pages = (lines.size() + kLinesOfPage - 1) / kLinesOfPage;
  // Objects 1 to 3 are catalogue, list of pages and font; each page has two, itself and its text.
  std::vector<std::string> objects = {"<< /Type /Catalog /Pages 2 0 R >>", "",
                                      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
  std::string kids;
  for (size_t page = 0; page < pages; ++page) {
    kids += fmt::format("{} 0 R ", objects.size() + 1);
    const std::string text = page_text(lines, page * kLinesOfPage);
    objects.push_back(
        fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
                    "/Contents {} 0 R >>",
                    objects.size() + 2));
    objects.push_back(fmt::format("<< /Length {} >>\nstream\n{}endstream", text.size(), text));
  }
  objects[1] = fmt::format("<< /Type /Pages /Count {} /Kids [ {}] >>", pages, kids);
  std::string pdf = "%PDF-1.4\n";
  std::string table = fmt::format("xref\n0 {}\n0000000000 65535 f \n", objects.size() + 1);
  for (size_t i = 0; i < objects.size(); ++i) {
    table += fmt::format("{:010} 00000 n \n", pdf.size());
    pdf += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
  }
  return fmt::format("{}{}trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n", pdf, table, objects.size() + 1,
                     pdf.size());
}

}  // namespace mlps::reports
