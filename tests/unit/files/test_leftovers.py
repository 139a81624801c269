"""What a killed process leaves: its number stands in the name, and the next one that writes there removes it."""

import os
import subprocess
import sys
import tempfile

from competitive_mixtures.files.formats import write_text
from competitive_mixtures.files.leftovers import make_temporary_folder
from competitive_mixtures.processes import MACHINE


def test_the_half_file_of_a_killed_process_goes_with_the_next_one(tmp_path):
    program = (
        "import os; from competitive_mixtures.files.access import write_atomically\n"
        "with write_atomically('file.txt') as partial: partial.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    (half,) = os.listdir(tmp_path)
    others = [".file.txt", ".1.file.txt", f".{MACHINE}-{os.getppid()}.file.txt", ".elsewhere-7.file.txt"]
    for name in others:
        (tmp_path / name).write_text("")
    write_text(tmp_path / "another.txt", "new")
    assert (tmp_path / half).exists()
    write_text(tmp_path / "file.txt", "new")
    assert sorted(os.listdir(tmp_path)) == sorted(["file.txt", "another.txt", *others])


def test_the_folder_of_a_killed_process_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os; from competitive_mixtures.files.leftovers import make_temporary_folder\n"
        "with make_temporary_folder() as folder: (folder / 'a').touch(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    (left,) = tmp_path.iterdir()
    with make_temporary_folder() as first, make_temporary_folder() as second:
        assert sorted(tmp_path.iterdir()) == sorted([first, second])
        assert not left.exists()
    assert os.listdir(tmp_path) == []
