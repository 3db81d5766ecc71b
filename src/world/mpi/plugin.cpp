// Built once per MPI library that CMake finds, as mlps_mpi_<flavour>.so; see plugin.h.
#include "world/mpi/plugin.h"

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <memory>
#include <string>

namespace {

constexpr int kTag = 1;

int init() {
  int provided = 0;
  const int failed = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  if (failed != MPI_SUCCESS) return failed;
  // An MPI error is a value like any other; the default would end the process.
  return MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

int size() {
  int value = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &value);
  return value;
}

int index() {
  int value = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &value);
  return value;
}

int isend(const void* bytes, int count, int to, void** request) {
  auto handle = std::make_unique<MPI_Request>();
  const int failed = MPI_Isend(bytes, count, MPI_BYTE, to, kTag, MPI_COMM_WORLD, handle.get());
  if (failed == MPI_SUCCESS) *request = handle.release();
  return failed;
}

int irecv(void* bytes, int count, int from, void** request) {
  auto handle = std::make_unique<MPI_Request>();
  const int failed = MPI_Irecv(bytes, count, MPI_BYTE, from, kTag, MPI_COMM_WORLD, handle.get());
  if (failed == MPI_SUCCESS) *request = handle.release();
  return failed;
}

int test(void* request, int* done) {
  auto* handle = static_cast<MPI_Request*>(request);
  const int failed = MPI_Test(handle, done, MPI_STATUS_IGNORE);
  if (failed != MPI_SUCCESS || *done != 0) delete handle;
  return failed;
}

int iprobe(int* found, int* from, int* count) {
  MPI_Status status;
  const int failed = MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, found, &status);
  if (failed != MPI_SUCCESS || *found == 0) return failed;
  *from = status.MPI_SOURCE;
  return MPI_Get_count(&status, MPI_BYTE, count);
}

int finalize() {
  return MPI_Finalize();
}

void abort_job(int exit_status) {
  MPI_Abort(MPI_COMM_WORLD, exit_status);
}

const char* version() {
  static const std::string text = [] {
    char raw[MPI_MAX_LIBRARY_VERSION_STRING] = {};
    int length = 0;
    MPI_Get_library_version(raw, &length);
    const std::string whole(raw, static_cast<size_t>(std::max(length, 0)));
    return whole.substr(0, whole.find_first_of("\n,"));
  }();
  return text.c_str();
}

void error_text(int code, char* text, int capacity) {
  char raw[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, raw, &length);
  const int kept = std::clamp(length, 0, capacity - 1);
  std::copy_n(raw, kept, text);
  text[kept] = 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const mlps_mpi_plugin_table* mlps_mpi_plugin(void) {
  static const mlps_mpi_plugin_table table = {
      MLPS_MPI_PLUGIN_ABI, MLPS_MPI_FLAVOUR, init,      size, index, isend, irecv, test, iprobe, finalize,
      abort_job,           version,          error_text};
  return &table;
}
