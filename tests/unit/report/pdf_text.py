"""What a reader finds in a PDF."""

import shutil
import subprocess

import pytest


def text_of(pdf):
    """The text of a PDF, laid out; skips the test where `pdftotext` is not installed."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
