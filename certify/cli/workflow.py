"""`certify workflow`: check what workflows/ declares, and draw a machine."""

from __future__ import annotations

from pathlib import Path

import click

from certify.cli.edges import json_option, print_json


@click.group("workflow")
def command() -> None:
    """The rules in workflows/."""


@command.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@json_option
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Load and cross-check workflows/; print file:line: reason for each mistake and exit 1.

    With FILE only the mistakes of those files are printed; all others are still read, because files speak of each other.
    A FILE of another workflows folder (a copy being edited) is checked within its own folder.
    """
    from certify.core.declarations.reading import Mistake
    from certify.core.rulebook.loading import check_files

    guards = _guard_keys()
    mistakes: list[Mistake] = []
    for root, chosen in _by_folder(files).items():
        mistakes += check_files(root, chosen, guards=guards)
    mistakes = sorted(set(mistakes))
    if as_json:
        print_json({"mistakes": [{"file": m.file, "line": m.line, "reason": m.reason} for m in mistakes]})
    for mistake in mistakes:
        click.echo(str(mistake), err=as_json)
    if mistakes:
        raise click.exceptions.Exit(1)
    if not as_json:
        click.echo("No mistakes.")


@command.command("diagram")
@click.argument("name")
@click.option("--format", "format_", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
@json_option
def diagram(name: str, format_: str, as_json: bool) -> None:
    """Print the machine NAME, for example `certification`, as a picture."""
    from certify.core.rulebook.loading import load_rulebook
    from certify.core.workflow.diagram import diagram as draw
    from certify.resources import WORKFLOWS

    machines = load_rulebook(WORKFLOWS, guards=None).machines
    if name not in machines:
        raise click.ClickException(f"There is no machine {name!r}; there are: {', '.join(sorted(machines))}.")
    picture = draw(machines[name], format_)
    if as_json:
        print_json({"machine": name, "format": format_, "picture": picture})
    else:
        click.echo(picture, nl=False)


def _guard_keys() -> frozenset[str]:
    """The guards the code knows; wiring registers them without a database."""
    from certify.wiring import guard_keys, wire

    wire()
    return guard_keys()


def _by_folder(files: tuple[Path, ...]) -> dict[Path, list[Path]]:
    """Each workflows folder with the files of it that were named; the product's own one when none is."""
    from certify.resources import WORKFLOWS

    if not files:
        return {WORKFLOWS: []}
    found: dict[Path, list[Path]] = {}
    for file in files:
        if not file.is_file():
            raise click.UsageError(f"There is no file {file}.")
        found.setdefault(_folder_of(file), []).append(file)
    return found


def _folder_of(file: Path) -> Path:
    """The workflows folder a file lies in: the nearest folder above that holds deadlines.yaml and machines/."""
    for folder in file.resolve().parents:
        if (folder / "deadlines.yaml").is_file() and (folder / "machines").is_dir():
            return folder
    raise click.UsageError(f"{file} lies in no workflows folder (one with deadlines.yaml and machines/).")
