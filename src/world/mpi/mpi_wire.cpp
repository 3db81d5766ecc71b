#include "world/mpi/mpi_wire.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <list>
#include <string_view>

#include "base/version.hpp"
#include "base/waiting.hpp"
#include "world/mpi/plugin.h"

namespace mlps::world {
namespace {

using Plugin = mlps_mpi_plugin_table;

// With UCX over TCP, MPI_Finalize of MPICH before 4.2 asks each peer for a last answer and then receives nothing else.
// A peer that answers before it has asked, because it still polls for messages when this process is in MPI_Finalize
// already, gets no answer to its own question and hangs (pmodels/mpich #6596). So no process calls it before all have
// stopped polling.
constexpr Nanos kQuietNs = 100'000'000;

Error mpi_error(const Plugin& plugin, const std::string& what, int code) {
  char text[512] = {};
  plugin.error_text(code, text, sizeof text);
  return {ErrorCode::kMpiCommunication, fmt::format("{}: {}", what, text)};
}

class MpiWire final : public Wire {
 public:
  explicit MpiWire(const Plugin& plugin)
      : plugin_(plugin),
        index_(static_cast<uint32_t>(plugin.index())),
        size_(static_cast<uint32_t>(plugin.size())),
        unsent_(size_) {}

  uint32_t index() const override { return index_; }
  uint32_t size() const override { return size_; }
  Status send(uint32_t to, Bytes bytes) override;
  Result<std::optional<Message>> poll() override;
  std::optional<uint32_t> unreachable() const override { return unreachable_; }
  size_t unsent(uint32_t to) const override { return unsent_[to]; }
  Status finish() override;
  void abort(int exit_status, bool all_leave) override;

 private:
  struct Transfer {
    uint32_t peer = 0;
    Bytes bytes;  // must not move while under way, hence the lists
    void* request = nullptr;
  };

  Status move_sends();
  Status begin_receives();

  const Plugin& plugin_;
  const uint32_t index_;
  const uint32_t size_;
  std::list<Transfer> sends_;
  std::list<Transfer> receives_;
  std::vector<size_t> unsent_;
  std::optional<uint32_t> unreachable_;
};

Status MpiWire::send(uint32_t to, Bytes bytes) {
  Transfer& transfer = sends_.emplace_back(Transfer{to, std::move(bytes)});
  const int failed = plugin_.isend(transfer.bytes.data(), static_cast<int>(transfer.bytes.size()), static_cast<int>(to),
                                   &transfer.request);
  if (failed != 0) {
    sends_.pop_back();
    unreachable_ = to;
    return fail(mpi_error(plugin_, fmt::format("MPI_Isend to process {}", to), failed));
  }
  ++unsent_[to];
  return {};
}

Status MpiWire::move_sends() {
  for (auto transfer = sends_.begin(); transfer != sends_.end();) {
    int done = 0;
    const int failed = plugin_.test(transfer->request, &done);
    const uint32_t to = transfer->peer;
    if (failed != 0 || done != 0) {
      --unsent_[to];
      transfer = sends_.erase(transfer);
    } else {
      ++transfer;
    }
    if (failed != 0) {
      unreachable_ = to;
      return fail(mpi_error(plugin_, fmt::format("sending to process {}", to), failed));
    }
  }
  return {};
}

Status MpiWire::begin_receives() {
  for (;;) {
    int found = 0, from = 0, count = 0;
    if (const int failed = plugin_.iprobe(&found, &from, &count); failed != 0) {
      unreachable_.reset();
      return fail(mpi_error(plugin_, "MPI_Iprobe", failed));
    }
    if (found == 0) return {};
    Transfer& transfer =
        receives_.emplace_back(Transfer{static_cast<uint32_t>(from), Bytes(static_cast<size_t>(count), '\0')});
    const int failed = plugin_.irecv(transfer.bytes.data(), count, from, &transfer.request);
    if (failed != 0) {
      receives_.pop_back();
      return fail(mpi_error(plugin_, fmt::format("MPI_Irecv from process {}", from), failed));
    }
  }
}

Result<std::optional<Message>> MpiWire::poll() {
  if (Status moved = move_sends(); !moved) return fail(std::move(moved.error()));
  if (Status begun = begin_receives(); !begun) return fail(std::move(begun.error()));
  for (auto transfer = receives_.begin(); transfer != receives_.end(); ++transfer) {
    int done = 0;
    if (const int failed = plugin_.test(transfer->request, &done); failed != 0) {
      const uint32_t from = transfer->peer;
      receives_.erase(transfer);
      unreachable_ = from;
      return fail(mpi_error(plugin_, fmt::format("receiving from process {}", from), failed));
    }
    if (done == 0) continue;
    std::optional<Message> message = Message{transfer->peer, std::move(transfer->bytes)};
    receives_.erase(transfer);
    return message;
  }
  return std::optional<Message>();
}

void MpiWire::abort(int exit_status, bool all_leave) {
  // MPICH's launchers, Hydra and srun, kill every process at once, also the one that asked for it, and if that has not
  // left yet they return 9 or 137. Open MPI's keep to the status, but would complain of processes that just leave.
  if (all_leave && std::string_view(plugin_.flavour) == "mpich") return;
  plugin_.abort(exit_status);
}

Status MpiWire::finish() {
  if (std::string_view(plugin_.flavour) == "mpich") sleep_for(kQuietNs);
  if (const int failed = plugin_.finalize(); failed != 0) {
    return fail(ErrorCode::kMpiCommunication, fmt::format("MPI_Finalize failed with code {}", failed));
  }
  return {};
}

// Returns the table of functions of a plug-in file.
Result<const Plugin*> load(const std::string& path) {
  // Global: components that an MPI library opens itself look for its symbols there.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return fail(ErrorCode::kMpiNotAvailable, ::dlerror());
  using Entry = const Plugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, MLPS_MPI_PLUGIN_SYMBOL));
  if (entry == nullptr) return fail(ErrorCode::kMpiNotAvailable, path + ": not a plug-in of mlpstorage");
  const Plugin* plugin = entry();
  if (plugin->abi == MLPS_MPI_PLUGIN_ABI) return plugin;
  return fail(ErrorCode::kMpiNotAvailable, fmt::format("{}: plug-in of interface {}, but this mlpstorage has {}", path,
                                                       plugin->abi, MLPS_MPI_PLUGIN_ABI));
}

std::string library_advice(const std::string& flavour) {
  const bool open_mpi = flavour == "openmpi";
  return fmt::format("install {} ({}) and mlpstorage built with it, so that mlps_mpi_{}.so stands beside the program",
                     open_mpi ? "Open MPI" : "MPICH", open_mpi ? "Debian: openmpi-bin" : "Debian: mpich", flavour);
}

Result<const Plugin*> load_any(const Launched& launched, const std::vector<std::string>& folders) {
  std::string tried;
  for (const std::string& flavour : launched.flavours) {
    for (const std::string& folder : folders) {
      const std::string path = fmt::format("{}/mlps_mpi_{}.so", folder, flavour);
      std::error_code ignored;
      Result<const Plugin*> plugin =
          std::filesystem::exists(path, ignored) ? load(path) : fail(ErrorCode::kMpiNotAvailable, path + ": not there");
      if (plugin) return plugin;
      tried += (tried.empty() ? "" : "; ") + plugin.error().message;
    }
  }
  return fail(ErrorCode::kMpiNotAvailable,
              fmt::format("started by {}, but no MPI library joins the processes", launched.launcher), tried,
              library_advice(launched.flavours.front()));
}

// Written once on the MPI thread, before the processes have met.
std::string& library_name() {
  static std::string name;
  return name;
}

}  // namespace

std::vector<std::string> plugin_folders() {
  const std::filesystem::path folder = std::filesystem::path(binary_path()).parent_path();
  if (folder.empty()) return {};
  return {folder.string(), (folder.parent_path() / "lib" / "mlpstorage" / "mpi").string()};
}

std::string mpi_library() {
  return library_name().substr(0, library_name().find('\n'));
}

Result<std::unique_ptr<Wire>> open_mpi_wire(const Launched& launched, const std::vector<std::string>& folders) {
  const Result<const Plugin*> plugin = load_any(launched, folders);
  if (!plugin) return fail(plugin.error());
  if (const int failed = (*plugin)->init(); failed != 0) return fail(mpi_error(**plugin, "MPI_Init", failed));
  // With this signal Hydra tells the others that a process died. MPICH's handler then asks Hydra which, and Hydra's
  // proxy breaks on the dead process's socket and ends the job; our heartbeats tell as well.
  ::signal(SIGUSR1, SIG_IGN);
  auto wire = std::make_unique<MpiWire>(**plugin);
  library_name() = (*plugin)->version();
  const uint32_t expected = launched.size.value_or(wire->size());
  if (wire->size() == expected) return wire;
  return fail(
      ErrorCode::kMpiNotAvailable,
      fmt::format("started by {} as one of {} processes, but {} sees {}", launched.launcher, expected,
                  (*plugin)->version(), wire->size()),
      {}, "the launcher must be of the same MPI as the library; with srun, choose it with --mpi=pmix or --mpi=pmi2");
}

}  // namespace mlps::world
