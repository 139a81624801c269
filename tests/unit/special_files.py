"""Files that are no data, made in a folder: broken content, links, pipes; each gives its path."""

import os


def write(folder, content):
    (folder / "written").write_bytes(content)
    return folder / "written"


def link(folder, target):
    (folder / "link").symlink_to(target)
    return folder / "link"


def pipe(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"
