/* The one seam between mlpstorage and an MPI library. The program links no MPI: MPI libraries have no common ABI, and a
 * machine without any must be able to run it. A plug-in, built against one library, hands out this table. */
#ifndef MLPS_WORLD_MPI_PLUGIN_H
#define MLPS_WORLD_MPI_PLUGIN_H

#ifdef __cplusplus
extern "C" {
#endif

#define MLPS_MPI_PLUGIN_ABI 1
#define MLPS_MPI_PLUGIN_SYMBOL "mlps_mpi_plugin"

/* Functions return 0 or an MPI error code, unless they say otherwise. Only one thread may call, the one that called
 * init, and none but init and finalize waits for another process. */
struct mlps_mpi_plugin_table {
  int abi;             /* MLPS_MPI_PLUGIN_ABI */
  const char* flavour; /* "openmpi" or "mpich" */

  int (*init)(void);
  int (*size)(void);  /* processes of the job */
  int (*index)(void); /* of this process */

  /* Begin a message of `count` bytes, which stay untouched until test() says done. */
  int (*isend)(const void* bytes, int count, int to, void** request);
  int (*irecv)(void* bytes, int count, int from, void** request);
  /* Frees the request when it sets *done or fails. */
  int (*test)(void* request, int* done);
  /* Sets *found, and then sender and length, if a message is there that no irecv took. */
  int (*iprobe)(int* found, int* from, int* count);

  int (*finalize)(void);
  void (*abort)(int exit_status); /* ends all processes of the job */

  const char* (*version)(void);                           /* the library's own words */
  void (*error_text)(int code, char* text, int capacity); /* ends with 0 */
};

/* Exported by the plug-in. */
const struct mlps_mpi_plugin_table* mlps_mpi_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
