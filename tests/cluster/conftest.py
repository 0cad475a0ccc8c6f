"""A Dask cluster of three processes, and `slow_jobs`, which its workers import by name."""

import multiprocessing
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

# What workers use, imported once for all of them and for those that take the place of the killed.
PRELOADED = ["distributed", "gossan.geostat.chunked", "gossan.evidence.proximity", "slow_jobs",
             "gossan.prospectivity.map_model", "gossan.validation.few_labels"]  # fmt: skip


@pytest.fixture(scope="session")
def cluster():
    """Return a cluster whose lost workers are started again."""
    distributed = pytest.importorskip("dask.distributed")
    import dask
    from distributed.utils import get_mp_context

    method = "forkserver" if sys.platform == "linux" else "spawn"
    with dask.config.set({"distributed.worker.multiprocessing-method": method}):
        get_mp_context()  # which sets what is preloaded otherwise
        if method == "forkserver":
            multiprocessing.set_forkserver_preload(PRELOADED)
        with distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0",
            protocol="tcp",
        ) as running:  # fmt: skip
            yield running


@pytest.fixture
def address(cluster):
    cluster.wait_for_workers(3, timeout=60)  # a test before this one may have killed one
    return cluster.scheduler_address


@pytest.fixture
def diary(tmp_path):
    from slow_jobs import Diary

    return Diary(tmp_path / "diary.txt")
