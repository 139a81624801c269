"""The project's own `snakemake` comes first in the project's environment, whatever is reinstalled there.

Snakemake's package brings a command of the same name, and pip writes it to `bin` again with every reinstallation. So
ours lies in a folder that pip does not know, `commands`, and an activated environment looks there before `bin`. A copy
in `bin` is for callers that name the environment's path without activating it; when a reinstallation has overwritten
it, the next `make` writes it anew.
"""

import shlex
import sys
from pathlib import Path

COMMAND = """\
#!/bin/sh
# Snakemake that also takes targets after --resources; written by `make environment`
exec {python} -P -m competitive_mixtures.launch.snakemake_entry "$@"
"""
SHELLS = {
    "activate": 'PATH="$VIRTUAL_ENV/commands:$PATH"\n',
    "activate.csh": 'setenv PATH "$VIRTUAL_ENV/commands:$PATH"\n',
    "activate.fish": 'set -gx PATH "$VIRTUAL_ENV/commands" $PATH\n',
}
"""Lines at the end of an environment's activation scripts; `deactivate` takes the whole PATH back."""


def install(environment: Path) -> None:
    """Put the command into a virtual environment and have its activation name it first.

    Args:
        environment: root of a virtual environment in which this package is installed.
    """
    # `commands` last: make writes both again when the copy in `bin` is the younger one
    for folder in ("bin", "commands"):
        path = environment / folder / "snakemake"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)  # perhaps a link, whose target is not ours
        path.write_text(COMMAND.format(python=shlex.quote(str(environment / "bin" / "python"))), encoding="utf-8")
        path.chmod(0o755)
    for name, line in SHELLS.items():
        script = environment / "bin" / name
        text = script.read_text(encoding="utf-8") if script.is_file() else line
        if line not in text:
            script.write_text(text + line, encoding="utf-8")


def main() -> None:
    """Install into the environment that runs this, which must be a virtual one: elsewhere `bin` is everybody's."""
    if sys.prefix == sys.base_prefix:
        sys.exit(f"error: {sys.prefix} is no virtual environment; run `make environment`, which makes one")
    install(Path(sys.prefix))


if __name__ == "__main__":
    main()
