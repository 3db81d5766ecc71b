#include "storage/object/control.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "storage/outcome.hpp"

namespace mlps::object {
namespace {

// What an upload of the gate whose beginning wasn't answered may take to be found and given up.
constexpr Nanos kFindLostLimit = 10'000'000'000;

/// Returns the first key that doesn't begin with `prefix`, as text for an error; nothing if all do.
template <class Listed>
std::optional<std::string> stray_key(const std::vector<Listed>& list, std::string_view prefix) {
  for (const Listed& entry : list) {
    if (entry.key.starts_with(prefix)) continue;
    return fmt::format("the server listed \"{}\", which doesn't begin with the prefix", printable(entry.key));
  }
  return std::nullopt;
}

}  // namespace

const std::string& Control::bucket_subject(std::string_view below) {
  uri_ = fmt::format("{}://{}{}", scheme_name(context_->root.scheme()), context_->root.bucket(), below);
  return uri_;
}

tl::unexpected<Error> Control::unusable(ErrorCode code, std::string_view why) const {
  return fail(code, fmt::format("{} {}: {}", context_->dialect->call_name(call_.kind), call_.subject, why));
}

Status Control::run() {
  client_->begin(call_);
  done_.clear();
  while (done_.empty()) {
    if (cancelled_.load()) {
      client_->drop(call_);
      return fail(storage::cancelled_error(context_->dialect->call_name(call_.kind), call_.subject));
    }
    client_->poll(std::chrono::seconds(1), done_);
  }
  if (call_.error) return fail(*call_.error);
  return {};
}

Status Control::reach() {
  context_->dialect->ask_bucket(call_, bucket_subject(""));
  auto bucket = run();
  // A refusal of HEAD has no words, by which a missing bucket could be told from an unknown user, for example.
  const int status = call_.exchange.status;
  if (!bucket && call_.method == http::Method::kHead && call_.server_code.empty() && status >= 400 && status < 500) {
    const std::string prefix = context_->key_prefix("");
    context_->dialect->ask_list(call_, bucket_subject("/" + prefix), prefix, {});
    if (Status told = run(); !told) bucket = std::move(told);
  }
  if (!bucket && bucket.error().code == ErrorCode::kStorageNotFound && bucket.error().suggestion.empty()) {
    bucket.error().suggestion = fmt::format("Create bucket {} first, or check the endpoint.", context_->root.bucket());
  }
  return bucket;
}

Status Control::begin_and_send(RemoteObject& object, std::span<const std::byte> part, bool& begun_unknown) {
  const Dialect& dialect = *context_->dialect;
  for (unsigned round = 0; dialect.ask_begin(call_, object, round); ++round) {
    Status begun = run();
    begun_unknown = begun_unknown || call_.answer_lost;
    if (!begun) return begun;
    if (auto status = dialect.take_begin(call_, object); !status) {
      begun_unknown = true;
      return unusable(status.error().code, status.error().message);
    }
  }
  for (unsigned round = 0; dialect.ask_part(call_, object, 0, part, round); ++round) {
    if (auto status = run(); !status) return status;
    if (auto status = dialect.take_part(call_, object, 0); !status) return status;
  }
  return {};
}

Status Control::try_upload(std::string_view name, std::span<const std::byte> part) {
  const auto object =
      context_->make_object({.name = std::string(name), .size_bytes = part.size() + 1, .part_bytes = part.size()});
  if (object->single() || object->part_length(0) != part.size()) {
    return fail(ErrorCode::kInternal, fmt::format("{} bytes are no part of an upload", part.size()));
  }
  object->parts.assign(object->part_count(), {});
  bool begun_unknown = false;
  Status outcome = begin_and_send(*object, part, begun_unknown);
  const auto left = [&](Status given_up, std::string_view how) {
    Error& error = outcome ? given_up.error() : outcome.error();
    error.details +=
        fmt::format("{}an unfinished upload of {} {} left", error.details.empty() ? "" : "; ", object->uri(), how);
    return fail(std::move(error));
  };
  for (unsigned round = 0; context_->dialect->ask_abort(call_, *object, round); ++round) {
    if (Status given_up = run(); !given_up) return left(std::move(given_up), "is");
  }
  if (begun_unknown) {
    const auto lost = abort_uploads(
        name, [&](std::string_view other) { return other == name; }, now_ns() + kFindLostLimit);
    if (!lost) return left(fail(lost.error()), "may be");
  }
  return outcome;
}

Result<storage::ObjectInfo> Control::head(std::string_view name) {
  const auto object = context_->make_object({.name = std::string(name)});
  context_->dialect->ask_head(call_, *object);
  if (auto status = run(); !status) {
    if (status.error().code != ErrorCode::kStorageNotFound) return fail(std::move(status.error()));
    // An answer to HEAD has no body, so it can't say whether the object or the whole bucket is missing.
    if (auto bucket = reach(); !bucket && bucket.error().code == ErrorCode::kStorageNotFound) {
      return fail(std::move(bucket.error()));
    }
    return fail(std::move(status.error()));
  }
  const auto facts = context_->dialect->read_head(call_.exchange);
  if (!facts) return unusable(facts.error().code, facts.error().message);
  return storage::ObjectInfo{std::string(name), facts->size_bytes};
}

Result<storage::ListPage> Control::list(std::string_view prefix, const std::string& continuation) {
  const std::string key_prefix = context_->key_prefix(prefix);
  context_->dialect->ask_list(call_, bucket_subject("/" + key_prefix), key_prefix, continuation);
  if (auto status = run(); !status) return fail(std::move(status.error()));

  auto answer = context_->dialect->read_list(call_);
  if (!answer) return unusable(answer.error().code, answer.error().message);
  if (!answer->next.empty() && answer->next == continuation) {
    return unusable(ErrorCode::kStorageProtocol, "the server repeats its continuation token, so the list never ends");
  }
  if (const auto stray = stray_key(answer->objects, key_prefix)) return unusable(ErrorCode::kStorageProtocol, *stray);
  storage::ListPage page;
  page.next = std::move(answer->next);
  const size_t root_bytes = context_->key_prefix("").size();
  for (const ListedObject& object : answer->objects) {
    page.objects.push_back({object.key.substr(root_bytes), object.size_bytes});
  }
  return page;
}

Status Control::put(std::string_view name, std::span<const std::byte> bytes) {
  const auto object =
      context_->make_object({.name = std::string(name), .size_bytes = bytes.size(), .part_bytes = bytes.size()});
  object->parts.resize(1);
  for (unsigned round = 0; context_->dialect->ask_part(call_, *object, 0, bytes, round); ++round) {
    if (auto status = run(); !status) return status;
    if (auto status = context_->dialect->take_part(call_, *object, 0); !status) return status;
  }
  return {};
}

Result<std::vector<std::byte>> Control::get(std::string_view name, uint64_t offset, uint64_t length) {
  std::vector<std::byte> out(length);
  if (length == 0) return out;
  const auto object = context_->make_object({.name = std::string(name)});
  context_->dialect->ask_read(call_, *object, offset, out);
  call_.object_bytes.reset();  // not known
  if (auto status = run(); !status) return fail(std::move(status.error()));
  return out;
}

Status Control::remove(std::string_view name) {
  const auto object = context_->make_object({.name = std::string(name)});
  context_->dialect->ask_delete(call_, *object);
  return run();
}

Result<UploadsPage> Control::list_uploads(const std::string& key_prefix, const UploadsPage& after, Nanos deadline_ns) {
  if (!context_->dialect->ask_list_uploads(call_, bucket_subject("/" + key_prefix), key_prefix, after)) {
    return UploadsPage{};
  }
  call_.deadline_ns = deadline_ns;
  if (auto status = run(); !status) return fail(std::move(status.error()));

  auto answer = context_->dialect->read_list_uploads(call_);
  if (!answer) return unusable(answer.error().code, answer.error().message);
  if (!answer->next_key.empty() && answer->next_key == after.next_key && answer->next_id == after.next_id) {
    return unusable(ErrorCode::kStorageProtocol, "the server repeats its marker, so the list never ends");
  }
  if (const auto stray = stray_key(answer->uploads, key_prefix)) return unusable(ErrorCode::kStorageProtocol, *stray);
  return std::move(*answer);
}

Result<std::vector<Control::OpenUpload>> Control::find_uploads(std::string_view prefix,
                                                               const storage::NameFilter& is_meant, Nanos deadline_ns) {
  const std::string key_prefix = context_->key_prefix(prefix);
  const size_t root_bytes = context_->key_prefix("").size();
  std::vector<OpenUpload> found;
  UploadsPage page;
  do {
    if (now_ns() >= deadline_ns) {
      return fail(ErrorCode::kStorageUnreachable,
                  fmt::format("{} {}: not done in time", context_->dialect->call_name(CallKind::kListUploads),
                              bucket_subject("/" + key_prefix)));
    }
    auto next = list_uploads(key_prefix, page, deadline_ns);
    if (!next) return fail(std::move(next.error()));
    page = std::move(*next);
    for (ListedUpload& upload : page.uploads) {
      std::string name = upload.key.substr(root_bytes);
      if (is_meant(name)) found.push_back({std::move(name), std::move(upload.id)});
    }
  } while (!page.next_key.empty());
  return found;
}

Status Control::abort_upload(const OpenUpload& upload, Nanos deadline_ns) {
  const auto object = context_->make_object({.name = upload.name});
  for (unsigned round = 0; context_->dialect->ask_abort_found(call_, *object, upload.id, round); ++round) {
    if (now_ns() >= deadline_ns) return unusable(ErrorCode::kStorageUnreachable, "not done in time");
    call_.deadline_ns = deadline_ns;
    if (auto status = run(); !status) return status;
  }
  return {};
}

Result<uint64_t> Control::abort_uploads(std::string_view prefix, const storage::NameFilter& is_meant,
                                        Nanos deadline_ns) {
  const auto found = find_uploads(prefix, is_meant, deadline_ns);
  if (!found) return fail(found.error());
  uint64_t aborted = 0;
  std::optional<Error> first;
  for (const OpenUpload& upload : *found) {
    Status status = abort_upload(upload, deadline_ns);
    if (status) {
      ++aborted;
    } else if (!first) {
      first = std::move(status.error());
    }
  }
  if (!first) return aborted;
  first->message = fmt::format("{} of {} unfinished uploads could not be aborted; the first: {}",
                               found->size() - aborted, found->size(), first->message);
  return fail(std::move(*first));
}

}  // namespace mlps::object
