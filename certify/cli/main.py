"""The `certify` command: finds each command in its own file and turns refusals into one line and an exit code."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import click

import certify.cli
from certify import __version__
from certify.config import WrongSetting
from certify.core.foundation.errors import Invalid, Refusal, RulesUnmet

# Files of this folder that are furniture, not commands.
FURNITURE = {"main", "edges"}


class Commands(click.Group):
    """Loads `certify.cli.<name>` when the command is named, so that one command never pays for the imports of another."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name for m in pkgutil.iter_modules(certify.cli.__path__) if m.name not in FURNITURE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"certify.cli.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"certify.cli.{cmd_name}.command must be a click command")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="certify")
def cli() -> None:
    """Case management for oncology certification.

    Exit code: 0 done, 1 refused or found wrong (the reason is on stderr), 2 wrong usage.
    """


def explain(refusal: Refusal) -> list[str]:
    """Return what to print for a refusal, a line for each thing that is missing or wrong."""
    if isinstance(refusal, RulesUnmet) and refusal.unmet:
        return [f"{unmet.guard}: {unmet.message}" for unmet in refusal.unmet]
    if isinstance(refusal, Invalid) and refusal.errors:
        return [
            ": ".join(part for part in (f"row {e.row}" if e.row is not None else "", e.field, e.message) if part)
            for e in refusal.errors
        ]
    return [str(refusal) or type(refusal).__name__]


def no_database(trouble: Exception) -> str | None:
    """Return what to print when the database cannot be opened at all; None when it is anything else."""
    from sqlalchemy.exc import DBAPIError  # whoever raised it has loaded it

    if not isinstance(trouble, DBAPIError) or trouble.statement is not None:
        return None
    why = " ".join(str(trouble.orig).split())
    return f"CERTIFY_DATABASE_URL: the database cannot be opened ({why}); it must be there, run and let us in."


def _refuse_unreadable(words: list[str]) -> None:
    """Refuse bytes that are no text: no database keeps them."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError as wrong:
            raise click.UsageError(f"{word!a} is not text in UTF-8.") from wrong


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    try:
        _refuse_unreadable(sys.argv[1:] if arguments is None else arguments)
        sys.exit(cli.main(args=arguments, prog_name="certify", standalone_mode=False) or 0)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.UsageError as wrong:
        wrong.show()
        sys.exit(2)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(1)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Refusal as refusal:
        for line in explain(refusal):
            click.echo(line, err=True)
        sys.exit(1)
    except WrongSetting as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (`| head`) has gone; what was asked for is done.
        sys.stderr.close()
        sys.exit(0)
    except Exception as trouble:
        reason = no_database(trouble)
        if reason is None:
            raise
        click.echo(reason, err=True)
        sys.exit(1)
