"""Who has lost a race for a refresh token, and who has come too late to say so."""

from order_oauth.races import Races
from order_oauth.random_secrets import RefreshToken


def test_those_who_came_before_the_win_have_lost_and_those_who_come_after_have_not() -> None:
    races, token = Races(), RefreshToken.first()
    winner, loser = races.enter(token), races.enter(token)
    before = loser.lost

    winner.won()

    assert (before, loser.lost) == (False, True)
    # A thief who keeps others under way gains nothing: what counts is when he came himself.
    late = races.enter(token)
    assert not late.lost
    assert late.turn is loser.turn


def test_another_token_of_the_family_runs_in_another_race_as_a_stranger_does() -> None:
    races, token = Races(), RefreshToken.first()
    first = races.enter(token)
    successor, stranger = races.enter(token.following()), races.enter(RefreshToken.first())
    nobody = races.enter(None)

    first.won()

    assert [entry.lost for entry in (successor, stranger, nobody)] == [False, False, False]
    assert races.enter(None).turn is not nobody.turn


def test_a_race_is_forgotten_with_the_last_who_runs_it() -> None:
    races, token = Races(), RefreshToken.first()
    races.enter(token).won()

    again = races.enter(token)

    assert not again.lost
    assert len(races) == 1
