"""Digests are stored, so what they come to must never change."""

from order_core.payment import fingerprint


def test_a_fingerprint_of_today_is_that_of_every_other_day() -> None:
    told = fingerprint("ada", "ö", "\ud800", "")

    assert told == "693accad5527cbc32284901e8559e277ab5473ab568149d92bc456b159c920ae"


def test_where_one_part_ends_makes_a_difference() -> None:
    assert len({fingerprint("ab", "c"), fingerprint("a", "bc"), fingerprint("abc")}) == len("abc")
