"""The demo's report as a picture, which stands in the README.

    python gallery/report_picture.py [--out FOLDER] [--quick]

Runs `gossan demo` and takes a picture of the top of its report in a headless Chromium, without a
network. With `--quick` a demo that lies in the folder already is used again.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

from gossan.cli import main as gossan

SIZE = 1280, 1515  # down to the foot of the first map
COLOURS = 96  # enough for a page, and a third of the bytes
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("build/gallery/report_picture"))
    parser.add_argument("--quick", action="store_true", help="use the demo that lies there again")
    options = parser.parse_args()
    page = options.out / "demo" / "run" / "report.html"
    if not (options.quick and page.exists()):
        gossan(["demo", "--out", str(options.out / "demo")])
    print(photograph(page, options.out / "report_picture.png"))


def photograph(page, picture):
    """Write the top of a page as a PNG file and return its path; exit where there is no browser."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        sys.exit(
            "There is no Chromium or Chrome on this machine. Install one: apt install chromium"
        )
    words = [browser, "--headless", "--no-sandbox", "--hide-scrollbars"]
    words += [f"--window-size={SIZE[0]},{SIZE[1]}", f"--screenshot={picture.resolve()}"]
    words += [page.resolve().as_uri()]
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603
    Image.open(picture).convert("RGB").quantize(COLOURS).save(picture, optimize=True)
    return picture


if __name__ == "__main__":
    main()
