"""Independent jobs: here, or on the workers of a Dask cluster, with the same results.

A function, jobs and what all of them share come in; the result of each job goes out as it is done.
What is shared is sent to the workers once, and the jobs of a worker that is lost are done again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Any

import joblib

__all__ = ["on_cluster"]  # the others are for the rooms of gossan

logger = logging.getLogger(__name__)

JOBS_A_THREAD = 2  # in flight, so that no worker waits for its next job
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between looks at whether the cluster is still there
PATIENCE_SECONDS = 60.0  # without any worker: a cluster may be starting new ones
MOST_TRIES = 5  # of a job whose workers were lost

Results = Iterator[tuple[int, Any]]

_current: ContextVar[Any] = ContextVar("gossan_cluster", default=None)


@contextmanager
def on_cluster(scheduler: str | Any | None) -> Iterator[None]:
    """Do the heavy work of all that is called inside on an existing Dask cluster.

    Kriging of grids, distances and gridding, scores of rasters and maps, cross-validation and the
    trials of the studies are cut into the same jobs as without it, each with its own seed, so that
    they give the same results. Nothing else changes: files are read and written here, and the
    workers need gossan installed but no data.

    Parameters
    ----------
    scheduler : str or dask.distributed.Client, optional
        Address of a Dask scheduler, such as "tcp://10.0.0.5:8786". Use only one that you trust: what
        Dask sends between its processes can run code on both sides. None changes nothing.

    Returns
    -------
    cluster : context manager
        Its end closes the connection; workers and their cluster stay.

    Raises
    ------
    ConnectionError
        If no scheduler answers within five seconds, or it has no workers.
    ValueError
        If the address is none.
    ImportError
        If Dask is not installed, or the workers have another gossan.

    Examples
    --------
    >>> from gossan import cross_validate, make_baseline
    >>> x = [[1.0], [1.2], [1.1], [1.3], [3.0], [3.2], [3.1], [2.9]]
    >>> address = None  # or "tcp://10.0.0.5:8786"
    >>> with on_cluster(address):
    ...     found = cross_validate(make_baseline("lda"), x, [0] * 4 + [1] * 4,
    ...                            groups=list("aabbccdd"), n_splits=2, cv="random")
    >>> found.scores()["accuracy"]
    1.0
    """
    with _connected(scheduler) as client:
        token = _current.set(client if client is not None else _current.get())
        try:
            yield
        finally:
            _current.reset(token)


def is_on_cluster() -> bool:
    """Tell whether this is called inside `on_cluster`."""
    return _current.get() is not None


def n_slots(n_jobs: int | None = None, scheduler: Any = None) -> int:
    """Jobs that run at once: threads of the cluster's workers, or processes here.

    Parameters
    ----------
    n_jobs : int, optional
        Processes here; -1 for as many as cores.
    scheduler : Client, optional
        Instead of that of `on_cluster`.

    Returns
    -------
    n : int
    """
    client = _current.get() if scheduler is None else scheduler
    if client is None:
        return _n_processes(n_jobs)
    return max(1, sum(client.nthreads().values()))


def run_jobs(
    function: Callable[..., Any],
    jobs: Sequence[Any],
    *,
    shared: Sequence[Any] = (),
    load: Callable[[Any], Any] | None = None,
    n_jobs: int | None = None,
    scheduler: str | Any | None = None,
) -> Results:
    """Yield (number of the job, `function(*shared, job)`), in the order in which they are done.

    Parameters
    ----------
    function : callable
        Of a module, so that workers can import it.
    jobs : sequence
        One small thing each.
    shared : sequence
        What all jobs need, such as a model or a table: sent once to each worker.
    load : callable, optional
        Makes of a job what the function gets instead, such as the cells of a block. It is called
        here, shortly before the job is sent, so that few blocks are in memory.
    n_jobs : int, optional
        Processes where there is no cluster; None: one after another, in this process.
    scheduler : str or dask.distributed.Client, optional
        Instead of that of `on_cluster`. Without either, or with a single job under `on_cluster`,
        the work is done here.

    Raises
    ------
    ConnectionError
        If the scheduler or all workers are lost, or a job loses its worker again and again.
    Exception
        Whatever a job raises.

    Examples
    --------
    >>> [result for _, result in run_jobs(pow, [2, 3], shared=(10,))]
    [100, 1000]
    """
    if scheduler is not None:
        with _connected(scheduler) as client:
            yield from _Run(client, function, jobs, shared, load).results()
    elif _current.get() is not None and len(jobs) > 1:
        yield from _Run(_current.get(), function, jobs, shared, load).results()
    else:
        yield from _here(function, jobs, shared, load, min(_n_processes(n_jobs), len(jobs)))


def _here(
    function: Callable[..., Any],
    jobs: Sequence[Any],
    shared: Sequence[Any],
    load: Callable[[Any], Any] | None,
    n_processes: int,
) -> Results:
    loaded = (job if load is None else load(job) for job in jobs)
    if n_processes <= 1:
        for number, job in enumerate(loaded):
            yield number, function(*shared, job)
        return
    work = (
        joblib.delayed(_numbered)(function, number, *shared, job)
        for number, job in enumerate(loaded)
    )
    yield from joblib.Parallel(n_jobs=n_processes, return_as="generator_unordered")(work)


def _n_processes(n_jobs: int | None) -> int:
    return int(joblib.effective_n_jobs(n_jobs))


def _numbered(function: Callable[..., Any], number: int, *arguments: Any) -> tuple[int, Any]:
    return number, function(*arguments)


@contextmanager
def _connected(scheduler: str | Any | None) -> Iterator[Any]:
    """Give a client; one that was made here is closed at the end."""
    if not isinstance(scheduler, str):
        yield scheduler
        return
    client = _connect(scheduler)
    try:
        _check_workers(client, scheduler)
        yield client
    finally:
        client.close(timeout=CONNECT_SECONDS)


def _connect(address: str) -> Any:
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ImportError(
            'A Dask cluster needs dask[distributed]. Run: pip install "gossan[large]"'
        ) from error
    try:
        with ThreadPoolExecutor(1) as pool:  # apart from the event loop that a notebook runs
            pool.submit(asyncio.run, _check_scheduler(address)).result()
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except ValueError as error:
        raise ValueError(
            f"{address!r} is no address of a Dask scheduler ({error}). Write tcp://HOST:PORT, as"
            " the command 'dask scheduler' prints it."
        ) from error
    except Exception as error:  # whatever else listens at the address may answer anything
        raise ConnectionError(
            f"No Dask scheduler answers at {address} ({type(error).__name__} within"
            f" {CONNECT_SECONDS:g} s). Start one with 'dask scheduler', and check host, port and"
            " firewall."
        ) from error


async def _check_scheduler(address: str) -> None:
    """Ask who is there; a Client itself would wait for ever for another kind of server."""
    from distributed.core import rpc
    from distributed.security import Security

    async def ask() -> str:
        arguments = Security().get_connection_args("client")
        async with rpc(address, connection_args=arguments) as there:
            return str((await there.identity())["type"])

    kind = await asyncio.wait_for(ask(), CONNECT_SECONDS)
    if kind != "Scheduler":
        raise ValueError(f"a {kind} listens there")


def _check_workers(client: Any, address: str) -> None:
    """Raise unless there are workers, and all have this gossan."""
    end = time.monotonic() + CONNECT_SECONDS
    while not (names := client.nthreads()):
        if time.monotonic() > end:
            raise ConnectionError(
                f"The Dask scheduler at {address} has no workers. Start some, on the machines that"
                f" shall work: dask worker {address}"
            )
        time.sleep(0.1)
    own, told = _version(), client.run(_version, on_error="return")
    others = {str(found) for found in told.values() if found != own}
    if others:
        raise ImportError(
            f"Of {len(names)} workers at {address} some do not run gossan {own} but"
            f" {', '.join(sorted(others))}. Install the same version on each, and start it again."
        )
    logger.info("%d workers at %s, %d threads", len(names), address, sum(names.values()))


def _version() -> str:
    from gossan import __version__

    return __version__


class _Carried:
    """A thing on its way to a worker or back, where it arrives as it left.

    Dask lays the arrays of a message side by side, wherever they fall; compiled code, such as
    SciPy's splines, refuses arrays that are not aligned. So they travel within one string.
    """

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __reduce__(self) -> tuple[Any, ...]:
        from distributed.protocol.pickle import dumps

        return _arrived, (dumps(self.thing),)

    def __sizeof__(self) -> int:
        from dask.sizeof import sizeof

        return int(sizeof(self.thing))


def _arrived(packed: bytes) -> _Carried:
    from distributed.protocol.pickle import loads

    return _Carried(loads(packed))


def _carried_out(function: Callable[..., Any], *arguments: _Carried) -> _Carried:
    return _Carried(function(*(each.thing for each in arguments)))


class _Run:
    """Jobs on a cluster: few in flight, each sent again if its worker or its data are lost."""

    def __init__(
        self,
        client: Any,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        shared: Sequence[Any],
        load: Callable[[Any], Any] | None,
    ) -> None:
        self.client, self.function, self.load = client, function, load
        self.jobs, self.shared = jobs, [_Carried(thing) for thing in shared]
        self.everywhere: list[Any] = []  # futures of what is shared
        self.flying: dict[Any, tuple[int, Any]] = {}  # key -> number of the job, its futures
        self.done: SimpleQueue[Any] = SimpleQueue()
        self.tries: Counter[int] = Counter()
        self.last_seen = time.monotonic()  # that there was a worker

    def results(self) -> Results:
        """Yield number and result of each job."""
        todo = deque(range(len(self.jobs)))
        if not todo:
            return
        self._share()
        most = JOBS_A_THREAD * n_slots(scheduler=self.client)
        try:
            while todo or self.flying:
                while todo and len(self.flying) < most:
                    self._send(todo.popleft())
                for future in self._finished():
                    number, _ = self.flying[future.key]
                    is_there, result = self._fetch(future)
                    del self.flying[future.key]
                    if is_there:
                        yield number, result
                    else:
                        self._again(number)
                        todo.appendleft(number)
        finally:
            if self.client.status == "running":
                self.client.cancel([future for _, (future, *_) in self.flying.values()])

    def _share(self) -> None:
        """Put what is shared on every worker: while one of them lives, nothing is lost."""
        self.everywhere = self._scatter(self.shared, broadcast=True) if self.shared else []

    def _send(self, number: int) -> None:
        job = self.jobs[number]
        argument: Any = _Carried(job if self.load is None else self.load(job))
        if (
            self.load is not None
        ):  # blocks go to a worker at once, not through the scheduler's graph
            (argument,) = self._scatter([argument])
        future = self.client.submit(
            _carried_out, self.function, *self.everywhere, argument, pure=False
        )
        self.flying[future.key] = number, (future, argument)
        future.add_done_callback(self.done.put)

    def _scatter(self, things: list[Any], *, broadcast: bool = False) -> list[Any]:
        """Send things to workers; another time if a worker is lost meanwhile."""
        while True:
            try:
                return list(self.client.scatter(things, broadcast=broadcast, hash=False))
            except (OSError, KeyError) as error:
                logger.info("sent again: %s", error)
                self._look()
                time.sleep(0.1)

    def _finished(self) -> list[Any]:
        """Return futures that ended, well or not; look now and then whether anybody works."""
        try:
            ended = [self.done.get(timeout=LOOK_SECONDS)]
        except Empty:
            self._look()
            futures = [future for _, (future, _) in self.flying.values()]
            ended = [each for each in futures if each.status in ("cancelled", "lost")]
        return [each for each in ended if each.key in self.flying]

    def _fetch(self, future: Any) -> tuple[bool, Any]:
        """Return whether there is a result, and the result; raise what the job raised."""
        from dask.distributed import CancelledError, KilledWorker

        while future.status not in ("cancelled", "lost"):
            if future.status == "error":
                error = future.exception()
                if isinstance(error, KilledWorker):
                    raise ConnectionError(
                        f"{error.allowed_failures + 1} workers died while they did one and the same"
                        " job, most likely for want of memory. Give workers more memory"
                        " (--memory-limit) or fewer threads, or make blocks or tiles smaller."
                    ) from error
                raise error
            try:
                return True, future.result(timeout=10 * LOOK_SECONDS).thing
            except TimeoutError:  # its worker was lost before it was fetched: it is done again
                self._look()
            except CancelledError:
                break
        return False, None

    def _again(self, number: int) -> None:
        """Make ready to send a job once more."""
        self.tries[number] += 1
        logger.warning("job %d is sent again: its worker was lost", number)
        if self.tries[number] > MOST_TRIES:
            raise ConnectionError(
                f"A job lost its worker {MOST_TRIES} times. Look at the workers' logs: they may lack"
                " memory. What is finished is kept where the call keeps it; call again to go on."
            )
        self._look()
        is_lost = any(each.status != "finished" for each in self.everywhere)
        if is_lost or self.tries[number] > 1:
            self._share()

    def _look(self) -> None:
        """Raise if the scheduler is lost, or there was no worker for a minute."""
        while self.client.status == "connecting":
            time.sleep(0.1)
        if self.client.status != "running":
            raise ConnectionError(
                "The Dask scheduler was lost. What is finished is kept where the call keeps it;"
                " start the scheduler and its workers, and call again to go on."
            )
        now = time.monotonic()
        if self.client.nthreads():
            self.last_seen = now
        elif now - self.last_seen > PATIENCE_SECONDS:
            raise ConnectionError(
                f"All Dask workers were lost, and none came for {PATIENCE_SECONDS:g} s. Start some;"
                " what is finished is kept where the call keeps it."
            )
