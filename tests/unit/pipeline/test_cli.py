"""The command line: every rule's subcommand on tiny data, and a user's mistakes without a traceback."""

import json
import sys

import numpy as np
import pytest
import torch
from examples import BASE, ROOT, make_blobs
from typer.testing import CliRunner

from competitive_mixtures.data import write_dataset
from competitive_mixtures.files.formats import read_json, read_table
from competitive_mixtures.pipeline import cli

SPEC = {
    "kind": "gaussians",
    "modes": 2,
    "means": [[-4.0, 0.0], [4.0, 0.0]],
    "variance": 0.5,
    "num_train": 60,
    "num_test": 20,
    "seed": 0,
}


@pytest.fixture
def project(tmp_path):
    """A configuration and prepared data, as the workflow leaves them."""
    (tmp_path / "config.json").write_text(json.dumps(BASE))
    blobs = make_blobs()
    arrays = {name: getattr(blobs, name) for name in ("train", "test", "train_labels", "test_labels")}
    write_dataset(tmp_path / "data", "blobs", arrays, source={"kind": "test"})
    return tmp_path


def run(monkeypatch, *words):
    """Call the program in this process; gives its exit status."""
    monkeypatch.setattr(sys, "argv", ["competitive-mixtures", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        cli.run_command()
    return caught.value.code


def job(project, verb, *words):
    """The words that all jobs of a run share."""
    return (verb, "--config", project / "config.json", "--data", project / "data", "--seed", 0, *words)


def fail(monkeypatch, capsys, *words):
    """The message of a call that fails with exit status 1."""
    assert run(monkeypatch, *words) == 1
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert any(line.startswith("error: ") for line in message.splitlines())
    return message


def test_the_whole_way(project, monkeypatch):
    seed = project / "seed-0"
    rounds = seed / "rounds"
    assert run(monkeypatch, *job(project, "pretrain", "--out", seed / "pretrain")) == 0
    previous = seed / "pretrain"
    for number in range(2):
        step = ("--round", number, "--previous", previous, "--out", rounds / str(number))
        assert run(monkeypatch, *job(project, "train-round", *step)) == 0
        previous = rounds / str(number)
    for name in BASE["baselines"]:
        options = ("--name", name, "--competition", previous, "--rounds", 1, "--out", seed / "baselines" / name)
        assert run(monkeypatch, *job(project, "train-baseline", *options)) == 0
    options = ("--rounds", 1, "--run", seed, "--out", seed / "evaluation")
    assert run(monkeypatch, *job(project, "evaluate", *options)) == 0
    header, *rows = (seed / "evaluation/scores.csv").read_text().splitlines()
    assert header == "model,protocol,metric,split,value"
    assert {row.split(",")[0] for row in rows} == {"data", "competitive", *BASE["baselines"]}


def test_shards_and_their_join_are_the_whole_round(project, monkeypatch):
    (project / "config.json").write_text(json.dumps(BASE | {"training": BASE["training"] | {"backend": "loop"}}))
    assert run(monkeypatch, *job(project, "pretrain", "--out", project / "pretrain")) == 0
    step = ("--round", 0, "--previous", project / "pretrain")
    assert run(monkeypatch, *job(project, "train-round", *step, "--out", project / "whole")) == 0
    files = [project / f"{shard}.safetensors" for shard in range(2)]
    for shard, file in enumerate(files):
        options = ("--shard", shard, "--shards", 2, "--out", file)
        assert run(monkeypatch, *job(project, "train-shard", *step, *options)) == 0
    assert run(monkeypatch, *job(project, "reassign", *step, "--out", project / "joined", *files[::-1])) == 0
    for name in ("assignments.parquet", "samples.npy", "state.safetensors"):
        assert (project / "whole" / name).read_bytes() == (project / "joined" / name).read_bytes()


def test_prepare_draws_the_points(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps(SPEC))
    config = ("--config", tmp_path / "config.json")
    assert run(monkeypatch, "download", *config, "--out", tmp_path / "raw") == 0
    assert run(monkeypatch, "prepare", *config, "--raw", tmp_path / "raw", "--out", tmp_path / "blobs") == 0
    assert read_json(tmp_path / "blobs/meta.json")["name"] == "blobs"
    assert np.load(tmp_path / "blobs/train.npy").shape == (60, 2)


class TestMistakes:
    def test_no_configuration(self, project, monkeypatch, capsys):
        (project / "config.json").unlink()
        assert "config.json: not found" in fail(
            monkeypatch, capsys, *job(project, "pretrain", "--out", project / "out")
        )

    def test_all_mistakes_of_a_configuration(self, project, monkeypatch, capsys):
        (project / "config.json").write_text(json.dumps(BASE | {"shards": 0, "device": "tpu"}))
        message = fail(monkeypatch, capsys, *job(project, "pretrain", "--out", project / "out"))
        assert "shards: found 0" in message
        assert "device: found 'tpu'" in message

    def test_no_data(self, project, monkeypatch, capsys):
        (project / "data/train.npy").unlink()
        assert "train.npy: not found" in fail(monkeypatch, capsys, *job(project, "pretrain", "--out", project / "out"))

    def test_no_previous_round(self, project, monkeypatch, capsys):
        step = ("--round", 3, "--previous", project / "rounds/2", "--out", project / "rounds/3")
        assert "state.safetensors: not found" in fail(monkeypatch, capsys, *job(project, "train-round", *step))

    def test_no_such_baseline(self, project, monkeypatch, capsys):
        options = ("--name", "double", "--competition", project, "--rounds", 1, "--out", project / "out")
        assert "baseline 'double'" in fail(monkeypatch, capsys, *job(project, "train-baseline", *options))

    def test_no_such_shard(self, project, monkeypatch, capsys):
        options = ("--round", 0, "--previous", project, "--shard", 2, "--shards", 2, "--out", project / "x.safetensors")
        assert "shard 2 of 2" in fail(monkeypatch, capsys, *job(project, "train-shard", *options))

    def test_an_output_that_cannot_be_written(self, project, monkeypatch, capsys):
        message = fail(monkeypatch, capsys, *job(project, "pretrain", "--out", project / "config.json"))
        assert "cannot be written" in message

    def test_divergence(self, project, monkeypatch, capsys):
        wild = json.loads(json.dumps(BASE))
        wild["components"][0]["optimizer"]["learning_rate"] = 1e6
        wild["training"]["pretraining_steps"] = 100
        (project / "config.json").write_text(json.dumps(wild))
        message = fail(monkeypatch, capsys, *job(project, "pretrain", "--out", project / "out"))
        assert "diverged at step" in message
        assert not (project / "out").exists()

    @pytest.mark.parametrize("words", [["pretrain"], ["no-such-verb"], ["pretrain", "--seed", "-1"]])
    def test_wrong_words_are_explained(self, words, monkeypatch, capsys):
        assert run(monkeypatch, *words) == 2
        assert "Usage" in capsys.readouterr().err

    @pytest.mark.parametrize("entry", ["synthetic-3", "synthetic-3=", "synthetic-3=x"])
    def test_rounds_of_the_summary(self, entry, tmp_path, monkeypatch, capsys):
        message = fail(monkeypatch, capsys, "summarize", tmp_path, "--out", tmp_path, "--rounds", entry)
        assert f"--rounds {entry}" in message


def test_help_lists_a_subcommand_for_every_rule():
    output = CliRunner().invoke(cli.app, ["--help"]).output
    for verb in (
        "download",
        "prepare",
        "pretrain",
        "train-round",
        "train-shard",
        "reassign",
        "train-baseline",
        "evaluate",
    ):
        assert verb in output


def test_labels_are_optional(project, monkeypatch):
    blobs = make_blobs(labels=False)
    write_dataset(project / "data", "blobs", {"train": blobs.train, "test": blobs.test}, source={"kind": "test"})
    assert run(monkeypatch, *job(project, "pretrain", "--out", project / "out")) == 0
    assert "label" not in read_table(project / "out/assignments.parquet")


def test_the_documents_of_the_settings_need_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "schema", "--root", tmp_path / "new") == 0
    for path in ("params.schema.json", "docs/settings.md"):
        assert (tmp_path / "new" / path).read_bytes() == (ROOT / path).read_bytes()


class Lacking:
    """Stands in for the subcommands, and fails."""

    def __init__(self, error):
        self.error = error

    def __call__(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(28, "No space left on device"),
            "[Errno 28] No space left on device; free space, memory",
        ),
        (OSError(), "OSError; free space"),
        (MemoryError(), "not enough memory (MemoryError); run fewer jobs"),
        (np.exceptions.AxisError("x"), None),
        (ModuleNotFoundError("No module named 'a.b'", name="a.b"), "this command needs a.b; install"),
        (ModuleNotFoundError("No module named 'x'", name="competitive_mixtures.x"), None),
    ],
)
def test_what_the_machine_lacks_is_a_sentence_with_a_reason(monkeypatch, capsys, error, message):
    monkeypatch.setattr(cli, "build_command", lambda: Lacking(error))
    with pytest.raises(SystemExit if message else type(error)):
        cli.run_command()
    if message:
        assert capsys.readouterr().err.startswith(f"error: {message}")


@pytest.mark.parametrize("allocate", [lambda: torch.empty(2**60), lambda: np.empty(2**60, dtype=np.uint8)])
def test_more_memory_than_there_is(monkeypatch, capsys, allocate):
    monkeypatch.setattr(cli, "build_command", lambda: allocate)
    with pytest.raises(SystemExit):
        cli.run_command()
    assert "error: not enough memory (" in capsys.readouterr().err
