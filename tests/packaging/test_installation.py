"""How `make environment` installs: by uv, with the index that pip is configured with; by pip where uv cannot."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In the place of Python, pip and uv: the environment has a pip and a uv that tell what they are asked.
PYTHON = """#!/bin/sh
case "$*" in *venv*) mkdir -p .venv/bin && cp pip uv .venv/bin ;; esac
"""
PIP = """#!/bin/sh
if [ "$1" = config ]; then cat configuration; else echo "pip $*" >> calls; fi
"""
UV = """#!/bin/sh
echo "uv $* $UV_DEFAULT_INDEX" >> calls; mkdir -p .venv/uv-cache; exit "$(cat status)"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install with the index of a configuration of pip, by a uv that ends with a status; gives calls and messages."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    for name, text in {"python": PYTHON, "pip": PIP, "uv": UV}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PYTHON", "./python")

    def run(configuration="", status=0):
        (tmp_path / "configuration").write_text(configuration)
        (tmp_path / "status").write_text(str(status))
        done = subprocess.run(
            ["make", ".venv/requirements.lock"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (tmp_path / ".venv/requirements.lock").read_text() == (ROOT / "requirements.lock").read_text()
        assert not (tmp_path / ".venv/uv-cache").exists()
        return (tmp_path / "calls").read_text().splitlines(), done.stderr

    return run


def test_uv_installs_all_but_itself(install, tmp_path):
    (first, second), messages = install()
    assert first.startswith("pip install ")
    assert first.endswith("--require-hashes -r .venv/uv.lock")
    assert second.startswith("uv pip install ")
    assert second.endswith("-r requirements.lock ")  # and no index
    assert "--require-hashes" in second
    assert not messages
    named, *hashes = (tmp_path / ".venv/uv.lock").read_text().splitlines()
    assert named.startswith("uv==")
    assert hashes
    assert all(line.startswith("    --hash=sha256:") for line in hashes)


MIRROR = "https://mirror.example/simple"
OTHERS = ("wheel.index-url='https://wheel.example/simple'", "global.extra-index-url='https://more.example/simple'")
BY_RANK = (":env:.index-url", "install.index-url", "global.index-url")


@pytest.mark.parametrize("first", range(len(BY_RANK)))
def test_the_index_of_pip_is_that_of_uv(install, first):
    """pip prefers the environment to its files; it lists all of them by name."""
    lower = [f"{key}='https://lower.example/simple'" for key in BY_RANK[first + 1 :]]
    (_, second), _ = install("\n".join(sorted([f"{BY_RANK[first]}='{MIRROR}'", *lower, *OTHERS])))
    assert second.endswith(f"-r requirements.lock {MIRROR}")


def test_pip_goes_on_where_uv_cannot(install):
    calls, messages = install(status=2)
    assert [call.split()[0] for call in calls] == ["pip", "uv", "pip"]
    assert calls[-1].endswith("--require-hashes -r requirements.lock")
    assert "note: pip installs the environment" in messages


@pytest.mark.parametrize("key", ["global.no-index", ":env:.proxy", "install.trusted-host", "global.client-cert"])
def test_pip_alone_goes_a_way_that_uv_does_not_know(install, key):
    calls, _ = install(f"{key}='x'")
    assert [call.split()[0] for call in calls] == ["pip"]
    assert calls[-1].endswith("--require-hashes -r requirements.lock")
