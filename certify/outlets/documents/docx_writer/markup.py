"""Small pieces of WordprocessingML as text; a whole body is parsed once, which is many times faster than row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from certify.outlets.documents import palette
from certify.outlets.documents.content.wording import RATING_SIGNS, RATING_WORDS, Rating, clean

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
)
_NO_LINE = '<w:bottom w:val="nil"/>'
EMU_PER_INCH = 914_400
TWIPS_PER_INCH = 1440
_RATING_STYLES = {
    Rating.MET: "RatingMet",
    Rating.NOT_MET: "RatingNotMet",
    Rating.NOT_APPLICABLE: "RatingNotApplicable",
    Rating.NOT_ASSESSED: "RatingNotAssessed",
}


class Markup(str):
    """Finished markup, as opposed to text that is still to be escaped."""

    __slots__ = ()

    def __add__(self, other: str) -> Markup:
        if not isinstance(other, Markup):
            raise TypeError("only markup may be joined to markup")
        return Markup(str.__add__(self, other))


def attribute(text: str) -> str:
    """Return `text` fit to stand between double quotes."""
    return escape(" ".join(clean(text).split()), {'"': "&quot;"})


# Said once more beside the style: in tables and links LibreOffice lets the colour of the paragraph win over a style's.
_COLOURS = {"Quiet": palette.MUTED, "LabelRequirement": palette.NOT_MET}


def run(text: str, style: str = "") -> Markup:
    """Return a run of text; newlines become line breaks, tabs become tabs."""
    colour = f'<w:color w:val="{_COLOURS[style][1:].upper()}"/>' if style in _COLOURS else ""
    properties = f'<w:rPr><w:rStyle w:val="{style}"/>{colour}</w:rPr>' if style else ""
    return Markup(f"<w:r>{properties}{_pieces(text)}</w:r>")


def sized_run(text: str, points: int) -> Markup:
    """Return a run of text in a size of its own."""
    return Markup(
        f'<w:r><w:rPr><w:sz w:val="{points * 2}"/><w:szCs w:val="{points * 2}"/></w:rPr>{_pieces(text)}</w:r>'
    )


def toned_run(text: str, colour: str, *, bold: bool = False) -> Markup:
    """Return a run of text in a colour of its own."""
    weight = "<w:b/><w:bCs/>" if bold else ""
    return Markup(f'<w:r><w:rPr>{weight}<w:color w:val="{colour[1:].upper()}"/></w:rPr>{_pieces(text)}</w:r>')


def _pieces(text: str) -> str:
    safe = escape(clean(text))
    if "\n" not in safe and "\t" not in safe:
        return f'<w:t xml:space="preserve">{safe}</w:t>'
    lines = []
    for line in safe.split("\n"):
        lines.append(
            "<w:tab/>".join(f'<w:t xml:space="preserve">{part}</w:t>' if part else "" for part in line.split("\t"))
        )
    return "<w:br/>".join(lines)


def rating_run(rating: Rating) -> Markup:
    """Return a rating as a coloured word with its sign."""
    return run(
        f"\u00a0{RATING_SIGNS[rating]}\u00a0{RATING_WORDS[rating]}\u00a0".replace(" ", "\u00a0"), _RATING_STYLES[rating]
    )


def field(instruction: str, shown: str = "", style: str = "") -> Markup:
    """Return a field with the result that is shown until Word counts again."""
    properties = f'<w:rPr><w:rStyle w:val="{style}"/></w:rPr>' if style else ""
    result = run(shown, style) if shown else ""
    return Markup(
        f'<w:r>{properties}<w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r>{properties}<w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText></w:r>'
        f'<w:r>{properties}<w:fldChar w:fldCharType="separate"/></w:r>{result}'
        f'<w:r>{properties}<w:fldChar w:fldCharType="end"/></w:r>'
    )


def paragraph(style: str, *inside: str, extra: str = "") -> str:
    """Return a paragraph from ready runs; plain text goes through `text_paragraph`. `extra` are further pPr children."""
    named = "" if style == "Normal" else f'<w:pStyle w:val="{style}"/>'
    properties = f"<w:pPr>{named}{extra}</w:pPr>" if named or extra else ""
    return f"<w:p>{properties}{''.join(inside)}</w:p>"


def text_paragraph(text: str, style: str = "Normal") -> str:
    """Return a paragraph of plain text."""
    return paragraph(style, run(text))


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that the table of contents leads to; `beside` stands at the right of its line there."""

    level: int
    number: str
    title: str
    anchor: str
    beside: str = ""
    warning: bool = False


def heading(entry: Heading, order: int, *, new_page: bool = False, small: bool = False) -> str:
    """Return a heading with its bookmark; `order` is unique in the document."""
    extra = '<w:pageBreakBefore/><w:spacing w:before="0" w:after="140"/>' if new_page else ""
    words = f"{entry.number}\u2002{entry.title}" if entry.number else entry.title
    shown = run(words)
    if small:
        extra += f'<w:pBdr>{_NO_LINE}</w:pBdr><w:spacing w:before="40" w:after="40"/>'
        shown = sized_run(words, 13)
    return paragraph(
        f"Heading{entry.level}",
        f'<w:bookmarkStart w:id="{order}" w:name="{entry.anchor}"/>',
        shown,
        f'<w:bookmarkEnd w:id="{order}"/>',
        extra=extra,
    )


def contents(entries: Sequence[Heading]) -> str:
    """Return a table of contents field whose lines stand already written.

    Nobody knows the pages before Word has laid them out, and a guessed number would mislead: at the right stands what
    the section says (its rating). Updating the field in Word puts page numbers there.
    """
    rows = []
    for number, entry in enumerate(entries):
        words = run(f"{entry.number}\t{entry.title}" if entry.number else entry.title)
        beside = f"<w:r><w:tab/></w:r>{run(entry.beside, 'LabelRequirement' if entry.warning else 'Quiet')}"
        line = f'<w:hyperlink w:anchor="{entry.anchor}" w:history="1">{words}{beside if entry.beside else ""}</w:hyperlink>'
        opening = (
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
            '<w:r><w:instrText xml:space="preserve"> TOC \\o "1-2" \\h \\z \\u </w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            if number == 0
            else ""
        )
        closing = '<w:r><w:fldChar w:fldCharType="end"/></w:r>' if number == len(entries) - 1 else ""
        flat = "" if entry.number else f'<w:ind w:left="{400 * (entry.level - 1)}" w:firstLine="0"/>'
        rows.append(paragraph(f"TOC{entry.level}", opening, line, closing, extra=flat))
    return "".join(rows)


def caption(kind: str, number: int, text: str) -> str:
    """Return a numbered caption, "Figure 1. …" or "Table 1. …", that Word can list and count."""
    return paragraph("Caption", run(f"{kind} "), field(f"SEQ {kind} \\* ARABIC", str(number)), run(f". {text}"))


def cell(
    inside: str, width: int, *, style: str = "TableText", align: str = "", keep: bool = False, fill: str = ""
) -> str:
    """Return a table cell; `inside` is plain text or markup; `keep` holds its row on the page of the next; `fill` is its colour."""
    extra = ("<w:keepNext/>" if keep else "") + (f'<w:jc w:val="{align}"/>' if align else "")
    content = paragraph(style, inside if isinstance(inside, Markup) else run(inside), extra=extra)
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill[1:].upper()}"/>' if fill else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>{content}</w:tc>'


def row(cells: Iterable[str], *, head: bool = False) -> str:
    """Return a table row that never splits over two pages; a head row repeats on each."""
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head else ''}</w:trPr>{''.join(cells)}</w:tr>"


def table(
    style: str,
    widths: Sequence[int],
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str,
    align: Sequence[str] = (),
    together: bool = False,
    fills: Sequence[Sequence[str]] = (),
) -> str:
    """Return a table of fixed column widths in twips; cells are text or markup, `title` is its alternative text.

    With `together` all rows stay on one page, for short tables. `fills` are the colours of the cells, row by row.
    """
    sides = [*align, *([""] * (len(widths) - len(align)))]
    columns = list(zip(widths, sides, strict=True))
    lines = []
    if head:
        top = (
            cell(text, width, style="TableHead", align=side) for text, (width, side) in zip(head, columns, strict=True)
        )
        lines.append(row(top, head=True))
    body = list(rows)
    for number, cells in enumerate(body, start=1):
        keep = together and number < len(body)
        shades = fills[number - 1] if fills else [""] * len(columns)
        lines.append(
            row(
                cell(text, width, align=side, keep=keep, fill=shade)
                for text, (width, side), shade in zip(cells, columns, shades, strict=True)
            )
        )
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblLook w:val="06{2 if head else 0}0" w:firstRow="{int(bool(head))}" '
        f'w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        f'<w:tblCaption w:val="{attribute(title)}"/></w:tblPr>'
        f"<w:tblGrid>{''.join(f'<w:gridCol w:w={chr(34)}{width}{chr(34)}/>' for width in widths)}</w:tblGrid>"
        f"{''.join(lines)}</w:tbl>"
    )


def picture(relationship: str, order: int, name: str, alt: str, width_inches: float, height_inches: float) -> Markup:
    """Return a run with an inline picture and its alternative text."""
    wide, high = round(width_inches * EMU_PER_INCH), round(height_inches * EMU_PER_INCH)
    named = f'id="{order}" name="{attribute(name)}" descr="{attribute(alt)}"'
    return Markup(
        f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{wide}" cy="{high}"/>'
        f'<wp:docPr {named}/><wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr {named}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="{relationship}"/>'
        '<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{wide}" cy="{high}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )


def watermark(text: str) -> str:
    """Return the paragraph that lays a pale word across each page, as Word's own Watermark command writes it."""
    return (
        '<w:p><w:pPr><w:pStyle w:val="Header"/></w:pPr><w:r><w:pict>'
        '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" path="m@7,l@8,m@5,21600l@6,21600e">'
        '<v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/>'
        '<v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/>'
        '<v:f eqn="if @0 @4 21600"/><v:f eqn="mid @5 @6"/><v:f eqn="mid @8 @5"/><v:f eqn="mid @7 @8"/><v:f eqn="mid @6 @7"/>'
        '<v:f eqn="sum @6 0 @5"/></v:formulas><v:path textpathok="t" o:connecttype="custom" '
        'o:connectlocs="@9,0;@10,10800;@11,21600;@12,10800" o:connectangles="270,180,90,0"/><v:textpath on="t" fitshape="t"/>'
        '</v:shapetype><v:shape id="PowerPlusWaterMarkObject1" o:spid="_x0000_s2049" type="#_x0000_t136" alt="" '
        'style="position:absolute;margin-left:0;margin-top:0;width:430pt;height:150pt;rotation:315;z-index:-251658752;'
        "mso-position-horizontal:center;mso-position-horizontal-relative:margin;mso-position-vertical:center;"
        'mso-position-vertical-relative:margin" o:allowincell="f" fillcolor="#dfe6ea" stroked="f">'
        f'<v:fill opacity=".55"/><v:textpath style="font-family:&quot;Source Sans Pro&quot;;font-size:1pt" '
        f'string="{attribute(text)}"/></v:shape></w:pict></w:r></w:p>'
    )
