"""What the instance folder holds beside database and uploads: the program's own Word templates and its settings."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

FOLDER = "instance"
TEMPLATES = "templates"
SETTINGS = "certify.toml"
# They hold passwords, and a copied database address would lead a trial of the backup to the real database.
LEFT_OUT = frozenset({"CERTIFY_SECRET_KEY", "CERTIFY_SMTP_URL", "CERTIFY_DATABASE_URL"})


def copy_own(instance: Path, backup: Path) -> list[str]:
    """Copy templates and settings into a backup; returns their names. Raises OSError."""
    names = [path.relative_to(instance) for path in sorted((instance / TEMPLATES).rglob("*")) if path.is_file()]
    for name in names:
        copy = backup / FOLDER / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(instance / name, copy)
    if (instance / SETTINGS).is_file():
        copy = backup / FOLDER / SETTINGS
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(without_secrets((instance / SETTINGS).read_text(encoding="utf-8")), encoding="utf-8")
        names.append(Path(SETTINGS))
    return [name.as_posix() for name in names]


def give_back(backup: Path, listed: Iterable[str], instance: Path) -> tuple[list[str], list[str]]:
    """Put what a backup lists of the instance folder in its place; returns what came back, and what was there already.

    What is there is never replaced: it belongs to the instance that is filled. Raises OSError.
    """
    back, kept = [], []
    for name in sorted(name.removeprefix(f"{FOLDER}/") for name in listed if name.startswith(f"{FOLDER}/")):
        place = instance / name
        if place.exists():
            kept.append(name)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(backup / FOLDER / name, place)
        back.append(name)
    return back, kept


def without_secrets(text: str) -> str:
    """Return settings without those that hold passwords; a remark says which to set again.

    >>> print(without_secrets('CERTIFY_ENV = "production"\\nCERTIFY_SMTP_URL = "smtp://u:p@h"'), end="")
    CERTIFY_ENV = "production"
    # CERTIFY_SMTP_URL is not in the backup: set it again.
    """
    lines = [
        f"# {key} is not in the backup: set it again."
        if key in LEFT_OUT
        else f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in tomllib.loads(text).items()
    ]
    return "".join(f"{line}\n" for line in lines)
