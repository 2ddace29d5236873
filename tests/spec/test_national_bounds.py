"""The bounds that national and provincial guidance (P03, P04, P05, P07) sets for whatever a region publishes."""

from adapters.registry import load_policies
from hub.core.codes import Fund
from hub.core.money import percent
from hub.core.policy import ChangeKind

CATASTROPHIC = {
    region: layer
    for region, policy in load_policies().items()
    for layer in policy.layers
    if layer.fund is Fund.RESIDENT_CATASTROPHIC and policy.kind != "sandbox"
}


def segments_of(layer):
    return [row.parameter.value for row in layer.segments]


def test_every_catastrophic_segment_pays_at_least_half_of_what_is_left():
    """P04 and P06: not below 50 %; the old scheme of Ürümqi (P02) is older than the guidance and states no ratio."""
    low = {str(region) for region, layer in CATASTROPHIC.items() for one in segments_of(layer) if one.rate < HALF}

    assert low == set()


def test_a_higher_amount_never_has_a_lower_rate():
    """P04: segments by amount, the higher the amount the higher the ratio."""
    for region, layer in CATASTROPHIC.items():
        rates = [one.rate for one in sorted(segments_of(layer), key=lambda one: one.above)]

        assert rates == sorted(rates), region


def test_the_one_rate_below_half_is_for_care_elsewhere_without_referral():
    """P09, article 9, reads 40 % by the hub's reading: below the guidance, and by no other region's rule."""
    low = {
        (str(region), str(row.parameter.value), *row.when.treatments)
        for region, layer in CATASTROPHIC.items()
        for row in layer.elsewhere
        if row.parameter.value.kind is ChangeKind.FLAT and row.parameter.value.amount < HALF.value
    }

    assert low == {("450700", "40 %", "without_referral")}


def test_assistance_never_comes_off_the_base_of_a_catastrophic_layer():
    """P05: assistance received is not deducted when the burden is computed."""
    taken = {source for layer in CATASTROPHIC.values() for row in layer.less for source in row.parameter.value}

    assert taken == {"mutual_aid"}


HALF = percent("50 %")
