"""Tests that take long beside others of their kind: only `make test-long` runs them, which sets MLPS_SWEEPS."""

import atexit
import os

left_out = []


def sweep(test):
    """Returns the test, or test case, where sweeps run; elsewhere nothing, which unittest does not collect."""
    if os.environ.get("MLPS_SWEEPS"):
        return test
    if not left_out:
        atexit.register(lambda: print(f"left to make test-long: {', '.join(left_out)}"))
    left_out.append(test.__qualname__)
    return None
