"""Write a migration: from what the migrations give to what the models say.

python scripts/migration.py "add the owner of a case"    a new step
python scripts/migration.py --initial                    the first release's schema afresh (only before a release)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "certify" / "migrations" / "versions"


def write(message: str, revision: str | None) -> list[Path]:
    """Let Alembic compare the models with a database that all present migrations have made; returns the new files."""
    from certify.app import create_app
    from certify.config import Settings
    from certify.schema import MIGRATIONS, migrate, upgrade

    before = set(VERSIONS.glob("*.py"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            instance=Path(folder), database_url=f"sqlite:///{folder}/migration.db", secret_key="x" * 40, testing=True
        )
        with create_app(settings).app_context():
            if before:
                upgrade()
            command.revision(migrate.get_config(str(MIGRATIONS)), message=message, autogenerate=True, rev_id=revision)
    return sorted(set(VERSIONS.glob("*.py")) - before)


def main(arguments: list[str]) -> int:
    """Write one revision and put it into the house's form."""
    if arguments == ["--initial"]:
        for old in VERSIONS.glob("*.py"):
            old.unlink()
        new = write("the schema of the first release", "0001")
    elif len(arguments) == 1 and arguments[0].strip():
        number = len(list(VERSIONS.glob("*.py"))) + 1
        new = write(arguments[0].strip(), f"{number:04d}")
    else:
        print(__doc__, file=sys.stderr)
        return 2
    for path in new:
        subprocess.run([sys.executable, "-m", "ruff", "check", "--fix-only", "--quiet", str(path)], check=True)
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)
        print(f"Wrote {path.relative_to(ROOT)}: read it before you commit it.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
