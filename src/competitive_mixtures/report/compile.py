"""The report as a PDF: Typst reads the result files itself; nothing is downloaded and no date is written."""

import json
from pathlib import Path

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import write_atomically

READ_FOLDERS = ("paper/tables", "paper/figures", "results")


def compile_paper(root: Path, out: Path | None = None) -> Path:
    """Compile `paper/paper.typ`; what is missing appears as `not run`.

    Args:
        root: the project's root; the source reads files below it only.
        out: the PDF; `paper/paper.pdf` where it is `None`.

    Returns:
        The PDF's path. The same files give the same bytes.

    Raises:
        UserError: the source does not compile; says where.
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
    """Files that the source may read, relative to the root: Typst has no way to ask whether one exists."""
    paths = [path for folder in READ_FOLDERS for path in sorted((root / folder).glob("*"))]
    return [path.relative_to(root).as_posix() for path in paths if path.is_file()]
