import math

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.csv_files import read_fields, read_rows, to_number, write_rows


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


@pytest.mark.parametrize("header", ["value,name", "name", "name,value,unit"])
def test_other_columns_are_named(tmp_path, header):
    (tmp_path / "x.csv").write_text(f"{header}\n")
    with pytest.raises(UserError, match=r"x\.csv: found the columns .* expected \['name', 'value'\]"):
        read_rows(tmp_path / "x.csv", ("name", "value"))


def test_a_reason_is_no_number():
    assert to_number("-1e3") == -1000
    assert math.isnan(to_number("not run: no weights"))
    assert math.isnan(to_number(""))
