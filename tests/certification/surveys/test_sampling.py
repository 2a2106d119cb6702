"""Which sites are visited (process.md, step 2)."""

from __future__ import annotations

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from certify.certification.surveys.sampling import SERVICES_THAT_COUNT, SiteFacts, draw_sample, sample_size

services = st.frozensets(st.sampled_from(["infusion", "pharmacy", "oral_dispensing", *SERVICES_THAT_COUNT]))


@st.composite
def practices(draw):
    count = draw(st.integers(1, 40))
    return [
        SiteFacts(
            n + 1,
            f"Site {n + 1}",
            draw(services),
            draw(st.integers(0, 60)),
            draw(st.booleans()) if draw(st.integers(0, 9)) == 0 else False,
        )
        for n in range(count)
    ]


@given(practices(), st.text(max_size=12), st.randoms())
def test_the_drawing_can_be_repeated_whatever_the_order_of_the_sites(sites, seed, random: Random):
    first = draw_sample(sites, seed)
    shuffled = list(sites)
    random.shuffle(shuffled)
    assert draw_sample(shuffled, seed) == first


@given(practices(), st.text(max_size=12))
def test_the_rule_of_the_process_holds(sites, seed):
    chosen = {c.site_id: c for c in draw_sample(sites, seed)}
    visited = {site for site, choice in chosen.items() if choice.visited}
    assert set(chosen) == {s.site_id for s in sites}
    assert len(visited) >= min(len(sites), sample_size(len(sites)))
    if len(sites) <= 3:
        assert visited == set(chosen)
        return
    infusing = [s for s in sites if "infusion" in s.services] or sites
    largest = max(s.infusion_chairs for s in infusing)
    assert any(s.site_id in visited and s.infusion_chairs == largest for s in infusing)
    for service in SERVICES_THAT_COUNT:
        giving = {s.site_id for s in sites if service in s.services}
        assert len(giving) == len(sites) or giving <= visited
    assert {s.site_id for s in sites if s.is_new} <= visited
    drawn = [c for c in chosen.values() if "drawn" in c.reasons]
    if drawn:
        assert len(visited) == math.ceil(math.sqrt(len(sites))) + 1
    assert all(c.visited == bool(c.reasons) for c in chosen.values())


def test_another_seed_draws_other_sites():
    sites = [SiteFacts(n, f"Site {n}", frozenset({"infusion"}), 10) for n in range(1, 31)]
    drawings = {tuple(c.site_id for c in draw_sample(sites, str(seed)) if c.visited) for seed in range(20)}
    assert len(drawings) > 15


def test_every_site_is_drawn_about_as_often_as_any_other():
    sites = [SiteFacts(n, f"Site {n}", frozenset({"infusion"}), 10 if n > 1 else 50) for n in range(1, 11)]
    times = dict.fromkeys(range(2, 11), 0)
    for seed in range(900):
        for choice in draw_sample(sites, f"seed-{seed}"):
            if "drawn" in choice.reasons:
                times[choice.site_id] += 1
    assert all(330 <= count <= 470 for count in times.values()), times
