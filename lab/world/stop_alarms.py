"""The CloudWatch alarms that stop a command, an association or a task of a window.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AlarmConfiguration.html.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.world.cloud import Cloud


@dataclass(frozen=True)
class StopAlarms:
    """Alarms that stop something once one of them is in ALARM.

    Attributes:
        names: their names; none for what no alarm stops.
        despite_failures: whether it goes on where the state of an alarm cannot be found out.
    """

    names: tuple[str, ...] = ()
    despite_failures: bool = False

    def triggered(self, cloud: Cloud) -> dict[str, str]:
        """Return the alarms that stop it now, each with its state: ALARM, or UNKNOWN for one that is not there."""
        found = {}
        for name in self.names:
            state = cloud.alarm_state(name)
            if state is None and not self.despite_failures:
                found[name] = "UNKNOWN"
            elif state == "ALARM":
                found[name] = state
        return found


NO_ALARMS = StopAlarms()
"""What nothing stops."""
