#pragma once

#include <csignal>
#include <string>

namespace mlps {

/// Returns the signals that ask this process to stop, and that it answers by ending in order: SIGINT, SIGTERM, and what
/// else would end a program at once: SIGHUP (its terminal is gone), SIGQUIT, SIGXCPU (its processor time is up),
/// SIGALRM, SIGUSR1 and SIGUSR2 (a batch system will end it soon). Those besides the first two that were ignored when
/// the process started, as nohup does it, are left out.
sigset_t stop_signals();

/// Returns "SIGHUP".
std::string signal_name(int signal);

/// Whether a second signal of this kind is somebody's wish that the process end at once. Others come again by
/// themselves: SIGHUP from the shell and from the terminal, SIGXCPU every second.
bool asks_again(int signal);

}  // namespace mlps
