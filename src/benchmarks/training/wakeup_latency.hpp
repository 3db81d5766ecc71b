#pragma once

namespace mlps::training {

/// Makes the calling thread wake up soon after the moments it waits for, by means that need no privilege: no timer
/// slack, and the shortest time slice, which the scheduler (EEVDF, Linux 6.12 and later) takes as "run me first, I
/// don't need long". Where the kernel doesn't know them nothing changes, and what is lost shows in the overhead of the
/// run.
void request_low_wakeup_latency();

}  // namespace mlps::training
