"""No pickle is loaded, and only what fetches data or weights can use the network."""

import os
import pickle
import re
from pathlib import Path

import pytest

import competitive_mixtures
from competitive_mixtures.data import load_dataset
from competitive_mixtures.data.array import Spec, prepare
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.inception import load_inception
from competitive_mixtures.report.runs import read_array
from competitive_mixtures.state import read_facts, read_table, read_tensors

SOURCES = sorted(Path(competitive_mixtures.__file__).parent.rglob("*.py"))


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def read_own_data(path: Path) -> None:
    prepare(Spec(kind="array", path=str(path)), path.parent, path.parent / "out", "own")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("state.safetensors", read_tensors),
        ("state.safetensors", read_facts),
        ("assignments.parquet", read_table),
        ("samples.npy", read_array),
        ("weights.pth", load_inception),
        ("own.npy", read_own_data),
        ("own.npz", read_own_data),
        ("train.npy", lambda path: load_dataset(path.parent)),
    ],
)
def test_a_pickle_under_another_name_is_refused_and_not_run(tmp_path, name, read):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol=0))
    with pytest.raises(UserError):
        read(path)
    assert not (tmp_path / "sprung").exists()


def test_the_code_has_no_way_to_load_a_pickle():
    for path in SOURCES:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (pickle|joblib|dill|shelve|marshal)\b", code, re.MULTILINE), path
        assert "allow_pickle=True" not in code, path
        assert code.count("torch.load(") == code.count("weights_only=True"), path
        assert len(re.findall(r"np\.load\(", code)) == len(re.findall(r"np\.load\([^)]*allow_pickle=False", code)), path
        assert not re.search(r"(?<![.\w])(eval|exec)\(|yaml\.(unsafe_|full_)?load\(|shell=True|extractall", code), path


def test_only_the_modules_that_fetch_can_use_the_network():
    able = re.compile(r"urllib\.request|AF_INET|http\.client|requests|download_file|\bnpm\b.*pack|apt-get")
    users = {path.name for path in SOURCES if able.search(path.read_text(encoding="utf-8"))}
    assert users <= {"sources.py", "inception_weights.py", "celeba.py", "idx.py"}
