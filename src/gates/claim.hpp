#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"
#include "world/failure.hpp"

/// Claims of folders: of two runs that write into one folder each would measure the other's load and overwrite its
/// files. A run that writes claims the folder by an object of its own below ".mlpstorage-claims/", which names host and
/// process; a run that only reads looks for claims, and leaves none. Only process 0 of a job claims, for all its hosts.
///
/// A claim is taken by putting it and then listing all of them: of runs that begin at the same moment, at most one
/// stays. That needs a store whose lists show what was put before, as file systems and S3 do. The claim of a killed
/// process is recognised on its own machine, also after a restart. From another machine nobody can tell a killed
/// process from one that runs: the error then says which object to remove.
namespace mlps::gates {

/// Fails with E404, naming host and process, if a run is writing into the store's folder. Writes nothing, except that
/// it removes claims of processes that are gone, where it may.
Status look_for_claims(storage::Store& store);

/// A claim of a folder. Its destructor gives the folder up; if that fails, a warning is logged.
class FolderClaim {
 public:
  /// Claims the folder of `store`, which must outlive the claim, for the command `what`. Fails with E404 as
  /// look_for_claims() does; waits at most 2 s for runs that began at the same moment, or until `failure` is raised.
  /// Nothing, where the store holds no objects.
  static Result<std::unique_ptr<FolderClaim>> take(storage::Store& store, const std::string& what,
                                                   const world::Failure& failure);
  ~FolderClaim();
  FolderClaim(const FolderClaim&) = delete;
  FolderClaim& operator=(const FolderClaim&) = delete;

 private:
  FolderClaim(storage::Store& store, std::unique_ptr<storage::Session> session, std::string name)
      : store_(store), session_(std::move(session)), name_(std::move(name)) {}

  storage::Store& store_;
  const std::unique_ptr<storage::Session> session_;
  const std::string name_;
};

/// Claims the folder into `claim` for a run that `writes`; for another one it only looks for claims.
Status claim_folder(storage::Store& store, bool writes, const std::string& what, const world::Failure& failure,
                    std::unique_ptr<FolderClaim>& claim);

}  // namespace mlps::gates
