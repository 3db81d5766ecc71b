#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/units.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/generate_journal.hpp"
#include "storage/probe_name.hpp"
#include "world/archive.hpp"

namespace mlps::training {
namespace {

constexpr size_t kShownBytes = 100;

/// Where two shape texts begin to differ: the rest of both from the last word boundary before.
std::string difference(std::string_view there, std::string_view wanted) {
  const auto [a, b] = std::mismatch(there.begin(), there.end(), wanted.begin(), wanted.end());
  auto from = static_cast<size_t>(a - there.begin());
  const auto boundary = from == 0 ? std::string_view::npos : there.find_last_of("\n ,;{", from - 1);
  from = boundary == std::string_view::npos ? 0 : boundary + 1;
  const auto shown = [&](std::string_view text) {
    std::string part(text.substr(from, kShownBytes));
    std::replace(part.begin(), part.end(), '\n', ' ');
    return part;
  };
  return fmt::format("there: \"{}\"; wanted: \"{}\"", shown(there), shown(wanted));
}

tl::unexpected<Error> refused(const storage::Store& store, std::string_view what, std::string details) {
  return fail(ErrorCode::kInvalidStructure, fmt::format("{} {}", store.root().to_string(), what), std::move(details),
              "nothing was changed; choose another --data-dir, remove what is there, or repeat the parameters it was "
              "made with");
}

/// Markers of folders, as some tools leave them in buckets, hold nothing; nor do claims, and probes of a run that was
/// killed before it wrote its journal.
bool is_nothing(const storage::ObjectInfo& object) {
  const bool is_folder_marker = object.size_bytes == 0 && (object.name.empty() || object.name.ends_with('/'));
  return is_folder_marker || object.name.starts_with(storage::kOwnFiles);
}

Result<DestinationState> inspect_unmarked(storage::Store& store, storage::Session& session) {
  std::string continuation;
  do {
    const auto page = session.list("", continuation);
    if (!page) return fail(page.error());
    const auto found = std::find_if_not(page->objects.begin(), page->objects.end(), is_nothing);
    if (found != page->objects.end()) {
      return refused(store, "is not empty, and nothing says that it is a data set of this program",
                     fmt::format("neither {} nor {} is there, but {} ({} bytes)", kManifestName, kJournalName,
                                 found->name, grouped(found->size_bytes)));
    }
    continuation = page->next;
  } while (!continuation.empty());
  return DestinationState{};
}

}  // namespace

Result<DestinationState> inspect_destination(storage::Store& store, const std::string& shape) {
  if (!store.traits().holds_objects) return DestinationState{};
  auto session = store.open_session(1);
  if (!session) return fail(session.error());

  // The manifest first: with both there, a run ended between writing the one and removing the other.
  const auto manifest_bytes = read_text(**session, kManifestName);
  if (!manifest_bytes) return fail(manifest_bytes.error());
  if (*manifest_bytes) {
    const auto manifest = parse_manifest(**manifest_bytes);
    if (!manifest) {
      return refused(store, fmt::format("has a {} that can't be read", kManifestName), manifest.error().message);
    }
    if (manifest->shape.empty()) {
      return refused(store, "holds a data set that another program made",
                     fmt::format("{} of version {} for {}", kManifestName, manifest->tool_version, manifest->model));
    }
    if (manifest->shape != shape) {
      return refused(store, "holds a data set of another shape", difference(manifest->shape, shape));
    }
    return DestinationState{DestinationState::Kind::kComplete, 0};
  }

  const auto journal_bytes = read_text(**session, kJournalName);
  if (!journal_bytes) return fail(journal_bytes.error());
  if (!*journal_bytes) return inspect_unmarked(store, **session);
  const auto journal = parse_journal(**journal_bytes);
  if (!journal) {
    Error error = journal.error();
    error.details = store.root().to_string();
    return fail(std::move(error));
  }
  if (journal->shape != shape) {
    return refused(store, "holds an unfinished data set of another shape", difference(journal->shape, shape));
  }
  return DestinationState{DestinationState::Kind::kUnfinished, journal->whole_files};
}

world::Bytes encode(const DestinationState& state) {
  return world::Packer()(state.kind, state.whole_files).take();
}

Result<DestinationState> decode_destination(std::string_view bytes) {
  world::Unpacker in(bytes);
  DestinationState state;
  in(state.kind, state.whole_files);
  if (!in.whole() || static_cast<uint64_t>(state.kind) > static_cast<uint64_t>(DestinationState::Kind::kComplete)) {
    return fail(ErrorCode::kMpiCommunication, "what is at the destination came garbled from process 0");
  }
  return state;
}

}  // namespace mlps::training
