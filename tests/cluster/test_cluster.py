"""Jobs on a cluster: in any order, sent once, done again when a worker is lost, errors in words."""

import http.server
import socket
import sys
import threading
import time

import numpy as np
import pytest
import slow_jobs
from slow_jobs import Killer

from gossan import cluster as own
from gossan.cli import main
from gossan.cluster import is_on_cluster, n_slots, on_cluster, run_jobs


def test_here_jobs_are_done_in_turn_and_loaded_one_at_a_time():
    loaded = []

    def load(number):
        loaded.append(number)
        return 10 * number

    work = run_jobs(pow, [1, 2, 3], shared=(2,), load=load)
    assert next(work) == (0, 2**10)
    assert loaded == [1]
    assert list(work) == [(1, 2**20), (2, 2**30)]
    assert list(run_jobs(pow, [])) == []


def test_processes_here_give_the_same_results():
    base = np.arange(3)
    found = dict(run_jobs(slow_jobs.square, range(5), shared=(base,), n_jobs=2))
    assert sorted(found) == list(range(5))
    for number, result in found.items():
        np.testing.assert_array_equal(result, base + number**2)


def test_no_address_changes_nothing():
    with on_cluster(None):
        assert not is_on_cluster()
        assert n_slots() == 1
        assert n_slots(2) == 2


def test_all_that_is_called_inside_runs_on_the_workers(address, diary):
    base = np.arange(4.0)
    with on_cluster(address):
        assert is_on_cluster()
        assert n_slots() == 3
        found = dict(run_jobs(slow_jobs.noted_square, range(9), shared=(diary, base)))
        with on_cluster(None):  # as a study within that names no cluster of its own
            assert is_on_cluster()
    assert not is_on_cluster()
    np.testing.assert_array_equal(
        np.array([found[n] for n in range(9)]), base + np.arange(9.0)[:, None] ** 2
    )
    begun, _ = diary.counts()
    assert len(begun) == 3
    assert sum(begun.values()) == 9


def test_large_arrays_travel_beside_the_jobs_and_not_in_them(address):
    # Dask warns of large jobs, and a warning is an error here.
    base = np.ones(2_000_000)
    found = run_jobs(
        slow_jobs.total, range(8), shared=(base,),
        load=lambda number: np.full(2_000_000, float(number)), scheduler=address,
    )  # fmt: skip
    assert dict(found) == {n: 2e6 * (n + 1) for n in range(8)}


def test_things_arrive_as_they_left(address):
    """Writeable and aligned, which compiled code asks for, and in the same order."""
    things = [np.ones((5, 3), order="F"), np.arange(7, dtype=np.int8), np.ones(3)]
    told = run_jobs(slow_jobs.flags, range(4), shared=(things, "abc"), scheduler=address)
    for _, flags in told:
        assert flags == [(True, True, False), (True, True, True), (True, True, True)]


def test_a_worker_killed_midway_loses_nothing(address, diary):
    killer = Killer(diary)
    killer.start()
    base = np.arange(3)
    found = dict(
        run_jobs(slow_jobs.noted_square, range(20), shared=(diary, base), scheduler=address)
    )
    killer.join()
    assert sorted(found) == list(range(20))
    for number, result in found.items():
        np.testing.assert_array_equal(result, base + number**2)
    begun, ended = diary.counts()
    assert begun[killer.victim] == ended[killer.victim] + 1  # it died within a job
    assert sum(begun.values()) > 20


@pytest.mark.slow
def test_what_all_share_is_sent_again_when_all_workers_die_at_once(address, tmp_path):
    path = str(tmp_path / "died")
    found = dict(run_jobs(slow_jobs.die_once, range(3), shared=(path,), scheduler=address))
    assert found == {0: 0, 1: 1, 2: 2}


def test_what_a_job_raises_is_raised_here(address):
    with pytest.raises(ValueError, match=r"Block 0 is odd\. Take another"):
        list(run_jobs(slow_jobs.fail, [0], scheduler=address))


@pytest.mark.slow
def test_a_job_that_kills_every_worker_ends_in_words():
    import dask

    distributed = pytest.importorskip("dask.distributed")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as fragile,
        pytest.raises(ConnectionError, match="died while they did one and the same job"),
    ):
        list(run_jobs(slow_jobs.die, [0], scheduler=fragile.scheduler_address))


def test_breaking_off_leaves_no_job_on_the_cluster(cluster, address, diary):
    work = run_jobs(slow_jobs.noted_square, range(50), shared=(diary, 0), scheduler=address)
    next(work)
    work.close()
    time.sleep(3 * slow_jobs.PAUSE)
    begun, _ = diary.counts()
    assert sum(begun.values()) < 12
    with cluster.get_client() as client:
        assert n_slots(scheduler=client) == 3
        assert len(list(run_jobs(slow_jobs.square, range(4), shared=(0,), scheduler=client))) == 4


# What is at fault


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(own, "CONNECT_SECONDS", 1.0)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.usefixtures("quick")
def test_an_address_where_nobody_listens_is_told_within_seconds():
    start = time.monotonic()
    with (
        pytest.raises(ConnectionError, match=r"No Dask scheduler answers .* 'dask scheduler'"),
        on_cluster(f"tcp://127.0.0.1:{free_port()}"),
    ):
        pass
    assert time.monotonic() - start < 5


@pytest.mark.usefixtures("quick")
@pytest.mark.filterwarnings("ignore:Exception in thread")
def test_another_server_at_the_address_is_told_within_seconds():
    silent = socket.create_server(("127.0.0.1", 0))
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    start = time.monotonic()
    for port in (silent.getsockname()[1], web.server_port):
        with (
            pytest.raises(ConnectionError, match="No Dask scheduler answers"),
            on_cluster(f"tcp://127.0.0.1:{port}"),
        ):
            pass
    silent.close()
    web.shutdown()
    web.server_close()
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("address", ["nonsense", "foo://127.0.0.1:1"])
def test_words_that_are_no_address_are_refused(address):
    with (
        pytest.raises(ValueError, match=f"'{address}' is no address .* Write tcp://HOST:PORT"),
        on_cluster(address),
    ):
        pass


def test_the_address_of_a_worker_is_told(cluster, address):
    worker = next(iter(cluster.scheduler_info["workers"]))
    with pytest.raises(ValueError, match="a Worker listens there"), on_cluster(worker):
        pass
    assert worker != address


@pytest.mark.usefixtures("quick")
def test_a_scheduler_without_workers_is_told(tmp_path):
    distributed = pytest.importorskip("dask.distributed")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", protocol="tcp") as empty,
        pytest.raises(ConnectionError, match=r"has no workers\. Start some"),
        on_cluster(empty.scheduler_address),
    ):
        pass


def test_workers_with_another_gossan_are_refused(address, monkeypatch):
    monkeypatch.setattr("gossan.__version__", "99.0")
    with (
        pytest.raises(ImportError, match=r"do not run gossan 99.0 but .* Install the same version"),
        on_cluster(address),
    ):
        pass


def test_a_lost_scheduler_ends_in_words(monkeypatch):
    distributed = pytest.importorskip("dask.distributed")
    monkeypatch.setattr(own, "CONNECT_SECONDS", 1.0)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp"
    ) as lost:
        work = run_jobs(slow_jobs.square, range(40), shared=(0,), scheduler=lost.scheduler_address)
        next(work)
        lost.close()
        with pytest.raises(ConnectionError, match="scheduler was lost"):
            list(work)


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with (
        pytest.raises(ImportError, match=r'pip install "gossan\[large\]"'),
        on_cluster("tcp://127.0.0.1:1"),
    ):
        pass


@pytest.mark.usefixtures("quick")
def test_a_wrong_address_of_the_command_line_is_exit_code_two(tmp_path, capsys):
    study = tmp_path / "study.toml"
    study.write_text(
        'study = "deposit"\n[holes]\ncollar = "c.csv"\nassay = "a.csv"\n[ore]\ncutoff = 1\n',
        encoding="utf-8",
    )
    words = ["run", str(study), "--scheduler"]
    assert main([*words, f"tcp://127.0.0.1:{free_port()}"]) == 2
    assert "No Dask scheduler answers" in capsys.readouterr().err
    assert main([*words, "nonsense"]) == 2
    assert "is no address of a Dask scheduler" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
