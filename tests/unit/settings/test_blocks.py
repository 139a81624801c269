"""Blocks that merge, and that extend each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings import schema  # noqa: F401, the kinds of blocks
from competitive_mixtures.settings.blocks import merge, resolve, resolve_all

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
