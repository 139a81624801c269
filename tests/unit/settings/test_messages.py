"""Findings name the key as it stands in the file."""

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.messages import validate


class Inner(Block):
    rate: float
    choice: float | bool


class Outer(Block):
    inner: Inner
    items: list[Inner]


class TestValidate:
    sound = {"rate": 1.0, "choice": True}  # noqa: RUF012

    def fail(self, **content):
        content = {"inner": self.sound, "items": []} | content
        with pytest.raises(UserError) as caught:
            validate(Outer, content, "file.json")
        return str(caught.value).splitlines()

    def test_sound(self):
        assert validate(Outer, {"inner": self.sound, "items": [self.sound]}, "file.json").items[0].rate == 1

    def test_every_finding_is_a_line_with_file_key_and_value(self):
        lines = self.fail(inner={"rate": [], "choice": "no"}, items=[self.sound, self.sound | {"more": 1}])
        assert lines == [
            "file.json: inner.rate: found []: Input should be a valid number",
            "file.json: inner.choice: found 'no': Input should be a valid number, or Input should be a valid boolean",
            "file.json: items.1.more: found 1: unknown key; remove it or correct its name",
        ]

    def test_missing_keys(self):
        assert self.fail(inner={"rate": 1.0}) == ["file.json: inner.choice: Field required"]
        with pytest.raises(UserError, match=r"^file.json: inner: Field required\nfile.json: items: Field required$"):
            validate(Outer, {}, "file.json")

    def test_a_number_in_quotes(self):
        (line,) = self.fail(inner=self.sound | {"rate": "1e-4"})
        assert "in quotes it is a word" in line
        (line,) = self.fail(inner=self.sound | {"rate": "fast"})
        assert "1.0e-4" not in line

    @pytest.mark.parametrize("content", [None, 3, "word", []])
    def test_no_mapping(self, content):
        with pytest.raises(UserError, match=r"file.json: "):
            validate(Outer, content, "file.json")
