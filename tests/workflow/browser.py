"""Headless Chromium, driven over a pair of pipes by its DevTools protocol: no package, no port, no network."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
OFFLINE = ["--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--no-first-run"]
TIMEOUT_S = 60.0


def find_browser() -> str | None:
    """The path of a Chromium, where this machine has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab.

    Args:
        commands: the pipe that the browser reads.
        replies: the pipe that it writes.

    Attributes:
        complaints: errors of the console and of the page's scripts, in order.
    """

    def __init__(self, commands: int, replies: int) -> None:
        self._commands, self._replies, self._rest, self._sent = commands, replies, b"", 0
        self._session: str | None = None
        self.complaints: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its reply; events on the way are looked through for complaints."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._receive()).get("id") != self._sent:
            self._note(reply)
        assert "error" not in reply, (method, reply["error"])
        return reply["result"]

    def open(self, path: Path) -> None:
        """Open a file and wait until the page is loaded."""
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.run("new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def photograph(self, path: Path) -> None:
        """Write what is to be seen as a PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select([self._replies], [], [], TIMEOUT_S)
            part = os.read(self._replies, 1 << 20) if ready else b""
            assert part, "the browser is silent"
            self._rest += part
        line, self._rest = self._rest.split(b"\0", 1)
        return json.loads(line)

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        if event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(params["args"]))
        if event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(json.dumps(params["entry"]))


@contextmanager
def open_browser(profile: Path) -> Iterator[Page]:
    """Start Chromium with an empty profile and without a network; it ends with the block."""
    reads, commands = os.pipe()
    replies, writes = os.pipe()
    # The browser reads descriptor 3 and writes descriptor 4; through 10 and 11, lest one pair covers the other.
    script = f'exec 10<&{reads} 11>&{writes}; exec 3<&10 4>&11; exec "$0" "$@"'
    words = ["bash", "-c", script, str(find_browser()), *FLAGS, *OFFLINE, f"--user-data-dir={profile}"]
    log = (profile.parent / "browser.log").open("wb")
    process = subprocess.Popen(words, pass_fds=(reads, writes), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    os.close(reads)
    os.close(writes)
    try:
        yield Page(commands, replies)
    finally:
        with suppress(OSError):
            os.write(commands, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        os.close(commands)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(replies)
        log.close()
