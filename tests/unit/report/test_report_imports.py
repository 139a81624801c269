"""The report's files import in one direction: tables, figures and claims share files and never import each other."""

import ast
from graphlib import TopologicalSorter

from fakes import ROOT

SRC = ROOT / "src"
PACKAGE = "competitive_mixtures"
REPORT = f"{PACKAGE}.report"
ALLOWED = {"settings", "data", "files", "folders", "tables", "errors"}  # rooms of the package that the report stands on


def imports_of(path):
    """The package's modules that a file imports, those inside functions and for type checkers included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            for alias in node.names:  # `from package import module` is an import of the module
                module = f"{node.module}.{alias.name}"
                yield module if is_module(module) else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(PACKAGE))


def is_module(name):
    path = SRC.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def read_graph():
    """Every file of the report by module name, with the modules that it imports."""
    graph = {}
    for path in (SRC / PACKAGE / "report").rglob("*.py"):
        parts = path.relative_to(SRC).with_suffix("").parts
        graph[".".join(parts).removesuffix(".__init__")] = set(imports_of(path))
    return graph


def room_of(module):
    return module.split(".")[1]


def test_the_report_stands_on_settings_data_and_files_only():
    outside = {
        (name, used) for name, all_used in read_graph().items() for used in all_used if room_of(used) != "report"
    }
    assert {pair for pair in outside if room_of(pair[1]) not in ALLOWED} == set()
    assert outside


def test_tables_figures_and_claims_do_not_import_each_other():
    folders = ("tables", "figures", "claims")
    crossing = {
        (name, used)
        for name, all_used in read_graph().items()
        for used in all_used
        for ours in folders
        if used.startswith(tuple(f"{REPORT}.{other}" for other in folders if other != ours))
        and (name.startswith(f"{REPORT}.{ours}") or name.count(".") == 2)  # a shared file imports none of the three
    }
    assert crossing == set()


def test_no_file_imports_itself_by_way_of_others():
    order = list(TopologicalSorter(read_graph()).static_order())  # raises where there is a circle
    assert len(order) > len(read_graph()) > 25


def test_folders_open_without_their_files():
    """A folder's `__init__` imports nothing, so that a file does not bring its neighbours along."""
    graph = read_graph()
    assert {name: graph[name] for name in (REPORT, *(f"{REPORT}.{f}" for f in ("tables", "figures", "claims")))} == {
        name: set() for name in (REPORT, f"{REPORT}.tables", f"{REPORT}.figures", f"{REPORT}.claims")
    }
