"""One thread for matrix products, so that a result does not depend on the process that computes it.

OpenBLAS divides a product among its threads, and with its kernels for AVX2 the rounding depends on how it was
divided. How many threads it has depends on the process (cores, affinity, OPENBLAS_NUM_THREADS). One thread is
also faster for filling holes: docs/adr/0014-inpainting-fill.md.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

_PREFIXES, _SUFFIXES = ("scipy_openblas", "openblas"), ("64_", "")


class _ThreadCount:
    """The number of threads of the OpenBLAS that numpy uses, which the whole process has in common.

    Another library than OpenBLAS is left as it is: the others that numpy is built with either use one thread
    or cannot be told how many to use.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = 0
        # Symbols are looked up in the libraries that the extension module depends on as well.
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
        names = [(prefix, suffix) for prefix in _PREFIXES for suffix in _SUFFIXES]
        found = [(p, s) for p, s in names if hasattr(library, f"{p}_set_num_threads{s}")]
        self._set: Callable[[int], object] | None = None
        self._get: Callable[[], int] | None = None
        if found:
            prefix, suffix = found[0]
            self._set = library[f"{prefix}_set_num_threads{suffix}"]
            self._get = library[f"{prefix}_get_num_threads{suffix}"]

    @contextmanager
    def one(self) -> Iterator[None]:
        """One thread until the last of the callers is done."""
        if self._set is None or self._get is None:
            yield
            return
        with self._lock:
            if not self._users:
                self._before = self._get()
                self._set(1)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._set(self._before)


one_thread = _ThreadCount().one
