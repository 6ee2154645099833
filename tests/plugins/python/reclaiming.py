"""Removing what a dead run left behind."""

import os
import shutil


def reclaim(resource):
    """Removes it; returns why that did not work, or an empty text. What is gone counts as removed."""
    if resource.kind != "directory":
        return f"nothing here can remove a resource of kind `{resource.kind}`"
    path = resource.id
    # A damaged record must not remove something else.
    if not os.path.isabs(path) or os.path.normpath(path) != path or path == "/":
        return f"`{path}` does not name a directory"
    try:
        if os.path.islink(path):
            os.unlink(path)
        else:
            shutil.rmtree(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot remove `{path}`: {error.strerror}"
    return ""
