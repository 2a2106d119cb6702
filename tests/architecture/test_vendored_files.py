"""The browser libraries we serve are, byte for byte, the published ones that the manifests name."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "static" / "vendor", ROOT / "tests" / "vendor")


def manifest(folder: Path) -> list[dict[str, object]]:
    """Return the packages the manifest of this folder lists."""
    packages = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))["packages"]
    assert isinstance(packages, list)
    return packages


def recorded(folder: Path) -> dict[str, str]:
    """Return path -> sha384 of every file the manifest of this folder lists."""
    found: dict[str, str] = {}
    for package in manifest(folder):
        files = package["files"]
        assert isinstance(files, dict)
        found |= files
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_vendored_file_has_the_recorded_digest(folder: Path) -> None:
    actual = {
        path.relative_to(folder).as_posix(): "sha384-"
        + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "MANIFEST.json"
    }
    assert actual == recorded(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_package_states_its_licence_and_the_version_that_package_json_asks_for(folder: Path) -> None:
    asked = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    versions = asked["dependencies"] | asked["devDependencies"]
    for package in manifest(folder):
        assert package["licence"]
        assert package["version"] == versions[package["package"]]


def test_the_uswds_stylesheet_asks_for_no_file_we_do_not_have() -> None:
    css = ROOT / "static" / "vendor" / "uswds" / "css" / "uswds.min.css"
    urls = {
        url
        for url in re.findall(r"url\(['\"]?([^)'\"]+)['\"]?\)", css.read_text(encoding="utf-8"))
        if not url.startswith("data:")
    }
    assert urls
    assert [url for url in sorted(urls) if not (css.parent / url).is_file()] == []


def test_the_lock_files_name_no_registry_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "package-lock.json"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text, name
