"""Copy the browser libraries we serve out of node_modules and write down what was copied.

Run through `make vendor`, after `npm ci --ignore-scripts`. The copies are committed, so that users need no Node;
`MANIFEST.json` beside them names the version, the licence and the sha384 of each file, and a test compares them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "node_modules"
CSS_URL = re.compile(r"url\(['\"]?([^)'\"]+)['\"]?\)")
# The licence each package declares; USWDS says "see LICENSE.md", whose parts these are.
USWDS_LICENCE = "CC0-1.0 AND OFL-1.1 AND Apache-2.0 AND MIT"
# Word and PDF writers need TrueType outlines of the same face that the pages use.
DOCUMENT_FONTS = ("regular", "italic", "bold", "bolditalic", "semibold", "light")


def sha384(data: bytes) -> str:
    """Return the subresource-integrity form of the digest: `sha384-` and base64."""
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()


def uswds_files(dist: Path) -> dict[str, str]:
    """Return source (below dist) -> target (below static/vendor) for the stylesheet, its scripts and all it asks for."""
    names = ["css/uswds.min.css", "js/uswds.min.js", "js/uswds-init.min.js", "img/sprite.svg"]
    css = (dist / "css/uswds.min.css").read_text(encoding="utf-8")
    names += sorted({url.removeprefix("../") for url in CSS_URL.findall(css) if url.startswith("../")})
    names += [f"fonts/source-sans-pro/sourcesanspro-{face}-webfont.ttf" for face in DOCUMENT_FONTS]
    files = {f"dist/{name}": f"uswds/{name}" for name in names}
    return files | {"LICENSE.md": "uswds/LICENSE.md"}


def copy_package(package: str, licence: str, files: dict[str, str], target: Path) -> dict[str, object]:
    """Copy one package's files below `target` and return its entry for the manifest."""
    source = NODE_MODULES / package
    declared = json.loads((source / "package.json").read_text(encoding="utf-8"))
    digests = {}
    for name, copy in files.items():
        path = target / copy
        path.parent.mkdir(parents=True, exist_ok=True)
        data = (source / name).read_bytes()
        path.write_bytes(data)
        digests[copy] = sha384(data)
    return {
        "package": package,
        "version": declared["version"],
        "licence": licence,
        "files": dict(sorted(digests.items())),
    }


def write(target: Path, entries: list[dict[str, object]]) -> None:
    """Write the manifest of one vendor folder."""
    text = json.dumps({"packages": entries}, indent=2, ensure_ascii=False) + "\n"
    (target / "MANIFEST.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Rebuild static/vendor and tests/vendor from node_modules."""
    static, tests = ROOT / "static" / "vendor", ROOT / "tests" / "vendor"
    for folder in (static, tests):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    small = {
        "htmx.org": ("0BSD", {"dist/htmx.min.js": "htmx/htmx.min.js", "LICENSE": "htmx/LICENSE"}),
        "idb": ("ISC", {"build/umd.js": "idb/umd.js", "build/index.js": "idb/index.js", "LICENSE": "idb/LICENSE"}),
        "signature_pad": (
            "MIT",
            {
                "dist/signature_pad.umd.min.js": "signature_pad/signature_pad.umd.min.js",
                "LICENSE": "signature_pad/LICENSE",
            },
        ),
    }
    entries = [copy_package("@uswds/uswds", USWDS_LICENCE, uswds_files(NODE_MODULES / "@uswds/uswds/dist"), static)]
    entries += [copy_package(name, licence, files, static) for name, (licence, files) in small.items()]
    write(static, entries)
    axe = {"axe.min.js": "axe-core/axe.min.js", "LICENSE": "axe-core/LICENSE"}
    write(tests, [copy_package("axe-core", "MPL-2.0", axe, tests)])


if __name__ == "__main__":
    main()
