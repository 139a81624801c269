"""Byte code is written for what commands import, also where the environment keeps Python from writing it."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.util import cache_from_source, find_spec
from pathlib import Path

import pytest

from competitive_mixtures.launch import byte_code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package outside of the project; importing it leaves no trace in this process."""
    folder = tmp_path / "pretended_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "part.py").write_text("import pretended_package.further\n")
    (folder / "further.py").write_text("")
    (folder / "unused.py").write_text("")
    (folder / "extra.py").write_text("import no_such_package_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # as with PYTHONDONTWRITEBYTECODE=1
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def test_what_is_imported_is_compiled_and_nothing_else(package, monkeypatch):
    import_module("pretended_package")
    assert not Path(cache_from_source(package / "__init__.py")).exists()
    names = ("pretended_package.extra", "pretended_package.part")
    monkeypatch.setattr(byte_code, "list_modules", lambda: iter(names))
    byte_code.main()
    compiled = {path.name.partition(".")[0] for path in package.glob("__pycache__/*.pyc")}
    assert compiled == {"part", "further", "extra"}


def test_every_module_of_the_package_is_named_and_every_library_is_there():
    named = set(byte_code.list_modules())
    root = Path(byte_code.__file__).parents[1]
    modules = [path.relative_to(root.parent) for path in root.rglob("*.py") if path.name != "__init__.py"]
    assert named >= {".".join(path.with_suffix("").parts) for path in modules}
    assert [name for name in byte_code.LIBRARIES if find_spec(name) is None] == []


def test_a_command_finds_the_byte_code(package):
    """Byte code that is there is read with PYTHONDONTWRITEBYTECODE set: what was compiled once counts in containers."""
    sys.dont_write_bytecode = False
    import_module("pretended_package.further")
    program = "import pretended_package.further as m; print(m.__cached__)"
    environment = os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONVERBOSE": "1"}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert f"code object from '{ran.stdout.strip()}'" in ran.stderr
