"""How the associations of a node went on it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-compliance-about.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from lab.nodes.node import ManagedNode
from lab.records.association import Association, AssociationExecution
from lab.records.command import Invocation, Status


@dataclass(frozen=True)
class AssociationResult:
    """The last execution of an association that a node had a part in.

    Attributes:
        association: the association.
        execution: its execution.
        invocation: what it did on the node.
    """

    association: Association
    execution: AssociationExecution
    invocation: Invocation

    @property
    def ended(self) -> datetime:
        """When its last step ended; when it was asked for if it never began."""
        return max((step.ended for step in self.invocation.steps if step.ended), default=self.invocation.requested)

    @property
    def compliant(self) -> bool:
        """Whether the node complies with the association."""
        return self.status == "Success"

    @property
    def status(self) -> str:
        """Success, Failed or Pending."""
        if not self.invocation.status.final:
            return "Pending"
        return "Success" if self.invocation.status is Status.SUCCESS else "Failed"


def results_on(
    node: ManagedNode, associations: Iterable[Association], *, over: bool = False
) -> Iterator[AssociationResult]:
    """Yield how each association went the last time on a node, if it ran there.

    Args:
        node: the node.
        associations: the associations.
        over: whether only those executions count that are over on the node.
    """
    for association in associations:
        for execution in reversed(association.executions):
            invocation = execution.command.invocations.get(node.id) if execution.command else None
            if invocation and (invocation.status.final or not over):
                yield AssociationResult(association, execution, invocation)
                break


def overall(results: Iterable[AssociationResult]) -> str:
    """Return the status of all of them: Failed if one failed, Pending if one is not over, Success otherwise."""
    statuses = {one.status for one in results}
    return next((status for status in ("Failed", "Pending", "Success") if status in statuses), "")
