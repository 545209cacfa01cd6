"""Runs the real use cases in every order of turns, and with every combination of a few faults.

    scenarios     who takes part, and what the provider is like
    search        visits every state that can be reached, nearest first
    stories       what a participant does next, given all it was answered so far
    worlds        store and provider, and what a call or a fault does to them
    meaning       when two worlds are the same
    ending        what becomes of a world when nothing goes wrong any more
    telling       the shortest way to a broken invariant, as a story

A coroutine cannot be copied, but what it does next depends only on the answers it got, on
the clock and on the ids it drew. So a participant is a tree of answers, grown by running
the real coroutine from its beginning once for each new answer; and a call is made once for
each world that it was ever made in. A state is then a few numbers, and going from one to the
next is two look-ups: that is what makes millions of them a matter of a minute.
"""
