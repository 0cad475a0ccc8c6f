"""A real Chromium without a network, driven over a pipe: pages are opened, pointed at, looked at.

Used by `test_scene.py` and by `bench/scene.py`; nothing but the standard library.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--remote-debugging-pipe",
)
# The browser reads commands from descriptor 3 and answers on 4.
START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(own), fcntl.F_DUPFD_CLOEXEC, 10) for own in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
COMPLAINTS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")


class Chromium:
    """A window of a browser; raises FileNotFoundError where there is none."""

    def __init__(self, folder: Path, size: tuple[int, int] = (1280, 800), patience: float = 120.0):
        browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
        if browser is None:
            raise FileNotFoundError("no Chromium or Chrome on this machine")
        self.patience, self.events = patience, []
        self._n, self._rest, self._session = 0, b"", None
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(their_in), str(their_out), browser, *FLAGS,
             f"--user-data-dir={folder / 'profile'}", f"--window-size={size[0]},{size[1]}",
             "about:blank"],
            pass_fds=(their_in, their_out),
            env=os.environ | {"HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(their_in)
        os.close(their_out)
        try:
            self._attach(size)
        except BaseException:
            self.close()
            raise

    def _attach(self, size: tuple[int, int]) -> None:
        targets = self.send("Target.getTargets")["targetInfos"]
        own = next(target for target in targets if target["type"] == "page")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=own, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(*size)

    def send(self, method: str, **values: Any) -> dict[str, Any]:
        """Give a command of the DevTools protocol and return its answer."""
        self._n += 1
        command = {"id": self._n, "method": method, "params": values}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._out, json.dumps(command).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._n:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                return told["result"]
            self.events.append(told)

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + self.patience
        while b"\0" not in self._rest:
            left = max(end - time.monotonic(), 0.0)
            if not select.select([self._in], [], [], left)[0]:
                raise TimeoutError(f"the browser was silent for {self.patience:g} s")
            part = os.read(self._in, 1 << 20)
            if not part:
                raise RuntimeError("the browser went away")
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        told = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description", script))
        return told["result"].get("value")

    def open(self, page: Path) -> None:
        """Open a page that marks its first frame, and wait for it."""
        self.events.clear()
        self.send("Page.navigate", url=page.as_uri())
        self.wait(f"location.href === {json.dumps(page.as_uri())} && "
                  "document.documentElement && document.documentElement.dataset.drawn")  # fmt: skip

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression holds."""
        end = time.monotonic() + self.patience
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.05)

    def frame(self) -> None:
        """Wait until what was asked for is drawn."""
        self.run("new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")
        self.wait("!window.scene3d || !(scene3d.pace.asked || scene3d.pace.sync)")

    def resize(self, width: int, height: int, *, dense: float = 1.0) -> None:
        """Set the size of the window."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=dense, mobile=False)  # fmt: skip

    def mouse(self, kind: str, x: float, y: float, **values: Any) -> None:
        """Move, press, release or wheel at a place of the window [px]."""
        self.send("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, **values)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        self.mouse("Pressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("Released", x, y, button="left", clickCount=1)
        self.frame()

    def drag(self, x: float, y: float, across: float, down: float) -> None:
        """Drag with the left button."""
        self.mouse("Pressed", x, y, button="left", buttons=1, clickCount=1)
        for share in (0.25, 0.5, 0.75, 1.0):
            self.mouse("Moved", x + across * share, y + down * share, button="left", buttons=1)
        self.mouse("Released", x + across, y + down, button="left", clickCount=1)
        self.frame()

    def key(self, key: str) -> None:
        """Press a key."""
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.frame()

    def picture(self) -> bytes:
        """Return the window as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def complaints(self) -> list[dict[str, Any]]:
        """Return what the page logged since it was opened."""
        return [event for event in self.events if event.get("method") in COMPLAINTS]

    def requests(self) -> list[str]:
        """Return the addresses that the page asked for."""
        sent = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def close(self) -> None:
        """End the browser."""
        try:
            self.send("Browser.close")
            self._process.wait(20)
        except (OSError, RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
