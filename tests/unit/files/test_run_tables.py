"""CSV files, and the tables of a run as other programs see them: written, read back, or refused."""

import math

import numpy as np
import pandas as pd
import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.tables import (
    AssignmentTable,
    read_assignments,
    read_fields,
    read_model_samples,
    read_rows,
    read_scores,
    to_number,
    write_assignments,
    write_model_samples,
    write_rows,
    write_scores,
)

TABLE = AssignmentTable(
    component=np.array([2, 0, 1], np.int16),
    previous=np.array([1, 0, 1], np.int16),
    margin=np.array([0.5, 0.0, 3.25], np.float32),
    label=np.array([7, 7, 9], np.int16),
)


def test_what_is_written_is_read_again(tmp_path):
    rows = [{"name": 'a "quoted", field', "value": 1.5}, {"name": "line\nbreak"}]
    write_rows(tmp_path / "x.csv", ("name", "value"), rows)
    assert (tmp_path / "x.csv").read_bytes() == b'name,value\n"a ""quoted"", field",1.5\n"line\nbreak",\n'
    expected = [{"name": 'a "quoted", field', "value": "1.5"}, {"name": "line\nbreak", "value": ""}]
    assert read_rows(tmp_path / "x.csv", ("name", "value")) == expected


def test_a_key_without_a_column_is_refused(tmp_path):
    with pytest.raises(ValueError, match="valeu"):
        write_rows(tmp_path / "x.csv", ("name", "value"), [{"valeu": 1}])
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("content", ["name,value\na,1", "name,value\na\n", "name,value\na,1,2\n"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, content):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(UserError, match=r"x\.csv: found a row without all of its fields"):
        read_fields(tmp_path / "x.csv")


def test_wherever_within_a_row_a_file_is_cut(tmp_path):
    whole = b'name,value\na,1\n"line\nbreak","b ""c"""\n,\n'
    between_rows = {len(b"name,value\n"), len(b"name,value\na,1\n"), len(whole) - len(b",\n")}
    for length in set(range(len(whole))) - between_rows:
        (tmp_path / "x.csv").write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"x\.csv: (found a row without|expected a CSV file)"):
            read_fields(tmp_path / "x.csv")


@pytest.mark.parametrize("header", ["value,name", "name", "name,value,unit"])
def test_other_columns_are_named(tmp_path, header):
    (tmp_path / "x.csv").write_text(f"{header}\n")
    with pytest.raises(UserError, match=r"x\.csv: found the columns .* expected \['name', 'value'\]"):
        read_rows(tmp_path / "x.csv", ("name", "value"))


def test_a_reason_is_no_number():
    assert to_number("-1e3") == -1000
    assert math.isnan(to_number("not run: no weights"))
    assert math.isnan(to_number(""))


def test_an_assignment_table_opens_in_pandas(tmp_path):
    path = tmp_path / "assignments.parquet"
    write_assignments(path, TABLE)
    expected = {
        "index": np.arange(3, dtype=np.int32),
        "component": TABLE.component,
        "previous": TABLE.previous,
        "margin": TABLE.margin,
        "label": TABLE.label,
    }
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.DataFrame(expected))
    for name, column in vars(read_assignments(path)).items():
        np.testing.assert_array_equal(column, expected[name])


def test_without_labels_there_is_no_such_column(tmp_path):
    path = tmp_path / "assignments.parquet"
    write_assignments(path, AssignmentTable(TABLE.component, TABLE.previous, TABLE.margin))
    assert "label" not in pd.read_parquet(path)
    assert read_assignments(path).label is None


def test_scores_keep_every_digit_and_every_word(tmp_path):
    path = tmp_path / "scores.csv"
    write_scores(path, [("data", "-", "recall", "test", 1 / 3), ("data", "-", "fid", "test", "not run: no weights")])
    assert path.read_bytes() == (
        b"model,protocol,metric,split,value\n"
        b"data,-,recall,test,0.3333333333333333\n"
        b"data,-,fid,test,not run: no weights\n"
    )
    assert [row["value"] for row in read_scores(path)] == ["0.3333333333333333", "not run: no weights"]


def test_scores_of_other_columns_are_refused(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("model,value\na,1\n")
    with pytest.raises(UserError, match=r"scores\.csv: found the columns"):
        read_scores(path)


def test_samples_by_model_and_protocol(tmp_path):
    path = tmp_path / "samples.npz"
    drawn = np.array([[0.5, 1.0], [2.0, 3.0]], np.float32), np.array([1, 0], np.int16)
    write_model_samples(path, {("competitive", "-"): drawn, ("single", "paper"): drawn})
    with np.load(path) as arrays:
        np.testing.assert_array_equal(arrays["competitive.-.component"], [1, 0])
    samples = read_model_samples(path)
    assert samples.keys() == {"competitive.-", "single.paper"}
    np.testing.assert_array_equal(samples["single.paper"], drawn[0])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"samples\.npz: expected NumPy arrays"):
        read_model_samples(path)
