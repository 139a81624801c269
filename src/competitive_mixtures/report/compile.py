"""The report as a PDF. Typst reads the result files itself; nothing is downloaded, and the PDF holds no date."""

import json
from pathlib import Path

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import write_atomically
from competitive_mixtures.files.folders import Project


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
    paper = Project(root).paper
    out = out or paper.pdf
    compile_pdf(paper.source, root, out, {"files": json.dumps(list_files(root))})
    return out


def compile_pdf(source: Path, root: Path, out: Path, inputs: dict[str, str]) -> None:
    """Compile a Typst source to the same bytes on every machine.

    Args:
        source: the source, below the root.
        root: the project's root; the source reads only files below it.
        out: the PDF to write.
        inputs: what the source finds in `sys.inputs`.

    Raises:
        UserError: the source does not compile; says in which line.
    """
    import typst

    try:
        with write_atomically(out) as partial:
            typst.compile(
                source,
                output=partial,
                root=root,
                ignore_system_fonts=True,  # the fonts that come with Typst
                sys_inputs=inputs,
                timestamp=0,
            )
    except typst.TypstError as error:
        raise UserError(f"{source.relative_to(root)}: does not compile:\n{error.diagnostic}") from error
    except RuntimeError as error:  # of a source that is not there, say
        raise UserError(f"{source}: cannot be compiled ({error}); run from the project's root") from error


def list_files(root: Path) -> list[str]:
    """The result files that exist, relative to the root, for the source to choose from: Typst cannot ask for itself."""
    project = Project(root)
    folders = (project.paper.tables, project.paper.figures, project.results.path)
    paths = [path for folder in folders for path in sorted(folder.glob("*"))]
    return [path.relative_to(root).as_posix() for path in paths if path.is_file()]
