"""The page in a real browser without a network: it opens, runs its script, complains of nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from gossan.report.genesis import GenesisFindings, genesis_report
from gossan.report.page import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--enable-logging=stderr",
    "--v=0",
    "--dump-dom",
)
HOSTILE = "<script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def opened(
    make_findings: Callable[..., GenesisFindings], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """Page as the browser holds it after its script ran, and what it logged."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        pytest.skip("no Chromium or Chrome on this machine to open the page with")
    folder = tmp_path_factory.mktemp("browser")
    page = write_report(folder / "report.html", genesis_report(make_findings(deposit=HOSTILE)))
    profile = folder / "profile"
    done = subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={profile}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=False,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"HOME": str(folder)},
    )
    if done.returncode != 0:
        pytest.skip(f"the browser does not start here: {done.stderr[-300:]}")
    return done.stdout, done.stderr


def test_the_browser_logs_no_error_of_the_page(opened: tuple[str, str]) -> None:
    logged = [line for line in opened[1].splitlines() if "CONSOLE" in line]
    assert logged == []


def test_the_script_makes_headings_sortable(opened: tuple[str, str]) -> None:
    assert re.search(r"<th[^>]*><button type=\"button\">", opened[0])
    assert '<html lang="en" class="js">' in opened[0]


def test_a_hostile_name_does_not_run(opened: tuple[str, str]) -> None:
    assert "<title>Sphalerite of the Gunga licence</title>" in opened[0]


def test_all_figures_are_in_the_page(opened: tuple[str, str]) -> None:
    assert opened[0].count("<figure") == 14
