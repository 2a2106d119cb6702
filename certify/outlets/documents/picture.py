"""The compliance picture: domains by sites as a heat grid, drawn as SVG with presentation attributes only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape

from certify.outlets.documents import palette
from certify.outlets.documents.content.survey_report import DomainResult, SurveyReport
from certify.outlets.documents.content.survey_words import column_heads
from certify.outlets.documents.content.wording import clean

WIDTH = 1000
_LABEL = 322
_HEAD = 24
_ROW = 34
_NAME = 18
_GAP = 4
_MANY = 4
_WIDEST = 340
_PER_LETTER = 7.4
# From this share of standards not met a cell is filled more deeply.
_DEEP_FROM = 0.2
# A narrower cell has no room for the sign beside the count.
_SIGN_FROM = 82


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG with its size and the words that stand for it where it cannot be seen."""

    svg: str
    width: int
    height: int
    alt: str


def compliance_picture(report: SurveyReport) -> Picture:
    """Return the heat grid of a report: one row per domain, one column per visited site."""
    sites = column_heads(report)
    column = min((WIDTH - _LABEL) / max(len(sites), 1), _WIDEST)
    names = [_fit(name, int(column / _PER_LETTER)) for name in sites]
    head = _HEAD + _NAME * (max(map(len, names), default=1) - 1)
    height = head + _ROW * len(report.domains)
    alt = compliance_words(report)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" font-family="{palette.FONT}, sans-serif" font-size="17">',
        f"<title>{escape(alt)}</title>",
    ]
    for index, lines in enumerate(names):
        parts += _lines(lines, _LABEL + column * (index + 0.5), head - 9)
    for row, domain in enumerate(report.domains):
        y = head + _ROW * row
        parts.append(f'<text x="0" y="{y + 22}" fill="{palette.MUTED}" font-weight="700">{domain.number}</text>')
        title = _fit(domain.title, 38)
        for line, name in enumerate(title):
            small, middle = (14.5, y + 12 + 15 * line) if len(title) > 1 else (17, y + 22)
            parts.append(f'<text x="22" y="{middle}" fill="{palette.INK}" font-size="{small}">{escape(name)}</text>')
        for index in range(len(sites)):
            parts.append(_cell(domain, index, _LABEL + column * index, y, column, short=len(sites) > _MANY))
    return Picture("".join([*parts, "</svg>"]), WIDTH, height, alt)


def compliance_words(report: SurveyReport) -> str:
    """Return the picture in words, for those who cannot see it."""
    said = [f"Standards met by domain and site, edition {report.edition}."]
    for domain in report.domains:
        cells = []
        for index, site in enumerate(report.visited):
            met, applicable = domain.at_site(index)
            cells.append(f"{clean(site.name)} {met} of {applicable}")
        said.append(f"{domain.number} {clean(domain.title)}: {', '.join(cells) or 'no site visited'}.")
    return " ".join(said)


def _cell(domain: DomainResult, index: int, x: float, y: float, column: float, *, short: bool) -> str:
    met, applicable = domain.at_site(index)
    missing = applicable - met
    middle, weight, sign = x + column / 2, 400, ""
    text = f"{met}/{applicable}" if short else f"{met} of {applicable}"
    if not applicable:
        fill, ink, text = palette.WASH, palette.MUTED, "–" if short else "not applicable"
    elif missing == 0:
        fill, ink = palette.MET_WASH, palette.MET
    else:
        fill = palette.NOT_MET_DEEP if missing / applicable >= _DEEP_FROM else palette.NOT_MET_WASH
        ink, weight = palette.NOT_MET, 700
        text = text if short else f"{text} · {missing} not met"
        if column >= _SIGN_FROM:
            left = middle - len(text) * 4.2 - 9
            sign = f'<path d="M{left - 6:.1f} {y + 22} h12 l-6 -10.5 z" fill="{ink}"/>'
            middle += 7
    size = 17 if column >= _SIGN_FROM else 14
    return (
        f'<rect x="{x + _GAP / 2:.1f}" y="{y}" width="{column - _GAP:.1f}" height="{_ROW - _GAP}" rx="5" fill="{fill}"/>{sign}'
        f'<text x="{middle:.1f}" y="{y + 22}" text-anchor="middle" fill="{ink}" font-size="{size}" '
        f'font-weight="{weight}">{text}</text>'
    )


def _lines(lines: list[str], x: float, bottom: float) -> list[str]:
    top = bottom - _NAME * (len(lines) - 1)
    return [
        f'<text x="{x:.1f}" y="{top + _NAME * number:.1f}" text-anchor="middle" fill="{palette.MUTED}" '
        f'font-size="16">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]


def _fit(text: str, letters: int, *, lines: int = 2) -> list[str]:
    """Break `text` into at most `lines` lines of at most `letters` letters; what does not fit ends in an ellipsis."""
    letters = max(letters, 4)
    words, rows = " ".join(clean(text).split()).split(" "), [""]
    for number, word in enumerate(words):
        longer = f"{rows[-1]} {word}".strip()
        if len(longer) <= letters:
            rows[-1] = longer
        elif len(rows) < lines and rows[-1]:
            rows.append(word)
        else:
            rows[-1] = " ".join([rows[-1], *words[number:]]).strip()
            break
    return [row if len(row) <= letters else row[: letters - 1].rstrip() + "…" for row in rows]


@lru_cache(maxsize=1)
def _font_files() -> list[str]:
    names = ("regular", "bold")
    return [str(palette.FONT_FOLDER / f"sourcesanspro-{name}-webfont.ttf") for name in names]


def as_png(svg: str, width: int) -> bytes:
    """Return an SVG as PNG, `width` pixels wide, set in the typeface of the documents and no other."""
    from resvg_py import svg_to_bytes

    return bytes(
        svg_to_bytes(
            svg_string=svg,
            width=width,
            skip_system_fonts=True,
            font_files=_font_files(),
            sans_serif_family=palette.FONT,
        )
    )
