#include "cli/submission_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "base/output.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "base/version.hpp"
#include "cli/program_words.hpp"
#include "cli/report_command.hpp"
#include "cli/utilities.hpp"
#include "flags/values.hpp"
#include "reports/compare.hpp"
#include "reports/manifest.hpp"
#include "reports/package.hpp"
#include "reports/page/comparison_page.hpp"
#include "reports/readiness.hpp"
#include "results/lockfile.hpp"
#include "results/run_folder.hpp"
#include "rules/coverage.hpp"

namespace mlps::cli {
namespace {

constexpr uint64_t kMostRulesBytes = 16 * kMiB;

bool keeps(const reports::Standing& one, Reader& reader) {
  const auto is_other = [&](const char* flag, const std::string& value) {
    return reader.given(flag) && reader.text(flag) != value;
  };
  const std::string family = one.benchmark == "vector_database" ? "vectordb"
                             : one.benchmark == "kv_cache"      ? "kvcache"
                                                                : one.benchmark;
  const bool other_family =
      reader.given("benchmark") && reader.text("benchmark") != family && reader.text("benchmark") != one.benchmark;
  return !other_family && !is_other("mode", one.division) && !is_other("model", one.model) &&
         !is_other("systemname", one.system) && !is_other("submit", std::string(name_of(one.token)));
}

// Writes a page for each system whose description has none.
Status write_pages(const rules::Tree& tree, const std::vector<std::string>& submissions) {
  for (const std::string& submission : submissions) {
    rules::Problems ignored;
    for (const rules::Entry& entry : tree.list(submission + "/systems", ignored)) {
      if (!entry.name.ends_with(".yaml")) continue;
      const std::string stem = fmt::format("{}/systems/{}", submission, entry.name.substr(0, entry.name.size() - 5));
      if (tree.has(stem + ".pdf")) continue;
      const Result<std::string> text = read_file(tree.absolute(stem + ".yaml"), "description of a system", kMiB);
      if (!text) return fail(text.error());
      const std::string title = "System description " + entry.name.substr(0, entry.name.size() - 5);
      const Status written = results::write_file(tree.absolute(stem + ".pdf"), reports::description_page(title, *text));
      if (!written) return written;
      print(fmt::format("wrote {}.pdf: a page of the description's text\n", stem));
    }
  }
  return {};
}

std::string package_path(const std::string& out, const std::string& results_dir, const std::string& orgname) {
  const std::string name = fmt::format("{}-{}-{}.tar.gz", orgname, kRulesEdition, run_stamp(Stamp::now().wall_us));
  if (out.empty()) return fmt::format("{}/.mlps/packages/{}", results_dir, name);
  std::error_code unknown;
  const bool is_folder = std::filesystem::is_directory(out, unknown) || out.ends_with('/');
  return is_folder ? (std::filesystem::path(out) / name).string() : out;
}

Json contents_json(const std::vector<reports::PackedFile>& files, const std::string& orgname,
                   const std::string& archive, const std::string& digest) {
  Json list = Json::array();
  for (const reports::PackedFile& file : files) {
    list.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return {{"schema", "mlpstorage.package/1"},
          {"orgname", orgname},
          {"rules_edition", kRulesEdition},
          {"made_by", version_line()},
          {"archive", std::filesystem::path(archive).filename().string()},
          {"archive_sha256", digest},
          {"files", std::move(list)}};
}

Status write_package(const rules::Tree& tree, std::vector<reports::PackedFile> files, const std::string& path,
                     const std::string& orgname) {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) return fail(errno_error(failed.value(), "create folder " + folder.string()));
  const Result<std::string> digest = reports::write_archive(tree, files, path);
  if (!digest) return fail(digest.error());
  const std::string name = std::filesystem::path(path).filename().string();
  Status written = results::write_file(path + ".sha256", fmt::format("{}  {}\n", *digest, name));
  if (written) {
    written = results::write_file(path + ".manifest.json", contents_json(files, orgname, path, *digest).dump(2) + "\n");
  }
  if (written)
    print(fmt::format("packed {}: {}\nsha256 {}\n", counted(static_cast<double>(files.size()), "file"), path, *digest));
  return written;
}

}  // namespace

int status_command(const CommandSyntax& command, const Settings& settings, const std::string& results_dir) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const Result<rules::Tree> tree = rules::Tree::open(results_dir);
  if (!tree) return report(tree.error());
  Result<reports::Readiness> readiness = reports::readiness_of(*tree);
  if (!readiness) return report(readiness.error());
  reports::Readiness shown = *readiness;
  std::erase_if(shown.results, [&](const reports::Standing& one) { return !keeps(one, reader); });
  const bool with_runs = reader.on("runs");
  const bool json = reader.on("json");
  if (!errors.empty()) return report(errors);
  print(json ? reports::readiness_json(shown).dump(2) + "\n" : reports::readiness_text(shown, with_runs));
  return kExitSuccess;
}

int submit_command(const CommandSyntax& command, const Settings& settings, const std::string& results_dir,
                   const std::string& orgname) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const std::string out = reader.given("out") ? reader.text("out") : std::string();
  const bool only_shown = reader.on("dry-run");
  if (!errors.empty()) return report(errors);
  const Result<rules::Tree> tree = rules::Tree::open(results_dir);
  if (!tree) return report(tree.error());
  rules::Problems problems;
  if (!only_shown) {
    if (const Status pages = write_pages(*tree, tree->submissions(problems)); !pages) return report(pages.error());
    const Result<reports::Report> made = reports::generate(*tree, {});
    if (!made) return report(made.error());
  }
  const Result<reports::Readiness> readiness = reports::readiness_of(*tree);
  if (!readiness) return report(readiness.error());
  print(reports::readiness_text(*readiness, false));
  problems.clear();
  const std::vector<reports::PackedFile> files = reports::files_to_pack(*tree, problems);
  for (const rules::Problem& problem : problems) {
    print_error(fmt::format("warning: {} {}\n", printable(problem.path), printable(problem.message)));
  }
  if (!readiness->is_submittable()) {
    return report(
        {ErrorCode::kSubmissionFailed, "nothing was packed: what stands above has to be mended first", {}, {}});
  }
  uint64_t bytes = 0;
  for (const reports::PackedFile& file : files) bytes += file.bytes;
  const std::string path = package_path(out, results_dir, orgname);
  if (only_shown) {
    print(fmt::format("would pack {}, {}, as {}\n", counted(static_cast<double>(files.size()), "file"),
                      human_bytes(bytes), path));
    return kExitSuccess;
  }
  const Status packed = write_package(*tree, files, path, orgname);
  return packed ? kExitSuccess : report(packed.error());
}

int compare_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const bool json = reader.on("json");
  const std::string page = reader.text("output");
  if (const Status free = page.empty() ? Status() : check_page_output(page); !free) errors.push_back(free.error());
  if (!errors.empty()) return report(errors);
  const Result<reports::Comparison> comparison = reports::compare(words[0], words[1]);
  if (!comparison) return report(comparison.error());
  print(json ? reports::comparison_json(*comparison).dump(2) + "\n" : reports::comparison_text(*comparison));
  if (page.empty()) return kExitSuccess;
  if (const Status written = results::write_file(page, reports::page::page_of(*comparison)); !written) {
    return report(written.error());
  }
  if (!json) print(page + "\n");
  return kExitSuccess;
}

int lockfile_command(const CommandSyntax& command, const Settings& settings) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const bool generates = command.is(kLockGenerate);
  const std::string path = reader.text(generates ? "output" : "lockfile");
  const std::vector<std::string> skipped = generates ? std::vector<std::string>() : reader.list("skip");
  if (!errors.empty()) return report(errors);
  if (!generates) {
    const Status verified = results::verify_lock(path, skipped);
    if (!verified) return report(verified.error());
    print(fmt::format("{} holds here\n", path));
    return kExitSuccess;
  }
  const Result<std::string> text = results::lock_text();
  if (!text) return report(text.error());
  if (const Status written = results::write_file(path, *text); !written) return report(written.error());
  print(fmt::format("wrote {}\n", path));
  return kExitSuccess;
}

int coverage_command(const CommandSyntax& command, const Settings& settings) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const std::string path = reader.given("rules-md") ? reader.text("rules-md") : std::string();
  const bool json = reader.on("json");
  if (!errors.empty()) return report(errors);
  Result<std::vector<rules::Coverage>> coverage = rules::known_coverage();
  if (!path.empty()) {
    const Result<std::string> text = read_file(path, "text of the rules", kMostRulesBytes);
    if (!text) return report(text.error());
    coverage = rules::coverage_of(*text);
    if (!coverage) {
      Error error = coverage.error();
      error.message = path + " " + error.message;
      return report(error);
    }
  }
  print(json ? rules::coverage_json(*coverage).dump(2) + "\n" : rules::coverage_text(*coverage));
  return kExitSuccess;
}

}  // namespace mlps::cli
