"""Putting bytes away and getting them back; a file once stored is never changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from certify.core.foundation.errors import NotFound

_root: Path | None = None


def use_folder(folder: Path) -> None:
    """Keep files under this folder (`<instance>/files`)."""
    global _root
    folder.mkdir(parents=True, exist_ok=True)
    _root = folder


def root() -> Path:
    """Return the folder of the store."""
    if _root is None:
        raise RuntimeError("the file store has no folder; create_app sets it")
    return _root


def store(content: bytes) -> str:
    """Write the bytes so that they outlive a power cut and return their key, the SHA-256 in hex.

    The same content again gives the same key and writes nothing.
    """
    key = hashlib.sha256(content).hexdigest()
    path = _path(key)
    if path.exists():
        return key
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key


def fetch(key: str) -> bytes:
    """Return the bytes of a key.

    Raises: NotFound when there is no such file, or it no longer fits its digest.
    """
    try:
        content = path_of(key).read_bytes()
    except OSError as missing:
        raise NotFound("The file is not in the store.") from missing
    if hashlib.sha256(content).hexdigest() != key:
        raise NotFound("The stored file is damaged: its content does not fit its digest.")
    return content


def path_of(key: str) -> Path:
    """Return where the file of a key lies; raises NotFound for what is not a key or not there."""
    if len(key) != 64 or not all(c in "0123456789abcdef" for c in key) or not _path(key).is_file():
        raise NotFound("The file is not in the store.")
    return _path(key)


def _path(key: str) -> Path:
    return root() / key[:2] / key
