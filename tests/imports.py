"""What the package's modules import of each other, read from their source; nothing is imported for it.

A module goes by its path below the package, say `method/rounds.py`.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "competitive_mixtures"
SOURCE = ROOT / "src" / PACKAGE
MODULES = frozenset(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py"))


def read_listing(path: Path) -> list[str]:
    """The names of the files that a list of the package's `files.checksums` has."""
    return [line.split("  ", 1)[1] for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def parse(module: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse((SOURCE / module).read_text(encoding="utf-8"))


def room_of(module: str) -> str:
    """The folder that a module lies in, or its own name at the package's root."""
    return module.partition("/")[0].removesuffix(".py")


def find_module(name: str) -> str | None:
    """`competitive_mixtures.method.rounds` -> `method/rounds.py`; None for what is no module of the package."""
    place = "/".join(name.split(".")[1:])
    return next((path for path in (f"{place}.py", f"{place}/__init__.py".lstrip("/")) if path in MODULES), None)


@cache
def imports_of(module: str, *, types: bool = True) -> frozenset[str]:
    """The modules that a module imports, inside of functions as well.

    Args:
        module: its path below the package.
        types: count imports under `if TYPE_CHECKING:` too.
    """
    return frozenset(find_imports(parse(module), module, types=types)) - {module}


def find_imports(node: ast.AST, module: str, *, types: bool) -> Iterator[str]:
    """The modules that a piece of a module's source imports."""
    for child in walk(node, types=types):
        names: list[str] = []
        if isinstance(child, ast.Import):
            names = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom) and child.module:
            assert child.level == 0, f"{module}: relative import"
            inner = [f"{child.module}.{alias.name}" for alias in child.names]
            names = [name if find_module(name) else child.module for name in inner]
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            names = [child.value] if "." in child.value else []  # for `importlib`
        elif isinstance(child, ast.JoinedStr):
            yield from find_computed(child, module)
        yield from (found for name in names if name.split(".")[0] == PACKAGE and (found := find_module(name)))


def find_computed(name: ast.JoinedStr, module: str) -> Iterator[str]:
    """All modules of a folder whose name a string begins with, as in `import_module(f"{__name__}.{plot}")`."""
    start = name.values[0]
    if isinstance(start, ast.Constant) and str(start.value).startswith(f"{PACKAGE}."):
        folder = "/".join(str(start.value).split(".")[1:-1])
    elif isinstance(start, ast.FormattedValue) and isinstance(start.value, ast.Name) and start.value.id == "__name__":
        folder = module.removesuffix("/__init__.py")
    else:
        return
    yield from (other for other in MODULES if str(Path(other).parent) == folder)


def walk(node: ast.AST, *, types: bool) -> Iterator[ast.AST]:
    """All nodes below one, with or without those that only a type checker sees."""
    yield node
    for child in ast.iter_child_nodes(node):
        if types or not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from walk(child, types=types)


def close(modules: Iterable[str]) -> set[str]:
    """These modules with everything that they import when they run, and what that imports, and so on."""
    found: set[str] = set()
    waiting = set(modules)
    while waiting:
        module = waiting.pop()
        found.add(module)
        folders = {f"{parent}/__init__.py" for parent in Path(module).parents} & MODULES  # run by the import as well
        waiting |= (imports_of(module, types=False) | folders) - found
    return found


def imports_of_command(command: str, cli: str = "pipeline/cli.py") -> set[str]:
    """What the function behind a subcommand imports, and the functions of its module that it calls."""
    functions = {node.name: node for node in parse(cli).body if isinstance(node, ast.FunctionDef)}
    names, waiting = set(), {command.replace("-", "_")}
    found: set[str] = set()
    while waiting:
        names.add(name := waiting.pop())
        found |= set(find_imports(functions[name], cli, types=False))
        used = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
        waiting |= (used & functions.keys()) - names
    return found


def holds_code(module: str) -> bool:
    """Whether there is more in a module than its docstring."""
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in parse(module).body)
