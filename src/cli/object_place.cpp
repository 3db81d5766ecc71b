#include "cli/object_place.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/numbers.hpp"
#include "base/output.hpp"
#include "base/units.hpp"

namespace mlps::cli {
namespace {

constexpr Nanos kTellEvery = 5'000'000'000;

/// Asks for anything, so that an address that leads nowhere is found out before the patience of a run begins.
Status reach(storage::Store& store, const std::string& name) {
  if (store.endpoints().empty()) return {};
  auto session = store.open_probe_session();
  if (!session) return fail(std::move(session.error()));
  const auto answered = (*session)->head(name.empty() ? "mlpstorage" : name);
  if (answered || answered.error().code != ErrorCode::kStorageUnreachable) return {};
  return fail(answered.error());
}

bool is_missing(const Error& error) {
  return error.code == ErrorCode::kStorageNotFound || error.code == ErrorCode::kPathNotFound;
}

/// Returns an error unless nothing is what an empty folder or bucket has.
Status allow_nothing(const Place& place) {
  std::error_code ignored;
  const bool there =
      place.store->traits().file_system
          ? std::filesystem::is_directory(std::filesystem::path(place.store->root().path()) / place.name, ignored)
          : place.name.empty();
  if (there) return {};
  return fail(ErrorCode::kStorageNotFound, fmt::format("{}: nothing is there", place.shown(place.name)), {},
              "check the location; 'mlpstorage object ls' of the folder or bucket above it shows what is");
}

/// Calls `take` with the pages; returns how many objects they had.
Result<uint64_t> take_pages(const Place& place, const TakePage& take) {
  uint64_t objects = 0;
  std::string next;
  do {
    auto page = place.session->list(place.prefix(), next);
    if (!page) return fail(std::move(page.error()));
    if (Status taken = take(page->objects); !taken) return fail(std::move(taken.error()));
    objects += page->objects.size();
    next = std::move(page->next);
  } while (!next.empty());
  return objects;
}

/// Calls `take` with the pages of what is below the place.
Status take_all_below(const Place& place, const TakePage& take) {
  const auto objects = take_pages(place, take);
  if (!objects) return fail(objects.error());
  return *objects == 0 ? allow_nothing(place) : Status{};
}

}  // namespace

Result<Place> open_place(const std::string& text, const Environment& environment,
                         const storage::StoreOptions& options) {
  auto location = parse_location(text);
  // Of az:// variables may name the account.
  if (text.find("://") != std::string::npos && (!location || location->is_object_store())) {
    location = checkpoint_location(text, AccessProtocol::kObject, false, environment);
  }
  if (!location) return fail(location.error());
  Place place;
  place.folder = text.ends_with('/') || location->path().empty();
  Location root(location->scheme(), location->bucket(), "");
  place.name = location->path();
  if (location->is_file_system()) {
    const std::filesystem::path path = location->path();
    std::error_code ignored;
    place.folder = place.folder || std::filesystem::is_directory(path, ignored);
    root = Location(location->scheme(), "", place.folder ? path.string() : path.parent_path().string());
    place.name = place.folder ? "" : path.filename().string();
  }
  auto store = storage::open_store(root, options, environment);
  if (!store) return fail(std::move(store.error()));
  place.store = std::move(*store);
  if (Status reached = reach(*place.store, place.name); !reached) return fail(std::move(reached.error()));
  auto session = place.store->open_session(1);
  if (!session) return fail(std::move(session.error()));
  place.session = std::move(*session);
  return place;
}

Status with_op_log(const std::string& path, std::string client,
                   const std::function<Status(std::shared_ptr<storage::OpLog>)>& work) {
  if (path.empty()) return work(nullptr);
  auto log = storage::OpLog::open(path, std::move(client));
  if (!log) return fail(std::move(log.error()));
  Status done = work(*log);
  Status closed = (*log)->close();
  return done ? closed : done;
}

void Progress::add(uint64_t bytes) {
  const uint64_t objects = objects_.fetch_add(1) + 1;
  const uint64_t total = bytes_.fetch_add(bytes) + bytes;
  Nanos told = told_ns_.load();
  const Nanos now = now_ns();
  if (now - told < kTellEvery || !told_ns_.compare_exchange_strong(told, now)) return;
  print_error(
      fmt::format("{}, {} {} so far\n", counted(static_cast<double>(objects), "object"), human_bytes(total), did_));
}

Status for_each_page(const Place& place, const TakePage& take) {
  if (place.name.empty() || place.folder) return take_all_below(place, take);
  const auto itself = place.session->head(place.name);
  const bool files = place.store->traits().file_system;
  if (!itself && (files || !is_missing(itself.error()))) return fail(itself.error());
  if (!itself) return take_all_below(place, take);
  if (Status taken = take({*itself}); !taken || files) return taken;
  const auto below = take_pages(place, take);
  return below ? Status{} : Status(fail(below.error()));
}

}  // namespace mlps::cli
