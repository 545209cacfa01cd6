"""Who takes the money, when, and how long things may take."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from order_core.payment_terms import CaptureLate, CaptureMode, Policy
from order_wiring import setting_values as value
from order_wiring.setting_groups.group import DAY_SECONDS, Contradictions, SettingGroup, duration


class PaymentSettings(SettingGroup):
    """The shop's rules about money."""

    default_provider: str | None = None
    default_currency: Annotated[str, BeforeValidator(value.currency)] = "USD"
    sandbox: Annotated[bool, BeforeValidator(value.switch)] = False
    recovery_delay: Annotated[timedelta, duration(0, DAY_SECONDS)] = timedelta(seconds=30)
    charge_window: Annotated[timedelta, duration(1, DAY_SECONDS)] = timedelta(minutes=10)
    clock_skew: Annotated[timedelta, duration(1, 600)] = timedelta(seconds=30)
    action_expiry: Annotated[timedelta, duration(1, 30 * DAY_SECONDS)] = timedelta(minutes=30)
    duplicate_window: Annotated[timedelta, duration(0, DAY_SECONDS)] = timedelta(seconds=10)
    capture: Annotated[CaptureMode, BeforeValidator(value.one_of(CaptureMode))] = (
        CaptureMode.IMMEDIATE
    )
    capture_late: Annotated[CaptureLate, BeforeValidator(value.one_of(CaptureLate))] = (
        CaptureLate.CANCEL
    )
    return_origins: value.Origins = ()
    installation: Annotated[str, BeforeValidator(value.installation)] = "default"

    @property
    def policy(self) -> Policy:
        """What the core has to know of it."""
        return Policy(
            installation=self.installation,
            default_currency=self.default_currency,
            charge_window=self.charge_window,
            clock_skew=self.clock_skew,
            action_expiry=self.action_expiry,
            recovery_delay=self.recovery_delay,
            duplicate_window=self.duplicate_window,
            capture=self.capture,
            capture_late=self.capture_late,
        )


def contradictions(
    given: Mapping[str, str], by_provider: Mapping[str, Mapping[str, str]]
) -> Contradictions:
    """`by_provider`: the providers that are switched on."""
    on = sorted(by_provider)
    if "default_provider" in given and given["default_provider"] not in on:
        wrong = given["default_provider"][: value.LONGEST_SHOWN]
        choice = ", ".join(on) or "there is none"
        because = f"must be one of the gateways that are switched on ({choice}), got {wrong!r}"
        yield "default_provider", because
    if "default_provider" not in given and len(on) > 1:
        choice = ", ".join(on)
        because = f"must be set when several gateways are switched on: one of {choice}"
        yield "default_provider", because
