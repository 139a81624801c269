"""Numbers of the documents: blocks of README and docs that are written from the kept tables, never by hand.

A block stands between `<!-- verdict: NAME -->` and `<!-- end -->`, each on a line of its own; a number in a sentence
between `<!-- fact: NAME -->` and `<!-- end -->`.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_json, write_text
from competitive_mixtures.files.tables import read_fields, read_rows, to_number
from competitive_mixtures.report.intervals import mean_interval
from competitive_mixtures.report.names import METHODS, MODELS, word_verdict
from competitive_mixtures.report.plan import Planned, label_baseline, list_baselines, list_variants
from competitive_mixtures.report.summary import SUMMARY_COLUMNS

DOCUMENTS = ("README.md", "docs/results.md")
FACT = re.compile(r"(<!-- fact: (\w+) -->).*?(<!-- end -->)")  # within a sentence
BLOCK = re.compile(r"(<!-- verdict: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
MARKS = {"reproduced": "✔", "partly": "◐", "open": "?", "incomplete": "…", "not reproduced": "✘", "not run": "–"}
COLUMNS = (("synthetic-3", "log_likelihood"), ("synthetic-6", "log_likelihood"), ("synthetic-9", "log_likelihood"),
           ("mnist", "frechet_classifier"))  # fmt: skip
OF_C2 = ("single", "single_wide", "bagging")  # the baselines that C2 names
GAN_COLUMNS = tuple((f"{group}-gan", metric) for group, metric in COLUMNS)
Scores = dict[tuple[str, ...], list[float]]
Table = list[dict[str, str]]


def fill_documents(root: Path, kept: Path, plan: Iterable[Planned]) -> None:
    """Write every block of `DOCUMENTS` anew.

    Args:
        root: the folder of the documents.
        kept: the folder of `claims.csv`, `authors_settings.csv` and `summary.csv`.
        plan: the experiments.

    Raises:
        UserError: a file is missing, or a block has a name that is not known.
    """
    blocks, facts = write_blocks(kept, plan), read_facts(kept)
    for name in DOCUMENTS:
        path = root / name
        write_text(path, fill(path.read_text(encoding="utf-8"), blocks, name, facts))


def fill(text: str, blocks: dict[str, str], name: str, facts: dict[str, str] | None = None) -> str:
    """A document with the content of its blocks, and the numbers in its sentences, replaced.

    Raises:
        UserError: a block or a number has a name that is not known.
    """

    def replace(kind: str, known: dict[str, str], match: re.Match[str]) -> str:
        if match[2] not in known:
            raise UserError(f"{name}: found the {kind} {match[2]!r}, expected one of {', '.join(known)}")
        return f"{match[1]}{known[match[2]]}{match[3]}"

    text = BLOCK.sub(partial(replace, "block", blocks), text)
    return FACT.sub(partial(replace, "fact", facts or {}), text)


def read_facts(kept: Path) -> dict[str, str]:
    """The numbers that stand in sentences, by name: those of `facts.json`, and how many criteria were amended."""
    claims = _read(kept / "claims.csv")
    amended = sum(any(row["amended"].split("; ")) for row in claims)
    return {**read_json(kept / "facts.json"), "amended": f"{amended} of the {len(claims)}"}


def write_blocks(kept: Path, plan: Iterable[Planned]) -> dict[str, str]:
    """The content of every block by its name."""
    claims, authors = _read(kept / "claims.csv"), _read(kept / "authors_settings.csv")
    scores: Scores = defaultdict(list)
    for row in read_rows(kept / "summary.csv", SUMMARY_COLUMNS):
        if row["split"] == "test":
            key = tuple(row[name] for name in ("experiment", "model", "protocol", "metric"))
            scores[key].append(to_number(row["value"]))
    variants = list_variants(plan)
    writers: dict[str, Callable[[], str]] = {
        "claims": lambda: _claims(claims),
        "authors": lambda: _authors(authors),
        "vae": lambda: _scores(scores, variants, COLUMNS),
        "gan": lambda: _scores(scores, variants, GAN_COLUMNS),
        "gains": lambda: _gains(_read(kept / "gains.csv")),
    }
    return {name: write() for name, write in writers.items() if name != "gains" or (kept / "gains.csv").is_file()}


def _read(path: Path) -> Table:
    header, rows = read_fields(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _claims(claims: Table) -> str:
    """A line a claim: the verdicts, and the comparison that decides the one at our settings."""
    names = ("claim", "verdict at our settings", "at the authors'", "deciding comparison, our settings")
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for row in claims:
        verdict = _verdict(row["verdict"], row["preliminary"], row["scope"]) + _former(row)
        authors = ""
        if row["authors_verdict"]:
            authors = _verdict(row["authors_verdict"], row["authors_preliminary"]) + _former(row, "authors_")
        deciding = row["deciding"].replace("<", "&lt;").replace(">", "&gt;")
        lines.append(f"| **{row['id']}** {row['claim']} | {verdict} | {authors} | {deciding}: {_amount(row)} |")
    return "\n".join(lines) + "\n"


def _gains(rows: Table) -> str:
    """A line for each baseline of C2 and data set: the gain of the paper's method in both protocols, side by side."""
    found = {
        (row["group"], row["baseline"], row["baseline_protocol"]): row
        for row in rows
        if row["mixture"] == "plain" and row["baseline"] in OF_C2
    }
    groups = [group for group, metric in COLUMNS if metric == "log_likelihood"]
    lines = ["| less | data | paper's protocol | equal compute |", "|---|---|---|---|"]
    for model in OF_C2:
        for group in groups:
            cells = [found.get((group, model, protocol)) for protocol in ("paper", "equal_compute")]
            if any(cells):
                shown = [_gain(row) if row else "–" for row in cells]
                lines.append(f"| {MODELS[model]} | {group} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _gain(row: dict[str, str]) -> str:
    """`0.74 (0.49 to 0.99), 10 seeds`."""
    span = f" ({_fixed(row['ci_low'])} to {_fixed(row['ci_high'])})" if row["ci_low"] else ""
    return f"{_fixed(row['difference'])}{span}, {row['n']} seeds"


def _verdict(verdict: str, preliminary: str, scope: str = "") -> str:
    """`✔ reproduced (preliminary: 3 of 10 seeds finished throughout)`."""
    return f"{MARKS[verdict]} {word_verdict(verdict, preliminary, scope)}"


def _former(row: dict[str, str], prefix: str = "") -> str:
    """` (by a former criterion ◐ partly)`, where one gives another verdict."""
    formers = (row[f"{prefix}{name}_before"].split("; ") for name in ("verdict", "preliminary"))
    now = ("", row[f"{prefix}verdict"])
    others = dict.fromkeys(_verdict(*pair) for pair in zip(*formers, strict=True) if pair[0] not in now)
    return f" (by a former criterion {' and '.join(others)})" if others else ""


def _authors(rows: Table) -> str:
    """A line a data set: the runs at the authors' settings, one value a seed, beside what the authors' code gave."""
    names = (
        "rounds",
        "purity, first round",
        "purity, last round",
        "points that moved last",
        "test score",
        "seconds a round",
    )
    lines = [f"| data | {' | '.join(names)} | what the authors' code gave |", "|---|" + "---|" * (len(names) + 1)]
    for row in rows:
        if row["status"] != "run":
            lines.append(f"| {row['group']} |" + " not run |" + " |" * (len(names) - 1) + f" {_code(row)} |")
            continue
        cells = [
            f"{_list(row['rounds'], 0)} of {row['rounds_asked']}",
            *(_list(row[name], 2) for name in ("purity_first", "purity")),
            _list(row["share_changed"], 3),
            _list(row["score"], 2),
            _list(row["round_s"], 0),
        ]
        seeds = f"seed{'s' * (' ' in row['seeds'])} {_list(row['seeds'], 0)}"
        lines.append(f"| {row['group']}, {seeds} | {' | '.join(cells)} | {_code(row)} |")
    return "\n".join(lines) + "\n"


def _code(row: dict[str, str]) -> str:
    """`purity 0.68, 0.90, log-likelihood −5.25, −4.90 after rounds 4, 16; 128 s a round`."""
    if not row["code_rounds"]:
        return "not run"
    scores = f"purity {_list(row['code_purity'], 2)}, log-likelihood {_list(row['code_log_likelihood'], 2)}"
    return f"{scores} after rounds {_list(row['code_rounds'], 0)}; {_list(row['code_round_s'], 0)} s a round"


def _list(values: str, digits: int) -> str:
    """Values that are separated by blanks, one a seed, or one a run."""
    return ", ".join(
        "–" if value == "–" else f"{float(value):.{digits}f}".replace("-", "−") for value in values.split()
    )


def _amount(row: dict[str, str]) -> str:
    """`0.74 nats (0.49 to 0.99), 10 seeds`."""
    if row["effect"] == "":
        return "not run"
    unit = f" {row['unit']}" if row["unit"] else ""
    span = f" ({_fixed(row['ci_low'])} to {_fixed(row['ci_high'])})" if row["ci_low"] else ""
    return f"{_fixed(row['effect'])}{unit}{span}, {row['n']} seeds"


def _fixed(text: str | float) -> str:
    return f"{float(text):.2f}".replace("-", "−")


def _scores(scores: Scores, variants: dict[str, dict[str, Planned]], columns: Iterable[tuple[str, str]]) -> str:
    """Means over seeds: a line a model, a column a data set; the number of seeds in brackets."""
    columns = list(columns)
    models = [(name, method, "competitive", "-") for method, name in METHODS.items()]
    models += [(label_baseline(model, protocol), "", model, protocol) for model, protocol in list_baselines()]
    models.append((MODELS["data"], "", "data", "-"))
    lines = ["| mean (seeds) | " + " | ".join(group for group, _ in columns) + " |", "|---|" + "---|" * len(columns)]
    for name, method, model, protocol in models:
        cells = []
        for group, metric in columns:
            named = [p.name for key, p in variants.get(group, {}).items() if method in ("", key)]
            found = max((scores.get((e, model, protocol, metric), []) for e in named), key=len, default=[])
            interval = mean_interval(found)
            cells.append("–" if math.isnan(interval.mean) else f"{_fixed(interval.mean)} ({interval.count})")
        if set(cells) != {"–"}:
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
