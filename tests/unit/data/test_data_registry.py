"""Every kind is found by its name, documented, and light to import."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from competitive_mixtures.data import DatasetSpec, download, load_dataset, prepare
from competitive_mixtures.data.registry import KINDS

ADAPTER = TypeAdapter(DatasetSpec)


def test_the_kind_decides_the_specification():
    spec = ADAPTER.validate_python({"kind": "array", "path": "x.npz"})
    assert type(spec) is KINDS["array"].Spec
    assert spec.inputs == ("x.npz",)
    assert spec.requires is None
    with pytest.raises(ValidationError, match="does not match any of the expected tags: 'gaussians', 'idx'"):
        ADAPTER.validate_python({"kind": "sound"})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_what_the_registry_calls_and_documents_its_fields(kind):
    module = KINDS[kind]
    assert list(inspect.signature(module.download).parameters) == ["spec", "raw_dir"]
    assert list(inspect.signature(module.prepare).parameters) == ["spec", "raw_dir", "out_dir", "name"]
    for field in module.Spec.model_fields:
        assert field == "kind" or f"{field}: " in module.Spec.__doc__


def test_a_specification_survives_json():
    block = {"kind": "images", "path": "pictures", "size": 32}
    spec = ADAPTER.validate_python(block)
    assert ADAPTER.validate_json(spec.model_dump_json()) == spec
    assert ADAPTER.validate_python(json.loads(spec.model_dump_json())) == spec


def test_download_leaves_a_record_and_prepare_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((5, 2)))
    spec = ADAPTER.validate_python({"kind": "array", "path": "x.npy"})
    download(spec, "raw")
    assert json.loads((tmp_path / "raw" / "download.json").read_text()) == {"kind": "array", "downloaded": []}
    prepare(spec, "raw", "out", "own")
    assert load_dataset("out").name == "own"


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"torch", "torchvision", "PIL", "scipy", "pandas", "sklearn", "urllib.request", "subprocess", "tqdm"}
    code = f"import sys, competitive_mixtures.data; print(*({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
