#include "cli/object_command.hpp"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>

#include "base/aligned_buffer.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/numbers.hpp"
#include "base/output.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "cli/object_place.hpp"
#include "cli/program_words.hpp"

namespace mlps::cli {
namespace {

using storage::Operation;
using storage::OpKind;

constexpr size_t kThreads = 16;  // for removing and copying many
constexpr uint64_t kPartBytes = 8 * kMiB;
constexpr Nanos kAbortLimit = 600'000'000'000;

/// Runs `work` for every object of a page, on several threads, each with sessions of its own; the first error ends it.
class PageWork {
 public:
  using Work = std::function<Status(size_t thread, const storage::ObjectInfo& object)>;

  Status run(const Page& page, const Work& task) {
    std::atomic<size_t> next = 0;
    const size_t threads = std::min(kThreads, page.size());
    if (threads == 0) return {};
    const auto share = [&](size_t thread) {
      for (size_t i = next++; i < page.size() && !failed_; i = next++) {
        if (Status done = task(thread, page[i]); !done) keep(std::move(done.error()));
      }
    };
    if (Status ran = run_on_threads(threads, {.name = "object threads"}, share); !ran) return ran;
    return first_ ? Status(fail(*first_)) : Status{};
  }

  /// Returns the session of a thread on a store, opened when it is first asked for.
  static Result<storage::Session*> session_of(std::vector<std::unique_ptr<storage::Session>>& sessions, size_t thread,
                                              storage::Store& store) {
    if (!sessions[thread]) {
      auto session = store.open_session(1);
      if (!session) return fail(std::move(session.error()));
      sessions[thread] = std::move(*session);
    }
    return sessions[thread].get();
  }

 private:
  void keep(Error error) {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = std::move(error);
    failed_ = true;
  }

  std::mutex mutex_;
  std::optional<Error> first_;
  std::atomic<bool> failed_ = false;
};

using Sessions = std::vector<std::unique_ptr<storage::Session>>;

// ---- looking

Json described(const Place& place, const storage::ObjectInfo& object) {
  return {{"location", place.shown(object.name)}, {"size_bytes", object.size_bytes}};
}

Status list_objects(const Place& place, bool json) {
  Progress progress("listed");
  if (json) print("[");
  const Status listed = for_each_page(place, [&](const Page& page) -> Status {
    std::string text;
    for (const storage::ObjectInfo& object : page) {
      if (json) {
        text += fmt::format("{}\n{}", progress.objects() == 0 ? "" : ",", described(place, object).dump());
      } else {
        text += fmt::format("{:>16}  {}\n", object.size_bytes, place.shown(object.name));
      }
      progress.add(object.size_bytes);
    }
    print(text);
    return {};
  });
  if (json) print("\n]\n");
  return listed;
}

Status sum_up(const Place& place, bool json) {
  Progress progress("counted");
  const Status looked = for_each_page(place, [&](const Page& page) -> Status {
    for (const storage::ObjectInfo& object : page) progress.add(object.size_bytes);
    return {};
  });
  if (!looked) return looked;
  if (json) {
    const Json sum = {{"objects", progress.objects()}, {"size_bytes", progress.bytes()}};
    print(sum.dump(2) + "\n");
  } else {
    print(fmt::format("{}, {} ({})\n", counted(static_cast<double>(progress.objects()), "object"),
                      counted(static_cast<double>(progress.bytes()), "byte"), human_bytes(progress.bytes())));
  }
  return {};
}

Status needs_an_object(const Place& place, std::string_view what) {
  if (!place.name.empty() && !place.folder) return {};
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {} is no object", what, place.shown(place.name)), {},
              "Name one object, or give --recursive for all that is below a folder.");
}

Status stat_object(const Place& place, bool json) {
  if (Status one = needs_an_object(place, "object stat"); !one) return one;
  const auto object = place.session->head(place.name);
  if (!object) return fail(object.error());
  print(json ? described(place, *object).dump(2) + "\n"
             : fmt::format("{:>16}  {}\n", object->size_bytes, place.shown(object->name)));
  return {};
}

// ---- removing

Status remove_objects(const Place& place, bool recursive) {
  Progress progress("removed");
  if (!recursive) {
    if (Status one = needs_an_object(place, "object rm"); !one) return one;
    const auto object = place.session->head(place.name);
    if (!object) return fail(object.error());
    if (Status removed = place.session->remove(place.name); !removed) return removed;
    progress.add(object->size_bytes);
  } else {
    PageWork work;
    Sessions sessions(kThreads);
    // Pages are listed ahead of what is removed, since removing may shift the pages of a file system.
    std::vector<Page> pages;
    const Status listed = for_each_page(place, [&](const Page& page) -> Status {
      pages.push_back(page);
      return {};
    });
    if (!listed) return listed;
    for (const Page& page : pages) {
      const Status removed = work.run(page, [&](size_t thread, const storage::ObjectInfo& object) -> Status {
        const auto session = PageWork::session_of(sessions, thread, *place.store);
        if (!session) return fail(session.error());
        if (Status done = (*session)->remove(object.name); !done) return done;
        progress.add(object.size_bytes);
        return {};
      });
      if (!removed) return removed;
    }
  }
  print(fmt::format("{}, {} removed\n", counted(static_cast<double>(progress.objects()), "object"),
                    human_bytes(progress.bytes())));
  return {};
}

Status show_uploads(const Place& place, bool abort) {
  std::vector<std::string> names;
  const auto note = [&](std::string_view name) {
    names.emplace_back(name);
    return abort;
  };
  const auto outcome = place.session->abort_uploads(place.prefix(), note, now_ns() + kAbortLimit);
  std::string text;
  for (const std::string& name : names) text += place.shown(name) + "\n";
  print(text);
  if (!outcome) return fail(outcome.error());
  print_error(abort ? fmt::format("{} unfinished uploads aborted\n", *outcome)
                    : fmt::format("{} unfinished uploads\n", names.size()));
  return {};
}

// ---- copying

/// Returns whether both names mean one object: by inode on file systems, where links and mounts give it several names.
bool is_same(const storage::Store& from, std::string_view name, const storage::Store& to, std::string_view other) {
  const Location one = from.root().join(name), two = to.root().join(other);
  std::error_code ignored;
  if (one.is_file_system() && two.is_file_system()) {
    return std::filesystem::equivalent(one.path(), two.path(), ignored);
  }
  return one.to_string() == two.to_string();
}

/// Refuses to copy a folder into itself: what was copied would be found again.
Status must_be_apart(const Place& from, const Place& to) {
  const auto path_of = [](const Place& place) {
    const Location at = place.store->root().join(place.name);
    std::error_code failed;
    const auto path = at.is_file_system() ? std::filesystem::weakly_canonical(at.path(), failed).string() : "";
    return (path.empty() ? at.to_string() : path) + "/";
  };
  if (!path_of(to).starts_with(path_of(from))) return {};
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("object cp: {} lies in {}", to.shown(to.name), from.shown(from.name)), {},
              "copy to a place outside of what is copied");
}

/// One thread's copying: a session on either side and a buffer.
struct Copier {
  storage::Store& from;
  storage::Store& to;
  storage::Session* source = nullptr;
  storage::Session* target = nullptr;
  AlignedBuffer buffer = {};

  static Status run(storage::Session& session, Operation& operation) {
    std::vector<Operation*> done;
    session.submit(operation);
    while (done.empty()) session.poll(std::chrono::seconds(1), done);
    return operation.error ? Status(fail(*operation.error)) : Status{};
  }

  Status copy_parts(storage::Object& object, storage::Object& copy) {
    for (uint32_t part = 0; part < copy.part_count(); ++part) {
      const uint64_t bytes = copy.part_length(part);
      if (bytes > 0) {
        Operation read{.kind = OpKind::kReadRange,
                       .object = &object,
                       .buffer = buffer.span().first(bytes),
                       .range_offset = copy.part_offset(part),
                       .range_bytes = bytes};
        if (Status got = run(*source, read); !got) return got;
      }
      Operation write{.kind = OpKind::kWritePart, .object = &copy, .part = part, .buffer = buffer.span().first(bytes)};
      if (Status put = run(*target, write); !put) return put;
    }
    Operation commit{.kind = OpKind::kCommitWrite, .object = &copy};
    return run(*target, commit);
  }

  Status copy(const storage::ObjectInfo& info, const std::string& name) {
    if (is_same(from, info.name, to, name)) {
      // Writing begins with cutting the target to nothing.
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("object cp: {} and {} are the same", from.root().join(info.name).to_string(),
                              to.root().join(name).to_string()),
                  {}, "copy to another name");
    }
    const auto object = from.object({.name = info.name, .size_bytes = info.size_bytes, .part_bytes = kPartBytes});
    const auto made = to.object({.name = name, .size_bytes = info.size_bytes, .part_bytes = kPartBytes});
    if (buffer.size() < made->part_bytes()) {
      auto larger = AlignedBuffer::allocate(made->part_bytes());
      if (!larger) return fail(std::move(larger.error()));
      buffer = std::move(*larger);
    }
    Operation open{.kind = OpKind::kBeginRead, .object = object.get()};
    if (Status begun = run(*source, open); !begun) return begun;
    Operation begin{.kind = OpKind::kBeginWrite, .object = made.get()};
    Status copied = run(*target, begin);
    if (copied) {
      copied = copy_parts(*object, *made);
      Operation abort{.kind = OpKind::kAbortWrite, .object = made.get()};
      // The first error is the one to tell; what an abort leaves, `object uploads` shows.
      if (!copied) (void)run(*target, abort);
    }
    Operation close{.kind = OpKind::kEndRead, .object = object.get()};
    const Status closed = run(*source, close);
    return copied ? closed : copied;
  }
};

std::string below(const Place& place, std::string_view name) {
  return place.prefix() + std::string(name);
}

/// Returns the name of the copy of the object that `from` itself names.
std::string name_of_copy(const Place& from, const Place& to) {
  const auto slash = from.name.rfind('/');
  const std::string last = slash == std::string::npos ? from.name : from.name.substr(slash + 1);
  return to.folder ? below(to, last) : to.name;
}

Status copy_objects(const Place& from, const Place& to, bool recursive) {
  Progress progress("copied");
  if (!recursive) {
    if (Status one = needs_an_object(from, "object cp"); !one) return one;
    const auto object = from.session->head(from.name);
    if (!object) return fail(object.error());
    Copier copier{*from.store, *to.store, from.session.get(), to.session.get()};
    if (Status copied = copier.copy(*object, name_of_copy(from, to)); !copied) return copied;
    progress.add(object->size_bytes);
  } else {
    if (Status apart = must_be_apart(from, to); !apart) return apart;
    PageWork work;
    Sessions sources(kThreads), targets(kThreads);
    std::vector<AlignedBuffer> buffers(kThreads);
    const Status copied = for_each_page(from, [&](const Page& page) {
      return work.run(page, [&](size_t thread, const storage::ObjectInfo& object) -> Status {
        const auto source = PageWork::session_of(sources, thread, *from.store);
        const auto target = PageWork::session_of(targets, thread, *to.store);
        if (!source) return fail(source.error());
        if (!target) return fail(target.error());
        Copier copier{*from.store, *to.store, *source, *target, std::move(buffers[thread])};
        const bool itself = object.name == from.name;
        const Status done =
            copier.copy(object, itself ? name_of_copy(from, to) : below(to, object.name.substr(from.prefix().size())));
        buffers[thread] = std::move(copier.buffer);
        if (done) progress.add(object.size_bytes);
        return done;
      });
    });
    if (!copied) return copied;
  }
  print(fmt::format("{}, {} copied\n", counted(static_cast<double>(progress.objects()), "object"),
                    human_bytes(progress.bytes())));
  return {};
}

Status run_object_command(const CommandSyntax& command, const ObjectArguments& arguments,
                          const Environment& environment, const storage::StoreOptions& options) {
  auto place = open_place(arguments.locations.front(), environment, options);
  if (!place) return fail(std::move(place.error()));
  if (!place->store->traits().holds_objects) {
    return fail(ErrorCode::kConfigIncompatible, fmt::format("{} holds no objects", place->shown("")));
  }
  if (command.is(kObjectLs)) return list_objects(*place, arguments.json);
  if (command.is(kObjectDu)) return sum_up(*place, arguments.json);
  if (command.is(kObjectStat)) return stat_object(*place, arguments.json);
  if (command.is(kObjectRm)) return remove_objects(*place, arguments.recursive);
  if (command.is(kObjectUploads)) return show_uploads(*place, arguments.abort);
  auto target = open_place(arguments.locations.at(1), environment, options);
  if (!target) return fail(std::move(target.error()));
  return copy_objects(*place, *target, arguments.recursive);
}

}  // namespace

Status object_command(const CommandSyntax& command, const ObjectArguments& arguments, const Environment& environment) {
  return with_op_log(arguments.op_log, "object:0", [&](std::shared_ptr<storage::OpLog> log) {
    return run_object_command(command, arguments, environment, {.servers = {.op_log = std::move(log)}});
  });
}

}  // namespace mlps::cli
