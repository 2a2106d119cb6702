"""Build the Word files under templates/word from readable source: styles, page, fonts.

Run `.venv/bin/python scripts/word_templates.py` after a change here; the results are committed, so that users need not.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "templates" / "word"
FONTS = ROOT / "static" / "vendor" / "uswds" / "fonts" / "source-sans-pro"
FONT = "Source Sans Pro"
INK, MUTED, LINE, WASH, ACCENT = "14212B", "566573", "DFE6EA", "F5F8F9", "0B6B74"
NOT_MET, NOT_MET_WASH, DUE, DUE_WASH, MET, MET_WASH = "9B1C31", "FBE9EC", "8A4B00", "FDF1E0", "1C6B43", "E5F3EB"
ACCENT_WASH = "E3F1F2"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Word asks for embedded fonts to be scrambled with a key that stands beside them (ECMA-376 part 4, 9.1).
FONT_KEYS = {
    "Regular": ("regular", "{7C1F4E02-5B3A-4D5E-9A11-0B6B74000001}"),
    "Bold": ("bold", "{7C1F4E02-5B3A-4D5E-9A11-0B6B74000002}"),
    "Italic": ("italic", "{7C1F4E02-5B3A-4D5E-9A11-0B6B74000003}"),
    "BoldItalic": ("bolditalic", "{7C1F4E02-5B3A-4D5E-9A11-0B6B74000004}"),
}


def scrambled(font: bytes, key: str) -> bytes:
    """Return a font with its first 32 bytes mixed with the key, as Word stores it."""
    mask = bytes.fromhex(key.strip("{}").replace("-", ""))[::-1]
    head = bytes(byte ^ mask[number % 16] for number, byte in enumerate(font[:32]))
    return head + font[32:]


def paragraph_style(
    key: str, name: str, *, based: str = "Normal", then: str = "", p: str = "", r: str = "", quick: bool = True
) -> str:
    """Return one paragraph style; `p` and `r` are its paragraph and run properties in schema order."""
    based_on = f'<w:basedOn w:val="{based}"/>' if based else ""
    following = f'<w:next w:val="{then}"/>' if then else ""
    return (
        f'<w:style w:type="paragraph" w:styleId="{key}"{"" if key in BUILT_IN else " w:customStyle=" + chr(34) + "1" + chr(34)}'
        f'{" w:default=" + chr(34) + "1" + chr(34) if key == "Normal" else ""}><w:name w:val="{name}"/>{based_on}{following}'
        f"{'<w:qFormat/>' if quick else ''}<w:pPr>{p}</w:pPr><w:rPr>{r}</w:rPr></w:style>"
    )


def character_style(key: str, name: str, r: str) -> str:
    """Return one character style."""
    custom = "" if key in BUILT_IN else ' w:customStyle="1"'
    return (
        f'<w:style w:type="character" w:styleId="{key}"{custom}><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="DefaultParagraphFont"/><w:qFormat/><w:rPr>{r}</w:rPr></w:style>'
    )


def table_style(key: str, name: str, borders: str, *, head: str = "", margins: tuple[int, int] = (50, 90)) -> str:
    """Return one table style; `head` formats the first row, `margins` are above/below and left/right in twips."""
    high, wide = margins
    first = f'<w:tblStylePr w:type="firstRow">{head}</w:tblStylePr>' if head else ""
    return (
        f'<w:style w:type="table" w:customStyle="1" w:styleId="{key}"><w:name w:val="{name}"/><w:basedOn w:val="TableNormal"/>'
        f"<w:qFormat/><w:tblPr><w:tblBorders>{borders}</w:tblBorders><w:tblCellMar>"
        f'<w:top w:w="{high}" w:type="dxa"/><w:left w:w="{wide}" w:type="dxa"/>'
        f'<w:bottom w:w="{high}" w:type="dxa"/><w:right w:w="{wide}" w:type="dxa"/></w:tblCellMar></w:tblPr>{first}</w:style>'
    )


BUILT_IN = {
    *(
        "Normal",
        "Title",
        "Subtitle",
        "Heading1",
        "Heading2",
        "Heading3",
        "TOCHeading",
        "TOC1",
        "TOC2",
        "Caption",
        "Header",
    ),
    *("Footer", "ListBullet", "Hyperlink", "Strong"),
}


def size(points: float) -> str:
    """Return a font size; Word counts half points."""
    return f'<w:sz w:val="{round(points * 2)}"/><w:szCs w:val="{round(points * 2)}"/>'


def colour(value: str) -> str:
    """Return a text colour."""
    return f'<w:color w:val="{value}"/>'


def space(before: int = 0, after: int = 0, line: int = 264) -> str:
    """Return space above and below in twips, and the line height in 240ths."""
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="auto"/>'


def left_bar(bar: str, shade: str = "", width: int = 24) -> str:
    """Return a coloured bar at the left of a paragraph, with a tint behind it."""
    shading = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    return f'<w:pBdr><w:left w:val="single" w:sz="{width}" w:space="8" w:color="{bar}"/></w:pBdr>{shading}'


def rule(side: str, tone: str, width: int = 4, gap: int = 0) -> str:
    """Return one border line."""
    return f'<w:{side} w:val="single" w:sz="{width}" w:space="{gap}" w:color="{tone}"/>'


def styles() -> str:
    """Return styles.xml."""
    keep = "<w:keepNext/><w:keepLines/>"
    indent = '<w:ind w:left="198"/>'
    head_row = (
        f"<w:rPr><w:b/>{colour(MUTED)}</w:rPr><w:tcPr><w:tcBorders>{rule('bottom', ACCENT, 8)}</w:tcBorders></w:tcPr>"
    )
    paragraphs = [
        paragraph_style("Normal", "Normal", based="", p="<w:widowControl/>" + space(0, 110)),
        paragraph_style(
            "Title", "Title", then="Subtitle", p=keep + space(0, 40, 228), r=f"<w:b/>{colour(INK)}{size(24)}"
        ),
        paragraph_style(
            "Subtitle", "Subtitle", then="Normal", p=keep + space(0, 120, 252), r=colour(MUTED) + size(10.5)
        ),
        paragraph_style(
            "Eyebrow", "Eyebrow", then="Title", p=keep + space(0, 30, 240), r=f"<w:b/>{colour(ACCENT)}{size(10.5)}"
        ),
        paragraph_style(
            "Heading1",
            "heading 1",
            then="Normal",
            p=f'{keep}<w:pBdr>{rule("bottom", ACCENT, 8, 4)}</w:pBdr>{space(520, 140, 240)}<w:outlineLvl w:val="0"/>',
            r=f"<w:b/>{colour(INK)}{size(19)}",
        ),
        paragraph_style(
            "Heading2",
            "heading 2",
            then="Normal",
            p=f'{keep}{space(260, 50, 240)}<w:outlineLvl w:val="1"/>',
            r=f"<w:b/>{colour(INK)}{size(13)}",
        ),
        paragraph_style(
            "Heading3",
            "heading 3",
            then="Normal",
            p=f'{keep}{space(130, 40, 240)}<w:outlineLvl w:val="2"/>',
            r=f"<w:b/>{colour(ACCENT)}{size(10.5)}",
        ),
        paragraph_style(
            "TOCHeading", "TOC Heading", then="Normal", p=keep + space(0, 160), r=f"<w:b/>{colour(INK)}{size(19)}"
        ),
        paragraph_style(
            "TOC1",
            "toc 1",
            p=f'<w:tabs><w:tab w:val="left" w:pos="400"/><w:tab w:val="right" w:pos="9648"/></w:tabs>{space(60, 0, 216)}<w:ind w:left="400" w:hanging="400"/>',
            r="<w:b/>",
            quick=False,
        ),
        paragraph_style(
            "TOC2",
            "toc 2",
            p=f'<w:tabs><w:tab w:val="left" w:pos="1000"/><w:tab w:val="right" w:pos="9648"/></w:tabs>{space(0, 0, 216)}<w:ind w:left="1000" w:hanging="600"/>',
            r=size(9.5),
            quick=False,
        ),
        paragraph_style("Caption", "caption", p=keep + space(180, 60, 240), r=f"<w:b/>{colour(MUTED)}{size(9.5)}"),
        paragraph_style(
            "Header",
            "header",
            p=f'<w:tabs><w:tab w:val="right" w:pos="9648"/></w:tabs>{space(0, 0, 240)}',
            r=colour(MUTED) + size(9),
            quick=False,
        ),
        paragraph_style(
            "Footer",
            "footer",
            p=f'<w:pBdr>{rule("top", LINE, 4, 6)}</w:pBdr><w:tabs><w:tab w:val="right" w:pos="9648"/></w:tabs>{space(0, 0, 240)}',
            r=colour(MUTED) + size(9),
            quick=False,
        ),
        paragraph_style(
            "ListBullet",
            "List Bullet",
            p='<w:numPr><w:numId w:val="1"/></w:numPr>' + space(0, 50) + '<w:ind w:left="284" w:hanging="284"/>',
        ),
        paragraph_style(
            "Outcome",
            "Outcome",
            p=f"<w:keepLines/>{left_bar(ACCENT, ACCENT_WASH, 36)}{space(60, 140, 264)}{indent}",
            r=size(12),
        ),
        paragraph_style("Aim", "Aim", p=keep + space(0, 120), r=colour(MUTED) + size(11.5)),
        paragraph_style("Asked", "Asked", p=keep + space(0, 80), r=colour(MUTED)),
        paragraph_style("RatingLine", "Rating Line", p=keep + space(0, 70)),
        paragraph_style(
            "Requirement", "Requirement", p=f"<w:keepLines/>{left_bar(NOT_MET, NOT_MET_WASH)}{space(70, 70)}{indent}"
        ),
        paragraph_style("Recommendation", "Recommendation", p=f"<w:keepLines/>{left_bar(DUE)}{space(70, 70)}{indent}"),
        paragraph_style("Strength", "Strength", p=f"<w:keepLines/>{left_bar(MET)}{space(70, 70)}{indent}"),
        paragraph_style("TableText", "Table Text", p=space(0, 0, 245), r=size(9.5)),
        paragraph_style("TableHead", "Table Head", based="TableText", p=keep, r=f"<w:b/>{colour(MUTED)}{size(9)}"),
        paragraph_style("Small", "Small", p=space(60, 60, 245), r=colour(MUTED) + size(9)),
        paragraph_style("Address", "Address", p=space(0, 0, 264)),
        paragraph_style(
            "Letterhead",
            "Letterhead",
            p=f"<w:pBdr>{rule('bottom', ACCENT, 8, 4)}</w:pBdr>{space(0, 640, 240)}",
            r=f"<w:b/>{colour(ACCENT)}{size(12)}",
        ),
        paragraph_style("LetterSubject", "Letter Subject", p=keep + space(360, 200), r=f"<w:b/>{size(15)}"),
        paragraph_style("Signature", "Signature Block", based="Address", p=keep + space(0, 0)),
        paragraph_style(
            "Signed",
            "Signed",
            p=f'<w:pBdr>{rule("top", INK, 6, 4)}</w:pBdr>{space(620, 60, 245)}<w:ind w:right="700"/>',
        ),
        *(
            paragraph_style(key, name, p=f'{space(before, after, height)}<w:jc w:val="center"/>', r=look)
            for key, name, before, after, height, look in (
                (
                    "CertificateProgram",
                    "Certificate Program",
                    360,
                    0,
                    240,
                    f'<w:b/><w:caps/>{colour(ACCENT)}<w:spacing w:val="20"/>{size(14)}',
                ),
                ("CertificateText", "Certificate Text", 0, 60, 252, size(14)),
                ("CertificateName", "Certificate Name", 80, 120, 240, f"<w:b/>{size(40)}"),
                ("CertificateSites", "Certificate Sites", 100, 1000, 252, colour(MUTED) + size(12)),
                ("CertificateLabel", "Certificate Label", 0, 0, 240, colour(MUTED) + size(10)),
                ("CertificateValue", "Certificate Value", 0, 0, 252, f"<w:b/>{size(15)}"),
            )
        ),
        paragraph_style("Centered", "Centered", p=f'{space(0, 60, 252)}<w:jc w:val="center"/>'),
    ]
    characters = [
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont"><w:name w:val="Default Paragraph Font"/>'
        '<w:uiPriority w:val="1"/><w:semiHidden/></w:style>',
        character_style("Strong", "Strong", "<w:b/><w:bCs/>"),
        character_style("Quiet", "Quiet", colour(MUTED)),
        character_style("Hyperlink", "Hyperlink", colour(ACCENT) + '<w:u w:val="single"/>'),
        *(
            character_style(key, name, f'<w:b/>{colour(tone)}<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>')
            for key, name, tone, shade in (
                ("RatingMet", "Rating Met", MET, MET_WASH),
                ("RatingNotMet", "Rating Not Met", NOT_MET, NOT_MET_WASH),
                ("RatingNotApplicable", "Rating Not Applicable", MUTED, WASH),
                ("RatingNotAssessed", "Rating Not Assessed", DUE, DUE_WASH),
            )
        ),
        character_style("LabelRequirement", "Label Requirement", f"<w:b/>{colour(NOT_MET)}"),
        character_style("LabelRecommendation", "Label Recommendation", f"<w:b/>{colour(DUE)}"),
        character_style("LabelStrength", "Label Strength", f"<w:b/>{colour(MET)}"),
    ]
    lines = rule("bottom", LINE) + rule("insideH", LINE)
    tables = [
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:uiPriority w:val="99"/>'
        '<w:semiHidden/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/>'
        '<w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="108" w:type="dxa"/></w:tblCellMar>'
        "</w:tblPr></w:style>",
        table_style("CertifyTable", "Certify Table", lines, head=head_row),
        table_style("CertifyCompact", "Certify Compact", lines, head=head_row, margins=(24, 60)),
        table_style("CertifyFacts", "Certify Facts", lines),
        table_style("CertifyPlain", "Certify Plain", "", margins=(20, 80)),
        table_style("CertifySeen", "Certify Seen", rule("top", LINE) + lines, margins=(36, 80)),
    ]
    return (
        f"{HEAD}<w:styles {W}><w:docDefaults><w:rPrDefault><w:rPr>"
        f'<w:rFonts w:ascii="{FONT}" w:hAnsi="{FONT}" w:eastAsia="{FONT}" w:cs="Arial"/>{colour(INK)}{size(10.5)}'
        '<w:lang w:val="en-US" w:eastAsia="en-US" w:bidi="ar-SA"/></w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>'
        f"{''.join(paragraphs)}{''.join(characters)}{''.join(tables)}"
        '<w:style w:type="numbering" w:default="1" w:styleId="NoList"><w:name w:val="No List"/><w:semiHidden/></w:style></w:styles>'
    )


def numbering() -> str:
    """Return numbering.xml with the one bullet list."""
    return (
        f'{HEAD}<w:numbering {W}><w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="singleLevel"/><w:lvl w:ilvl="0">'
        '<w:start w:val="1"/><w:numFmt w:val="bullet"/><w:pStyle w:val="ListBullet"/><w:lvlText w:val="•"/><w:lvlJc w:val="left"/>'
        f'<w:pPr><w:ind w:left="284" w:hanging="284"/></w:pPr><w:rPr>{colour(ACCENT)}</w:rPr></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )


def font_table() -> str:
    """Return fontTable.xml: the embedded faces and what to take where embedding is refused."""
    embeds = "".join(
        f'<w:embed{face} r:id="rId{number}" w:fontKey="{key}"/>'
        for number, (face, (_, key)) in enumerate(FONT_KEYS.items(), start=1)
    )
    return (
        f'{HEAD}<w:fonts {W} {R}><w:font w:name="{FONT}"><w:altName w:val="Calibri"/><w:panose1 w:val="020B0503030403020204"/>'
        f'<w:charset w:val="00"/><w:family w:val="swiss"/><w:pitch w:val="variable"/>{embeds}</w:font></w:fonts>'
    )


def settings() -> str:
    """Return settings.xml: embedded fonts, US typography, the behaviour of Word 2013 and later."""
    return (
        f'{HEAD}<w:settings {W}><w:zoom w:percent="100"/><w:embedTrueTypeFonts/><w:saveSubsetFonts/><w:defaultTabStop w:val="720"/>'
        '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" '
        'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat><w:themeFontLang w:val="en-US"/>'
        '<w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
    )


def theme() -> str:
    """Return theme1.xml: the colours and the typeface that Word offers to whoever edits a template."""
    slots = {
        "dk1": INK, "lt1": "FFFFFF", "dk2": MUTED, "lt2": WASH, "accent1": ACCENT, "accent2": MET, "accent3": DUE,
        "accent4": NOT_MET, "accent5": MUTED, "accent6": LINE, "hlink": ACCENT, "folHlink": MUTED,
    }  # fmt: skip
    colours = "".join(f'<a:{slot}><a:srgbClr val="{value}"/></a:{slot}>' for slot, value in slots.items())
    face = f'<a:latin typeface="{FONT}"/><a:ea typeface=""/><a:cs typeface=""/>'
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    stroke = f'<a:ln w="9525">{fill}</a:ln>'
    effect = "<a:effectStyle><a:effectLst/></a:effectStyle>"
    return (
        f'{HEAD}<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" name="certify"><a:themeElements>'
        f'<a:clrScheme name="certify">{colours}</a:clrScheme><a:fontScheme name="certify"><a:majorFont>{face}</a:majorFont>'
        f'<a:minorFont>{face}</a:minorFont></a:fontScheme><a:fmtScheme name="certify"><a:fillStyleLst>{fill * 3}</a:fillStyleLst>'
        f"<a:lnStyleLst>{stroke * 3}</a:lnStyleLst><a:effectStyleLst>{effect * 3}</a:effectStyleLst>"
        f"<a:bgFillStyleLst>{fill * 3}</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"
    )


def relationships(items: list[tuple[str, str]]) -> str:
    """Return a .rels part from (kind, target) pairs, numbered rId1, rId2 …"""
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(items, 1)
    )
    return f'{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def section(*, landscape: bool = False, margin: int = 1296) -> str:
    """Return the page: US Letter, upright or on its side."""
    wide, high = (15840, 12240) if landscape else (12240, 15840)
    turned = ' w:orient="landscape"' if landscape else ""
    return (
        f'<w:sectPr><w:pgSz w:w="{wide}" w:h="{high}"{turned}/><w:pgMar w:top="1080" w:right="{margin}" w:bottom="1040" '
        f'w:left="{margin}" w:header="520" w:footer="500" w:gutter="0"/></w:sectPr>'
    )


def package(name: str, body: str) -> None:
    """Write one .docx with the styles of the house and the given body."""
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    overrides = {
        "word/document.xml": f"{word}.document.main+xml",
        "word/styles.xml": f"{word}.styles+xml",
        "word/numbering.xml": f"{word}.numbering+xml",
        "word/settings.xml": f"{word}.settings+xml",
        "word/fontTable.xml": f"{word}.fontTable+xml",
        "word/theme/theme1.xml": "application/vnd.openxmlformats-officedocument.theme+xml",
        "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    kinds = "".join(f'<Override PartName="/{part}" ContentType="{kind}"/>' for part, kind in overrides.items())
    fonts = [(f"{TYPES}/font", f"fonts/font{number}.odttf") for number in range(1, len(FONT_KEYS) + 1)]
    core = (
        f'{HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:language>en-US</dc:language></cp:coreProperties>'
    )
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="odttf" '
        'ContentType="application/vnd.openxmlformats-officedocument.obfuscatedFont"/>'
        f"{kinds}</Types>",
        "_rels/.rels": relationships(
            [
                (f"{TYPES}/officeDocument", "word/document.xml"),
                (
                    "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                    "docProps/core.xml",
                ),
            ]
        ),
        "docProps/core.xml": core,
        "word/document.xml": f"{HEAD}<w:document {W} {R}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relationships(
            [(f"{TYPES}/{part}", f"{part}.xml") for part in ("styles", "numbering", "settings", "fontTable")]
            + [(f"{TYPES}/theme", "theme/theme1.xml")]
        ),
        "word/styles.xml": styles(),
        "word/numbering.xml": numbering(),
        "word/settings.xml": settings(),
        "word/fontTable.xml": font_table(),
        "word/theme/theme1.xml": theme(),
        "word/_rels/fontTable.xml.rels": relationships(fonts),
    }
    for number, (face, key) in enumerate(FONT_KEYS.values(), start=1):
        files[f"word/fonts/font{number}.odttf"] = scrambled(
            (FONTS / f"sourcesanspro-{face}-webfont.ttf").read_bytes(), key
        )
    with zipfile.ZipFile(TARGET / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def line(text: str, style: str = "Normal", *, extra: str = "") -> str:
    """Return a paragraph of text, which may hold template tags."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{extra}</w:pPr><w:r><w:t xml:space="preserve">{safe}</w:t></w:r></w:p>'
    )


def strong_line(text: str, rest: str = "", style: str = "Normal") -> str:
    """Return a paragraph whose first words are strong."""
    more = f'<w:r><w:br/><w:t xml:space="preserve">{rest}</w:t></w:r>' if rest else ""
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:rPr><w:rStyle w:val="Strong"/></w:rPr>'
        f'<w:t xml:space="preserve">{text}</w:t></w:r>{more}</w:p>'
    )


def grid(style: str, widths: tuple[int, ...], rows: list[list[str]], *, title: str = "") -> str:
    """Return a table of ready paragraphs; a row of one cell spans all columns, as loop tags want it."""
    body = ""
    for cells in rows:
        span = f'<w:gridSpan w:val="{len(widths)}"/>' if len(cells) == 1 and len(widths) > 1 else ""
        sizes = (sum(widths),) if span else widths
        body += "<w:tr><w:trPr><w:cantSplit/></w:trPr>" + "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{span}</w:tcPr>{inside}</w:tc>'
            for inside, width in zip(cells, sizes, strict=True)
        )
        body += "</w:tr>"
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblLook w:val="0600" w:firstRow="0" w:noHBand="1" w:noVBand="1"/><w:tblCaption w:val="{title}"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{body}</w:tbl>"
    )


def decision_letter() -> str:
    """Return the body of the decision letter; the tags are those that `certify template check` knows."""
    facts = grid(
        "CertifyFacts",
        (2600, 6328),
        [
            [line("{%tr for fact in facts %}", "TableText")],
            [line("{{ fact.label }}", "TableText"), strong_line("{{ fact.value }}", style="TableText")],
            [line("{%tr endfor %}", "TableText")],
        ],
        title="The award",
    )
    return "".join(
        [
            line("{{ program }}", "Letterhead"),
            line("{{ date }}"),
            line("{{ recipient }}", "Address", extra='<w:spacing w:before="360" w:after="0"/>'),
            line("{%p if recipient_title %}"),
            line("{{ recipient_title }}", "Address"),
            line("{%p endif %}"),
            line("{{ practice }}", "Address"),
            line("{%p for row in address %}"),
            line("{{ row }}", "Address"),
            line("{%p endfor %}"),
            line("{{ title }}", "LetterSubject"),
            line("{{ greeting }}"),
            line("{%p for said in opening %}"),
            line("{{ said }}"),
            line("{%p endfor %}"),
            line("{%p if facts %}"),
            facts,
            line("{%p endif %}"),
            line("{%p if reasons %}"),
            line("Reasons for the decision", "Heading2"),
            line("{%p for reason in reasons %}"),
            strong_line("{{ reason.standard }}  {{ reason.title }}", "{{ reason.text }}", "Requirement"),
            line("{%p endfor %}"),
            line("{%p endif %}"),
            line("{%p for said in closing %}", extra='<w:spacing w:before="200"/>'),
            line("{{ said }}", extra='<w:spacing w:before="120"/>'),
            line("{%p endfor %}"),
            line("Sincerely,", extra='<w:keepNext/><w:spacing w:before="240" w:after="760"/>'),
            strong_line("{{ signatory }}", style="Signature"),
            line("{{ signatory_title }}", "Signature"),
            line("{{ program }}", "Address"),
        ]
    )


def certificate() -> str:
    """Return the body of the certificate: one page on its side."""
    label, value = "CertificateLabel", "CertificateValue"
    facts = grid(
        "CertifyPlain",
        (4320, 4320, 4320),
        [
            [line("Certificate number", label), line("Awarded on", label), line("Valid until", label)],
            [line("{{ number }}", value), line("{{ award_date }}", value), line("{{ end_date }}", value)],
        ],
        title="Number and dates",
    )
    foot = grid(
        "CertifyPlain",
        (3240, 3240, 3240, 3240),
        [
            [
                line("{%tc for person in signatories %}", "Small"),
                strong_line("{{ person.name }}", "{{ person.title }}", "Signed"),
                line("{%tc endfor %}", "Small"),
                line("{{ qr_code }}", "Centered"),
            ]
        ],
        title="Signatories and QR code",
    )
    return "".join(
        [
            line("{{ program }}", "CertificateProgram"),
            line("This certifies that", "CertificateText", extra='<w:spacing w:before="420" w:after="0"/>'),
            line("{{ practice }}", "CertificateName"),
            line("meets the {{ edition_title }}", "CertificateText"),
            line("{{ sites_label }} {{ sites }}", "CertificateSites"),
            facts,
            line("", "CertificateText", extra='<w:spacing w:before="1300" w:after="0"/>'),
            foot,
            line("Check this certificate at {{ register_url }} · Verification code {{ verification_code }}", "Small"),
        ]
    )


def framed_section() -> str:
    """Return the page of the certificate, with a frame in the accent colour."""
    edges = "".join(
        f'<w:{side} w:val="double" w:sz="12" w:space="24" w:color="{ACCENT}"/>'
        for side in ("top", "left", "bottom", "right")
    )
    page = section(landscape=True, margin=1440)
    return page.replace("</w:sectPr>", f'<w:pgBorders w:offsetFrom="page">{edges}</w:pgBorders></w:sectPr>')


def main() -> None:
    """Write every template."""
    TARGET.mkdir(parents=True, exist_ok=True)
    package("base.docx", f"<w:p/>{section()}")
    package("decision-letter.docx", f"{decision_letter()}{section(margin=1656)}")
    package("certificate.docx", f"{certificate()}{framed_section()}")


if __name__ == "__main__":
    main()
