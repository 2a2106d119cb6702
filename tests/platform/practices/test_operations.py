"""Writing practices, sites and providers, and who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound, NotOpen, Stale
from certify.platform.audit.models import Event
from certify.platform.audit.queries import verify_chain
from certify.platform.practices.operations import (
    add_provider,
    add_site,
    close_site,
    create_practice,
    edit_practice,
    edit_site,
    remove_provider,
    reopen_site,
    set_register_consent,
)
from certify.platform.practices.queries import list_practices, list_providers, list_sites, practice_for
from tests.builders import STAFF, make_actor, make_person, make_practice, sign_in


def test_only_program_staff_add_practices(session: Session) -> None:
    for role in (Role.COUNCIL, Role.FINANCE, Role.AUDITOR, Role.SURVEYOR, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            create_practice(session, {"legal_name": "X"}, actor=make_actor(session, role), at=now())
    practice = create_practice(
        session, {"legal_name": "  Mesa   Cancer Center ", "tax_ids": ["361234567"]}, actor=STAFF, at=now()
    )
    assert (practice.legal_name, practice.tax_ids, practice.version) == ("Mesa Cancer Center", ["36-1234567"], 1)


def test_another_practice_is_not_there_and_ones_own_is_not_for_everyone(session: Session) -> None:
    own, other = make_practice(session), make_practice(session)
    staff = make_actor(session, Role.PRACTICE_STAFF, practice=own)
    with pytest.raises(NotFound):
        practice_for(session, staff, other.id)
    with pytest.raises(NotFound):
        edit_practice(session, other.id, {"city": "X"}, version=1, actor=staff, at=now())
    with pytest.raises(NotAllowed):
        edit_practice(session, own.id, {"city": "X"}, version=1, actor=staff, at=now())
    with pytest.raises(NotFound):
        practice_for(session, make_actor(session, Role.SURVEYOR), own.id)


def test_a_change_on_an_older_state_is_refused_with_who_and_what(session: Session) -> None:
    practice = make_practice(session)
    one = make_actor(session, Role.PRACTICE_ADMIN, practice=practice, name="Ann Lee")
    two = make_actor(session, Role.PROGRAM_STAFF)
    edit_practice(session, practice.id, {"city": "Evanston"}, version=1, actor=one, at=now())
    with pytest.raises(Stale, match=r"Ann Lee changed this on 2 November 2026 at 09:00 \(CST; .*city"):
        edit_practice(session, practice.id, {"city": "Joliet"}, version=1, actor=two, at=now())
    assert practice.city == "Evanston"


def test_a_change_keeps_before_and_after_and_no_change_keeps_nothing(session: Session) -> None:
    practice = make_practice(session)
    edit_practice(session, practice.id, {"city": "Evanston"}, version=1, actor=STAFF, at=now())
    edit_practice(session, practice.id, {"city": "Evanston"}, version=2, actor=STAFF, at=now())
    events = session.scalars(select(Event).where(Event.kind == "practice.edited")).all()
    assert [e.data for e in events] == [{"before": {"city": "Chicago"}, "after": {"city": "Evanston"}}]
    assert verify_chain(session, f"practice:{practice.id}").sound


def test_every_mistake_is_named_and_nothing_is_saved(session: Session) -> None:
    practice = make_practice(session)
    with pytest.raises(Invalid) as refusal:
        edit_practice(
            session, practice.id, {"legal_name": "", "state": "ZZ", "tax_ids": ["1"]}, version=1, actor=STAFF, at=now()
        )
    assert {e.field for e in refusal.value.errors} == {"legal_name", "state", "tax_ids"}
    session.refresh(practice)
    assert practice.version == 1


def test_only_the_practice_itself_decides_about_the_register(session: Session) -> None:
    practice = make_practice(session)
    with pytest.raises(NotAllowed):
        set_register_consent(session, practice.id, True, actor=make_actor(session, Role.PROGRAM_STAFF), at=now())
    admin = make_actor(session, Role.PRACTICE_ADMIN, practice=practice)
    assert set_register_consent(session, practice.id, True, actor=admin, at=now()).register_consent
    assert not set_register_consent(session, practice.id, False, actor=admin, at=now()).register_consent


def test_sites_are_added_changed_closed_and_opened_again(session: Session) -> None:
    practice = make_practice(session)
    admin = make_actor(session, Role.PRACTICE_ADMIN, practice=practice)
    north = add_site(session, practice.id, {"name": "North", "physician_fte": Decimal("1.25")}, actor=admin, at=now())
    with pytest.raises(Invalid, match="has this name"):
        add_site(session, practice.id, {"name": "north"}, actor=admin, at=now())
    edit_site(
        session,
        practice.id,
        north.id,
        {"services": ["infusion"], "infusion_chairs": 4},
        version=1,
        actor=admin,
        at=now(),
    )
    with pytest.raises(Stale):
        edit_site(session, practice.id, north.id, {"infusion_chairs": 5}, version=1, actor=admin, at=now())
    with pytest.raises(Invalid):
        close_site(
            session, practice.id, north.id, on=now().date() + timedelta(days=2), version=2, actor=admin, at=now()
        )
    close_site(session, practice.id, north.id, on=now().date(), version=2, actor=admin, at=now())
    with pytest.raises(NotOpen):
        edit_site(session, practice.id, north.id, {"name": "N"}, version=3, actor=admin, at=now())
    assert [s.name for s in list_sites(session, practice.id, closed=False)] == ["Site A"]
    last = list_sites(session, practice.id)[0]
    with pytest.raises(NotOpen, match="only open site"):
        close_site(session, practice.id, last.id, on=now().date(), version=1, actor=admin, at=now())
    assert reopen_site(session, practice.id, north.id, version=3, actor=admin, at=now()).closed_on is None


@pytest.mark.parametrize(
    ("zone", "at", "today"),
    [
        ("America/Chicago", datetime(2026, 11, 3, 2, 0, tzinfo=UTC), date(2026, 11, 2)),
        ("Pacific/Guam", datetime(2026, 11, 2, 20, 0, tzinfo=UTC), date(2026, 11, 3)),
    ],
)
def test_a_site_closes_on_a_day_that_has_come_where_it_is(
    session: Session, zone: str, at: datetime, today: date
) -> None:
    practice = make_practice(session, sites=2, time_zone=zone)
    site = list_sites(session, practice.id)[0]
    with pytest.raises(Invalid, match="must not lie ahead"):
        close_site(session, practice.id, site.id, on=today + timedelta(days=1), version=1, actor=STAFF, at=at)
    assert close_site(session, practice.id, site.id, on=today, version=1, actor=STAFF, at=at).closed_on == today


def test_a_site_does_not_open_again_beside_another_of_its_name(session: Session) -> None:
    practice = make_practice(session, sites=2)
    old = list_sites(session, practice.id)[0]
    close_site(session, practice.id, old.id, on=now().date(), version=1, actor=STAFF, at=now())
    new = add_site(session, practice.id, {"name": old.name.upper()}, actor=STAFF, at=now())
    with pytest.raises(Invalid, match="Give that one another name"):
        reopen_site(session, practice.id, old.id, version=2, actor=STAFF, at=now())
    edit_site(session, practice.id, new.id, {"name": "New"}, version=1, actor=STAFF, at=now())
    assert reopen_site(session, practice.id, old.id, version=2, actor=STAFF, at=now()).closed_on is None


def test_a_site_of_another_practice_is_not_there(session: Session) -> None:
    own, other = make_practice(session), make_practice(session)
    admin = make_actor(session, Role.PRACTICE_ADMIN, practice=own)
    site = list_sites(session, other.id)[0]
    for practice_id in (own.id, other.id):
        with pytest.raises(NotFound):
            edit_site(session, practice_id, site.id, {"name": "Mine"}, version=1, actor=admin, at=now())
        with pytest.raises(NotFound):
            close_site(session, practice_id, site.id, on=date(2026, 1, 1), version=1, actor=admin, at=now())


def test_providers_come_and_go_and_stay_in_the_record(session: Session) -> None:
    practice, other = make_practice(session), make_practice(session)
    admin = make_actor(session, Role.PRACTICE_ADMIN, practice=practice)
    values = {
        "name": "Dr. Moss",
        "profession": "physician",
        "fte": Decimal("0.8"),
        "site_id": list_sites(session, practice.id)[0].id,
    }
    moss = add_provider(session, practice.id, values, actor=admin, at=now())
    with pytest.raises(Invalid, match="open sites"):
        add_provider(
            session, practice.id, {**values, "site_id": list_sites(session, other.id)[0].id}, actor=admin, at=now()
        )
    remove_provider(session, practice.id, moss.id, actor=admin, at=now())
    assert list_providers(session, practice.id) == []
    assert len(list_providers(session, practice.id, left=True)) == 1
    with pytest.raises(NotOpen):
        remove_provider(session, practice.id, moss.id, actor=admin, at=now())


def test_a_list_shows_what_is_in_reach_by_name(session: Session) -> None:
    mesa, lake = (
        make_practice(session, legal_name="Mesa Cancer Center", sites=2),
        make_practice(session, legal_name="Lakeside Clinic"),
    )
    ecole = make_practice(session, legal_name="École d'oncologie")
    staff, own = make_actor(session, Role.PROGRAM_STAFF), make_actor(session, Role.PRACTICE_STAFF, practice=lake)
    everything = list_practices(session, staff, limit=50)
    assert [p.id for p in everything] == [ecole.id, lake.id, mesa.id]
    assert [p.sites for p in everything] == [1, 1, 2]
    assert [p.id for p in list_practices(session, staff, text="MESA c")] == [mesa.id]
    assert [p.id for p in list_practices(session, staff, text="ecole")] == [ecole.id]
    assert list_practices(session, staff, text="%") == []
    assert list_practices(session, staff, text="esa") == []
    assert [p.id for p in list_practices(session, own)] == [lake.id]
    assert list_practices(session, make_actor(session, Role.SURVEYOR)) == []
    assert list_practices(session, make_actor(session)) == []
    assert SYSTEM.roles


def test_two_browsers_do_not_overwrite_each_other(new_client: Callable[[], FlaskClient], session: Session) -> None:
    practice = make_practice(session)
    one = sign_in(new_client(), make_person(session, Role.PRACTICE_ADMIN, practice=practice, name="Ann Lee"))
    two = sign_in(new_client(), make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    form = {"version": "1", "legal_name": "New Name", "setting": "rural", "time_zone": "America/Chicago"}
    assert one.post(f"/practices/{practice.id}/edit", data=form).status_code == 302
    late = two.post(f"/practices/{practice.id}/edit", data={**form, "legal_name": "Other Name"})
    assert late.status_code == 409
    assert "Ann Lee changed this" in late.text
    assert "legal name" in late.text
    session.refresh(practice)
    assert practice.legal_name == "New Name"


def test_the_pages_of_a_practice_work_from_empty_to_closed(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    assert client.get("/practices").status_code == 200
    wrong = client.post(
        "/practices/new", data={"legal_name": "", "setting": "community", "tax_ids": "12", "state": "ZZ"}
    )
    assert wrong.status_code == 422
    assert all(w in wrong.text for w in ("Give the legal name", "error-summary"))
    made = client.post(
        "/practices/new",
        data={
            "legal_name": "Mesa",
            "setting": "community",
            "tax_ids": "36-1234567; 371234567",
            "time_zone": "America/Denver",
        },
    )
    assert made.status_code == 302
    home = made.location
    for number, name in enumerate(("Main", "North")):
        data = {
            "name": name,
            "physician_fte": "2.5",
            "infusion_chairs": str(number),
            "services": ["infusion"],
            "opened_on": "2020-01-05",
        }
        assert client.post(f"{home}/sites/new", data=data).status_code == 302
    bad = client.post(
        f"{home}/sites/new",
        data={"name": "X", "physician_fte": "two", "infusion_chairs": "many", "opened_on": "yesterday"},
    )
    assert bad.status_code == 422
    assert "two" in bad.text
    assert "many" in bad.text
    site = list_sites(session, int(home.split("/")[-1]))[1]
    assert 'value="2.5"' in client.get(f"{home}/sites/{site.id}").text
    added = client.post(
        f"{home}/providers", data={"name": "Dr. Moss", "profession": "nurse", "site_id": str(site.id), "fte": "0.5"}
    )
    assert added.status_code == 302
    refused = client.post(f"{home}/providers", data={"name": "", "profession": "nurse", "site_id": "x", "fte": "-"})
    assert refused.status_code == 422
    page = client.get(home).text
    assert "Dr. Moss" in page
    assert "North" in page
    assert "36-1234567, 37-1234567" in page
    assert (
        client.post(
            f"{home}/sites/{site.id}/close", data={"version": str(site.version), "closed_on": "2026-10-01"}
        ).status_code
        == 302
    )
    assert client.post(f"{home}/sites/{site.id}/close", data={"version": "2", "closed_on": "soon"}).status_code == 422
    assert "closed Thu 1 Oct 2026" in client.get(home).text
    assert client.get(f"{home}/sites/{site.id}").status_code == 200
    assert client.post(f"{home}/sites/{site.id}/reopen", data={"version": "2"}).status_code == 302
