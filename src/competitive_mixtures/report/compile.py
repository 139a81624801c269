"""The report as a PDF. Typst reads the result files itself; nothing is downloaded, and the PDF holds no date."""

import json
from pathlib import Path

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import write_atomically

READ_FOLDERS = ("paper/tables", "paper/figures", "results")


def compile_paper(root: Path, out: Path | None = None) -> Path:
    """Compile `paper/paper.typ`; a result that is missing appears as `not run`.

    Args:
        root: the project's root; the source reads only files below it.
        out: the PDF to write; `None` stands for `paper/paper.pdf` below the root.

    Returns:
        The path of the PDF; the same files give the same bytes.

    Raises:
        UserError: the source does not compile; says in which line.
    """
    import typst

    out = out or root / "paper/paper.pdf"
    inputs = {"files": json.dumps(list_files(root))}
    try:
        with write_atomically(out) as partial:
            typst.compile(
                root / "paper/paper.typ",
                output=partial,
                root=root,
                ignore_system_fonts=True,  # the fonts that come with Typst: the same pages on every machine
                sys_inputs=inputs,
                timestamp=0,
            )
    except typst.TypstError as error:
        raise UserError(f"paper/paper.typ: does not compile:\n{error.diagnostic}") from error
    return out


def list_files(root: Path) -> list[str]:
    """The result files that exist, relative to the root, for the source to choose from: Typst cannot ask for itself."""
    paths = [path for folder in READ_FOLDERS for path in sorted((root / folder).glob("*"))]
    return [path.relative_to(root).as_posix() for path in paths if path.is_file()]
