"""A program of its own: runs Python code as if only some packages were installed beside the standard library.

python alone.py FOLDER MODULES CODE: FOLDER holds the installed wheel, MODULES are the top-level modules to be found
elsewhere, with commas between them.
"""

import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder


class Visible(PathFinder):
    """Finds the named modules, those of the standard library and whatever lies in the folder."""

    folder: str
    names: frozenset[str]

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        own = fullname.startswith("_sysconfigdata")  # of the standard library, under a name of the platform's
        if path is not None or own or fullname.partition(".")[0] in cls.names:
            return PathFinder.find_spec(fullname, path, target)
        return PathFinder.find_spec(fullname, [cls.folder], target)


if __name__ == "__main__":
    Visible.folder, names, code = sys.argv[1:]
    Visible.names = sys.stdlib_module_names | frozenset(names.split(","))
    sys.path_importer_cache.clear()
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, Visible]
    sys.path.insert(0, Visible.folder)
    exec(compile(code, "code", "exec"), {"__name__": "__main__"})
