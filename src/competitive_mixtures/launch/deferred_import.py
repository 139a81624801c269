"""Modules that are imported once something of them is asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class DeferredModule(ModuleType):
    """Stands for a module until one of its attributes is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Import the module itself; what is not there raises AttributeError or ImportError."""
        step_aside(self)
        return getattr(import_module(self.__name__), name)


@contextmanager
def defer_imports(*names: str) -> Iterator[None]:
    """Let modules that are first imported inside the block wait until they are used.

    What imports them there keeps a name that stands for them; afterwards they are imported as ever. What imports a
    module below them inside the block may get that twice, so this is for blocks whose imports are known.

    Args:
        names: of the modules.
    """
    standing = [DeferredModule(name) for name in names if name not in sys.modules]
    sys.modules.update({module.__name__: module for module in standing})
    try:
        yield
    finally:
        for module in standing:
            step_aside(module)


def step_aside(module: DeferredModule) -> None:
    """Leave its place to the module that it stands for."""
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]
