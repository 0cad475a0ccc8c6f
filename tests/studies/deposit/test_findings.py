"""What a deposit study gathers for its report, from fields of many elements and of few."""

from dataclasses import replace

import pytest

from gossan.studies.deposit.findings import zoning_table


@pytest.mark.parametrize("elements", [("Au",), ("Au", "Cu")])
def test_fewer_than_three_elements_have_no_zoning_and_stop_nothing(campaign, elements):
    assert zoning_table(replace(campaign, elements=elements)) == (None, "")


def test_zoning_lists_each_element_once_from_the_top(campaign):
    table, note = zoning_table(campaign)
    assert set(table["element"]) == set(campaign.elements)
    assert list(table["rank"]) == list(range(1, len(campaign.elements) + 1))
    assert "rank correlation" in note
