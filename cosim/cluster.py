"""Tasks on several processes or machines, by Dask's `distributed`, the extra `cluster`.

When a worker is lost, another one begins its current task again. The results of the others stay.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from duospike.reference.installation import install_hint

from .errors import CosimError
from .folder import temporary_folder

if TYPE_CHECKING:
    from distributed import Client

MISSING = f"several processes need Dask's distributed, which is missing ({install_hint('cluster')})"
CONNECT_SECONDS = 20
"""A scheduler that has not answered by then is not there."""
MAX_LOSSES = 3
"""Workers that a task may lose; it fails with the next one."""

QUIET_TRACKER = "ignore:resource_tracker:UserWarning"
"""Python's tracker of semaphores, which takes this from sys.warnoptions, says nothing where workers are killed."""

Log = Callable[[str], None]


@contextmanager
def cluster(workers: int, scheduler: str | None = None) -> Iterator[Client]:
    """A cluster for run_tasks: that of a scheduler, such as tcp://host:8786, or `workers` processes on this machine.

    CosimError: distributed is not installed, or no scheduler answers at the address.
    """
    if find_spec("distributed") is None:
        raise CosimError(MISSING)
    from distributed import Client

    if scheduler is None:
        with _local_cluster(workers) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        raise CosimError(f"scheduler {scheduler}: {' '.join(str(error).split())}") from None
    with client:
        yield client


@contextmanager
def _local_cluster(workers: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    # Dask prints nothing: run_tasks logs what happens. Memory is left to the system: Dask would stop a worker near its share.
    quiet: dict[str, Any] = {"silence_logs": logging.CRITICAL, "dashboard_address": "127.0.0.1:0", "memory_limit": None}
    # Dask would have malloc give each large array back at once; torch then takes twice the time to train.
    environ = dask.config.get("distributed.nanny.pre-spawn-environ")
    environ = {name: value for name, value in environ.items() if name != "MALLOC_TRIM_THRESHOLD_"}
    if QUIET_TRACKER not in sys.warnoptions:
        sys.warnoptions.append(QUIET_TRACKER)
    with (
        temporary_folder() as scratch,
        dask.config.set({
            "distributed.scheduler.allowed-failures": MAX_LOSSES, "distributed.nanny.pre-spawn-environ": environ,
            # Where a worker goes that finds its own folder gone, as one does whose command has been killed.
            "temporary-directory": str(scratch),
        }),
        ExitStack() as stack,
    ):  # fmt: skip
        local = stack.enter_context(LocalCluster(n_workers=workers, threads_per_worker=1, local_directory=str(scratch), **quiet))
        client = stack.enter_context(Client(local))
        try:
            yield client
        except KeyboardInterrupt:
            # To close a cluster takes seconds; its workers end with this process, and must not write any more.
            for nanny in list(local.workers.values()):
                with suppress(ProcessLookupError, TypeError):
                    os.kill(nanny.pid, signal.SIGKILL)
            stack.pop_all()
            raise


def run_tasks(
    client: Client, function: Callable[..., Any], tasks: Mapping[str, tuple], log: Log = print
) -> Iterator[tuple[str, Any]]:
    """Call function(log, *arguments) for each task; gives name and result of each, in the order in which they end.

    tasks: arguments by name. log: gets the lines of text that a task logs, and a line when a worker is lost.
    The result of a task must not depend on how often it was begun. What a task raises is raised here, and no other task begins
    then. CosimError: a task has lost more workers than its scheduler allows, in a cluster() of this machine MAX_LOSSES.
    """
    from distributed import KilledWorker, as_completed

    run = uuid4().hex
    # One group of tasks, which Dask then keeps until a worker is free, in place of dealing them out at once.
    names = {(run, name): name for name in tasks}

    def lost(event: Any):
        what = event[1] if isinstance(event[1], dict) else {}
        if what.get("action") == "remove-worker":
            again = sorted(names[key] for key in what["processing-tasks"] if key in names)
            if again:
                log(f"worker {what['worker']} was lost; begins again: {', '.join(again)}")

    client.subscribe_topic(run, lambda event: log(event[1]))
    client.subscribe_topic("all", lost)
    # Begun in their order: what comes in at once would have the same priority.
    futures = {
        key: client.submit(_call, run, function, *tasks[name], key=key, priority=-number)
        for number, (key, name) in enumerate(names.items())
    }
    try:
        for future in as_completed(list(futures.values())):
            try:
                result = future.result()
            except KilledWorker:
                raise CosimError(f"{names[future.key]}: failed after it lost one worker after the other") from None
            # Else the task would begin again if the worker that still has its result were lost.
            futures.pop(future.key).release()
            yield names[future.key], result
    finally:
        client.cancel(list(futures.values()), force=True)
        client.unsubscribe_topic("all")
        client.unsubscribe_topic(run)


def _call(topic: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a worker does."""
    from distributed import get_worker

    worker = get_worker()
    return function(lambda text: worker.log_event(topic, text), *arguments)
