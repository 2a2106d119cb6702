"""What the tablet's app is made of: the files its page names, in their order, and what has to be kept with them offline."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import current_app, url_for

from certify import __version__, resources
from certify.platform.web.security import asset

STYLES = (
    "vendor/uswds/css/uswds.min.css",
    "css/tokens.css",
    "css/site.css",
    "css/pieces.css",
    "css/fields.css",
    "css/survey.css",
    "css/tablet.css",
)
# What knows no page: the service worker loads these too.
WORKER_SCRIPTS = (
    "vendor/idb/umd.js",
    "js/tablet/events.js",
    "js/tablet/store.js",
    "js/tablet/wire.js",
    "js/tablet/answers.js",
    "js/tablet/uploads.js",
    "js/tablet/sender.js",
)
PAGE_SCRIPTS = (
    "vendor/signature_pad/signature_pad.umd.min.js",
    "js/tablet/photo.js",
    "js/tablet/rules.js",
    "js/tablet/seal.js",
    "js/tablet/journal.js",
    "js/tablet/drafts.js",
    "js/tablet/offline.js",
    "js/tablet/backup.js",
    "js/tablet/shell.js",
)
WORKER = "js/tablet/worker.js"
PICTURES = (
    "img/symbols.svg",
    "img/favicon.svg",
    "img/tablet-192.png",
    "img/tablet-512.png",
    "img/tablet-maskable-512.png",
)
CSS_URL = re.compile(r"""url\(\s*['"]?([^)'"]+?)['"]?\s*\)""")
FACES = re.compile(r"/sourcesanspro-(regular|italic|semibold|bold|bolditalic)-webfont\.woff2$")


def styles(root: Path = resources.STATIC) -> list[str]:
    """Return the stylesheets of the app, below static/."""
    return [name for name in STYLES if (root / name).is_file()]


def scripts(root: Path = resources.STATIC) -> list[str]:
    """Return the scripts of the app in the order they are loaded: what keeps and sends, then the screens, `app.js` last."""
    folder = root / "js" / "tablet"
    first = [*WORKER_SCRIPTS, *PAGE_SCRIPTS]
    named = {*first, WORKER, "js/tablet/app.js"}
    screens = sorted(folder.glob("*.js")) + sorted(folder.glob("*/**/*.js"))
    own = [path.relative_to(root).as_posix() for path in screens]
    last = ["js/tablet/app.js"] if (folder / "app.js").is_file() else []
    return first + [name for name in own if name not in named] + last


def render_shell() -> str:
    """Return the page of the app; it holds no data and is the same for everyone."""
    template = current_app.jinja_env.get_template("outlets/tablet/tablet.html")
    return template.render(styles=styles(), scripts=scripts(), asset=asset, version=__version__)


def worker_script() -> str:
    """Return the service worker: the release it stands for, then its code; one changed byte of any file makes a new release."""
    release = release_of(render_shell())
    code = (resources.STATIC / WORKER).read_text(encoding="utf-8")
    return f'"use strict";\nconst RELEASE = {json.dumps(release, ensure_ascii=False)};\n{code}'


def release_of(page: str) -> dict[str, Any]:
    """Return what the service worker keeps: each address with the first digits of the SHA-256 of its content."""
    named = [*styles(), *scripts(), *PICTURES]
    files = {asset(name): _digest(name) for name in named if (resources.STATIC / name).is_file()}
    for name in styles():
        for found in _asked_for_by(name):
            files[url_for("static", filename=found, v=None)] = _digest(found)
    shell = {"url": url_for("tablet.app"), "digest": _short(page.encode())}
    manifest = {"url": url_for("tablet.manifest"), "digest": ""}
    kept = [shell, manifest, *({"url": url, "digest": digest} for url, digest in sorted(files.items()))]
    whole = _short(json.dumps([kept, _digest(WORKER)]).encode())
    return {
        "version": __version__, "release": whole, "shell": shell["url"], "kept": kept, "scripts": [asset(name) for name in WORKER_SCRIPTS],
    }  # fmt: skip


def manifest_body() -> dict[str, Any]:
    """Return the web app manifest."""
    sizes = (("img/tablet-192.png", "192x192", "any"), ("img/tablet-512.png", "512x512", "any"), ("img/tablet-maskable-512.png", "512x512", "maskable"))  # fmt: skip
    start = url_for("tablet.app")
    return {
        "id": start, "name": "certify survey", "short_name": "certify", "lang": "en-US", "dir": "ltr",
        "description": "The site survey's checklist, with or without a network.",
        "start_url": start, "scope": "/", "display": "standalone", "orientation": "any",
        "background_color": "#f7f9f9", "theme_color": "#0b6b74", "categories": ["medical", "productivity"],
        "icons": [{"src": asset(src), "sizes": size, "type": "image/png", "purpose": purpose} for src, size, purpose in sizes],
    }  # fmt: skip


def _asked_for_by(stylesheet: str) -> tuple[str, ...]:
    """Return the pictures and faces that a stylesheet of ours shows, below static/; of USWDS only the faces in use."""
    return _urls_in(stylesheet, (resources.STATIC / stylesheet).stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _urls_in(stylesheet: str, _stamp: int) -> tuple[str, ...]:
    root = resources.STATIC
    found = set()
    for url in CSS_URL.findall((root / stylesheet).read_text(encoding="utf-8")):
        if url.startswith(("data:", "http", "#")):
            continue
        path = (root / stylesheet).parent / url.split("?")[0].split("#")[0]
        name = path.resolve().relative_to(root.resolve()).as_posix()
        if path.is_file() and (not stylesheet.startswith("vendor/") or FACES.search("/" + name)):
            found.add(name)
    return tuple(sorted(found))


def _digest(name: str) -> str:
    path = resources.STATIC / name
    return _file_digest(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _file_digest(path: str, _stamp: int) -> str:
    return _short(Path(path).read_bytes())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
