"""Invented practices in real kinds of places: names, settings, sites, staffing. No real practice or person is meant."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

TOWNS = (
    ("Lakeside", "Madison", "WI", "53703", "America/Chicago"),
    ("Mesa Verde", "Durango", "CO", "81301", "America/Denver"),
    ("Prairie", "Lincoln", "NE", "68508", "America/Chicago"),
    ("Harbor", "Portland", "ME", "04101", "America/New_York"),
    ("Cedar Valley", "Spokane", "WA", "99201", "America/Los_Angeles"),
    ("Blue Ridge", "Roanoke", "VA", "24011", "America/New_York"),
    ("Palmetto", "Columbia", "SC", "29201", "America/New_York"),
    ("Canyon", "Flagstaff", "AZ", "86001", "America/Phoenix"),
    ("Bluegrass", "Lexington", "KY", "40507", "America/New_York"),
    ("Great Plains", "Wichita", "KS", "67202", "America/Chicago"),
    ("Granite", "Concord", "NH", "03301", "America/New_York"),
    ("Bayou", "Lafayette", "LA", "70501", "America/Chicago"),
    ("Cascade", "Bend", "OR", "97701", "America/Los_Angeles"),
    ("Hudson", "Albany", "NY", "12207", "America/New_York"),
    ("Big Sky", "Billings", "MT", "59101", "America/Denver"),
    ("Ozark", "Springfield", "MO", "65806", "America/Chicago"),
    ("Gulf Coast", "Mobile", "AL", "36602", "America/Chicago"),
    ("Redwood", "Eureka", "CA", "95501", "America/Los_Angeles"),
    ("Summit", "Boise", "ID", "83702", "America/Boise"),
    ("Piedmont", "Durham", "NC", "27701", "America/New_York"),
)
KINDS = {
    "community": ("Oncology", "Cancer Center", "Hematology Oncology", "Oncology Associates"),
    "hospital": ("Hospital Cancer Institute", "Regional Cancer Center"),
    "academic": ("University Cancer Center", "Teaching Hospital Oncology"),
    "rural": ("Community Cancer Care", "Rural Oncology Network"),
}
SETTINGS = ("community", "community", "hospital", "rural", "community", "academic")
# Prefixes that tax ids of businesses have.
PREFIXES = (20, 26, 27, 45, 46, 47, 81, 82, 83, 84, 85, 86, 87, 88)
QUARTERS = ("Main Clinic", "North", "South", "West Side", "Riverside", "Hilltop", "Old Town", "East")
STREETS = ("Elm Street", "College Avenue", "Mill Road", "Park Place", "Market Street", "Orchard Lane", "Depot Street")
FIRST = (
    "Ana", "Ben", "Carla", "Devon", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonah", "Keiko", "Liam", "Maya", "Noor",
    "Omar", "Priya", "Quinn", "Rosa", "Samir", "Tessa", "Uma", "Victor", "Wen", "Ximena", "Yusuf", "Zoe",
)  # fmt: skip
LAST = (
    "Adeyemi", "Bergstrom", "Castellano", "Dubois", "Eriksen", "Fontaine", "Grant", "Haddad", "Ito", "Jansen", "Kowalski",
    "Lindqvist", "Moreau", "Navarro", "Okafor", "Petrov", "Quiroga", "Rahman", "Silva", "Tanaka", "Ueda", "Varga", "Whitfield",
    "Xu", "Yilmaz", "Zamora",
)  # fmt: skip


@dataclass(frozen=True)
class InventedSite:
    """A site to be registered."""

    name: str
    address: str
    services: tuple[str, ...]
    physician_fte: Decimal
    app_fte: Decimal
    nurse_fte: Decimal
    pharmacist_fte: Decimal
    chairs: int


@dataclass(frozen=True)
class InventedPractice:
    """A practice to be registered."""

    name: str
    setting: str
    city: str
    state: str
    postal_code: str
    zone: str
    address: str
    phone: str
    tax_id: str
    sites: tuple[InventedSite, ...]
    administrator: str
    physician: str


def person_name(chance: random.Random) -> str:
    """Return an invented name."""
    return f"{chance.choice(FIRST)} {chance.choice(LAST)}"


def invent(number: int, chance: random.Random, *, sites: int | None = None) -> InventedPractice:
    """Return the practice of that number (from 0); the same chance gives the same practice."""
    town, city, state, postal_code, zone = TOWNS[number % len(TOWNS)]
    setting = SETTINGS[number % len(SETTINGS)]
    kind = KINDS[setting][(number // len(TOWNS)) % len(KINDS[setting])]
    series = number // (len(TOWNS) * 6)
    name = f"{town} {kind}" + (f" {series + 1}" if series else "")
    count = sites if sites is not None else (1, 2, 3, 1, 2, 6, 1)[number % 7]
    street = STREETS[number % len(STREETS)]
    return InventedPractice(
        name=name,
        setting=setting,
        city=city,
        state=state,
        postal_code=postal_code,
        zone=zone,
        address=f"{100 + number % 800} {street}",
        # 555-01xx is set aside for stories.
        phone=f"(555) 555-01{number % 100:02d}",
        tax_id=f"{PREFIXES[number % len(PREFIXES)]:02d}-{1_000_000 + (number * 7919) % 9_000_000:07d}",
        sites=tuple(_site(index, street, chance) for index in range(count)),
        administrator=person_name(chance),
        physician=f"Dr. {person_name(chance)}",
    )


def _site(index: int, street: str, chance: random.Random) -> InventedSite:
    services = ["infusion"]
    if index == 0 or chance.random() < 0.4:
        services.append("pharmacy")
    if chance.random() < 0.5:
        services.append("oral_dispensing")
    if index == 0 and chance.random() < 0.2:
        services.append("intrathecal")
    physicians = Decimal(chance.randint(2, 12)) / 2
    return InventedSite(
        name=QUARTERS[index % len(QUARTERS)],
        address=f"{20 + index * 140} {street}",
        services=tuple(services),
        physician_fte=physicians,
        app_fte=Decimal(chance.randint(1, 6)) / 2,
        nurse_fte=Decimal(chance.randint(4, 24)) / 2,
        pharmacist_fte=Decimal(chance.randint(1, 4)) / 2,
        chairs=chance.randint(6, 30),
    )
