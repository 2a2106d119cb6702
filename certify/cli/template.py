"""`certify template`: the Word templates the program may edit, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import click

from certify.cli.edges import json_option, print_json, print_table


@click.group("template")
def command() -> None:
    """Word templates of letters, certificates and reports."""


@command.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """Print every kind of template and the file in use."""
    from certify.outlets.documents.docx_writer.templates import list_templates

    _use_instance()
    rows = list_templates()
    if as_json:
        print_json([{"kind": t.kind, "title": t.title, "file": str(t.path), "own": t.own} for t in rows])
    else:
        print_table(("kind", "what", "in use"), [(t.kind, t.title, t.path if t.own else "built in") for t in rows])


@command.command("export")
@click.argument("kind")
@click.option("--output", "output", type=click.Path(dir_okay=False, path_type=Path), help="Default: KIND.docx here.")
def export(kind: str, output: Path | None) -> None:
    """Write the built-in template of KIND as a .docx to edit in Word."""
    from certify.outlets.documents.docx_writer.templates import built_in

    content = built_in(kind)
    target = output or Path(f"{kind}.docx")
    try:
        target.write_bytes(content)
    except OSError as problem:
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}.") from problem
    click.echo(
        f"{target}: {len(content):,} bytes. Edited, it is used when it lies in the instance folder as templates/{kind}.docx."
    )


@command.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", required=True, help="What the template is for; `certify template list` names the kinds.")
@json_option
@click.pass_context
def check(context: click.Context, file: Path, kind: str, as_json: bool) -> None:
    """Print what is wrong with FILE as a template of KIND; exit code 1 when something is."""
    from certify.outlets.documents.docx_writer.template_check import check_template

    mistakes = check_template(file.read_bytes(), kind)
    if as_json:
        print_json(
            {
                "file": str(file),
                "kind": kind,
                "mistakes": [{"paragraph": m.paragraph, "reason": m.reason} for m in mistakes],
            }
        )
    elif mistakes:
        for mistake in mistakes:
            click.echo(str(mistake))
    else:
        click.echo(f"{file}: ready to use as {kind}.")
    if mistakes:
        context.exit(1)


def _use_instance() -> None:
    from certify.config import load_settings
    from certify.outlets.documents.docx_writer.templates import use_own_templates

    use_own_templates(load_settings().instance / "templates")
