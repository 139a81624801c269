"""The house: which room may import which, read from every import, those in functions and for type checkers included."""

import ast
from graphlib import TopologicalSorter

from imports import MODULES, close, find_imports, imports_of, room_of

SHARED = {"denormals", "errors", "processes", "progress", "seeding", "files"}  # at the package's root, for everybody
# What each room may import beside itself and the shared modules; whatever stands in no list is forbidden.
ALLOWED = {
    "denormals": set(),
    "errors": set(),
    "processes": set(),
    "progress": set(),
    "seeding": set(),
    "files": {"errors", "processes"},
    "data": SHARED,
    "settings": SHARED | {"data"},
    "evaluation": SHARED | {"data"},
    "networks": SHARED | {"settings", "data"},
    "method": SHARED | {"networks", "evaluation", "settings", "data"},
    "estimator": SHARED | {"method", "networks", "evaluation", "settings", "data"},
    "report": SHARED | {"settings", "data"},  # reads files, and never what wrote them
    "pipeline": SHARED | {"report", "method", "networks", "evaluation", "settings", "data"},
    "launch": SHARED | {"pipeline"},
    "__init__": {"estimator"},
}
PARTS_OF_REPORT = {"tables", "figures", "claims"}


def test_every_import_goes_the_way_that_the_house_allows():
    forbidden = {
        f"{module} -> {other}"
        for module in MODULES
        for other in imports_of(module)
        if room_of(other) not in ALLOWED[room_of(module)] | {room_of(module)}
    }
    assert forbidden == set()


def test_every_room_is_there():
    assert {room_of(module) for module in MODULES} == ALLOWED.keys()


def test_no_circle_between_rooms():
    list(TopologicalSorter(ALLOWED).static_order())  # raises where there is one


def test_no_circle_between_files():
    order = list(TopologicalSorter({module: imports_of(module) for module in MODULES}).static_order())
    assert len(order) == len(MODULES)


def test_parts_of_the_report_do_not_import_each_other():
    parts = {part: {module for module in MODULES if module.startswith(f"report/{part}/")} for part in PARTS_OF_REPORT}
    assert all(parts.values())
    crossing = {
        f"{module} -> {other}"
        for module in MODULES
        if room_of(module) == "report"
        for other in imports_of(module)
        for part in PARTS_OF_REPORT
        if other in parts[part] and module not in parts[part]
    }
    assert crossing == set()


def test_folders_open_without_their_files():
    """An `__init__` imports nothing, so that a file does not bring its neighbours along; two show what they offer."""
    importing = {module for module in MODULES if module.endswith("__init__.py") and imports_of(module)}
    assert importing <= {"__init__.py", "data/__init__.py"}


SOURCE = """
import competitive_mixtures.errors
from competitive_mixtures.data import format, load_dataset
from numpy import errors
if TYPE_CHECKING:
    from competitive_mixtures.progress import show_progress

def late(plot):
    from competitive_mixtures.report.results import FinishedRun
    import_module("competitive_mixtures.seeding")
    import_module(f"competitive_mixtures.report.claims.{plot}")
"""
CLAIMS = {module for module in MODULES if module.startswith("report/claims/")}


def test_imports_are_found_wherever_they_stand():
    running = {"errors.py", "data/format.py", "data/__init__.py", "report/results.py", "seeding.py"} | CLAIMS
    assert set(find_imports(ast.parse(SOURCE), "x.py", types=False)) == running
    assert set(find_imports(ast.parse(SOURCE), "x.py", types=True)) == running | {"progress.py"}


def test_a_module_brings_its_folders_and_what_they_import():
    assert {"data/format.py", "data/__init__.py", "data/registry.py", "errors.py"} <= close(["data/format.py"])
