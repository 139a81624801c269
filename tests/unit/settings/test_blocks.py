"""Blocks that extend each other, and findings that name the key as it stands in the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings import schema  # noqa: F401, the kinds of blocks
from competitive_mixtures.settings.blocks import Block, merge, resolve, resolve_all, validate

SCALARS = st.none() | st.integers() | st.text(max_size=3)
BLOCKS = st.recursive(SCALARS, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), BLOCKS, max_size=3)


class TestMerge:
    def test_mappings_merge_and_everything_else_is_replaced(self):
        base = {"a": {"x": 1, "y": 2}, "list": [1, 2], "n": 3}
        assert merge(base, {"a": {"y": 5}, "list": [9], "new": None}) == {
            "a": {"x": 1, "y": 5},
            "list": [9],
            "n": 3,
            "new": None,
        }
        assert base == {"a": {"x": 1, "y": 2}, "list": [1, 2], "n": 3}

    def test_another_kind_takes_over_what_it_knows(self):
        base = {"network": {"kind": "mlp", "hidden": [8]}}
        assert merge(base, {"network": {"kind": "conv", "channels": [4]}})["network"] == {
            "kind": "conv",
            "channels": [4],
        }
        assert merge(base, {"network": {"hidden": [9]}})["network"] == {"kind": "mlp", "hidden": [9]}
        assert merge(base, {"network": {"kind": "mlp", "x": 1}})["network"] == {"kind": "mlp", "hidden": [8], "x": 1}

    def test_another_kind_of_the_same_keys_keeps_the_rest(self):
        base = {"scoring": {"kind": "discriminators", "batch_size": 16}}
        assert merge(base, {"scoring": {"kind": "classifier"}})["scoring"] == {"kind": "classifier", "batch_size": 16}

    def test_another_kind_of_fewer_keys_drops_the_rest(self):
        base = {"likelihood": {"kind": "gaussian", "variance": 0.1, "samples": "means"}}
        assert merge(base, {"likelihood": {"kind": "bernoulli"}}) == {"likelihood": {"kind": "bernoulli"}}
        vae = {"c": {"kind": "vae", "count": 3, "latent_dim": 2, "encoder": {}}}
        assert merge(vae, {"c": {"kind": "gan"}}) == {"c": {"kind": "gan", "count": 3, "latent_dim": 2}}

    @pytest.mark.parametrize("kind", ["flow", None, 3, [], {}])
    def test_a_kind_that_nobody_knows_is_left_to_the_schema(self, kind):
        assert merge({"a": {"kind": "mlp", "x": 1}}, {"a": {"kind": kind}}) == {"a": {"kind": kind, "x": 1}}

    @given(MAPPINGS, MAPPINGS)
    def test_changes_win_and_nothing_else_moves(self, base, changes):
        merged = merge(base, changes)
        assert merged.keys() == base.keys() | changes.keys()
        assert merge(merged, changes) == merged
        assert merge(base, {}) == base
        for key in base.keys() - changes.keys():
            assert merged[key] == base[key]


class TestResolve:
    blocks = {  # noqa: RUF012
        "a": {"n": 1, "inner": {"x": 1, "y": 1}},
        "b": {"extends": "a", "inner": {"y": 2}},
        "c": {"extends": "b", "n": 3},
    }

    def test_chains(self):
        assert resolve(self.blocks, "c") == {"extends": "b", "n": 3, "inner": {"x": 1, "y": 2}}
        assert resolve(self.blocks, "a") == self.blocks["a"]

    @pytest.mark.parametrize(
        ("extra", "message"),
        [
            ({"d": {"extends": "d"}}, r"d.extends: runs in a circle: d -> d"),
            ({"d": {"extends": "e"}, "e": {"extends": "d"}}, r"circle: d -> e -> d"),
            ({"d": {"extends": "nobody"}}, r"experiments.d.extends: found 'nobody' = None"),
            ({"d": {"extends": ["a"]}}, r"experiments.d.extends: found \['a'\], expected an experiment's name"),
            ({"d": {"extends": None}}, r"experiments.d.extends: found None, expected an experiment's name"),
            ({"d": 3}, r"experiments.d: found 'd' = 3, expected an experiment's block"),
        ],
    )
    def test_mistakes(self, extra, message):
        with pytest.raises(UserError, match=message):
            resolve(self.blocks | extra, "d")

    def test_all_that_can_be_resolved_are_and_the_others_are_told(self):
        blocks, mistakes = resolve_all(self.blocks | {"d": 3, "e": {"extends": "nobody"}})
        assert list(blocks) == ["a", "b", "c"]
        assert len(mistakes) == 2

    @pytest.mark.parametrize("content", [None, 3, [], "word"])
    def test_no_mapping_is_left_to_the_schema(self, content):
        assert resolve_all(content) == (content, [])


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
