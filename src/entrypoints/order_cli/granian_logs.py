"""Granian's own log lines go where all others go."""

from typing import Any, Final

from granian.log import LogLevels

# Below an error it only tells its own story: spawned, started, experimental, stopped.
GRANIAN_LOG_LEVEL: Final = LogLevels.error
GRANIAN_LOGS: Final[dict[str, Any]] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}
