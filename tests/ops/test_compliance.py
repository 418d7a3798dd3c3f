from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ops import compliance
from ops.session import Session
from patching.compliance import NodeCompliance, PatchState
from patching.targets import Targets

NOW = datetime(2026, 11, 16, tzinfo=UTC)
BASELINE = "pb-0123456789abcdef0"


class Stubbed(Session):
    """A session whose clients answer what the test says."""

    def __init__(self) -> None:
        super().__init__(region="us-east-1")
        session = boto3.Session("x", "y", region_name="us-east-1")
        self.__dict__["ssm"] = session.client("ssm")
        self.__dict__["ec2"] = session.client("ec2")


def state(node: str, **counts: int) -> dict[str, Any]:
    return {
        "InstanceId": node,
        "PatchGroup": "lab",
        "BaselineId": BASELINE,
        "OperationStartTime": NOW,
        "OperationEndTime": NOW,
        "Operation": "Scan",
        **counts,
    }


@pytest.fixture
def stubs() -> tuple[Stubbed, Stubber, Stubber]:
    session = Stubbed()
    ssm, ec2 = Stubber(session.ssm), Stubber(session.ec2)
    nodes = [{"InstanceId": f"i-0000000{number}", "PingStatus": "Online"} for number in (1, 2, 3)]
    ssm.add_response("describe_instance_information", {"InstanceInformationList": nodes})
    ec2.add_response("describe_tags", {"Tags": []})
    ec2.activate()
    return session, ssm, ec2


def test_a_node_that_was_never_scanned_is_unknown_and_the_review_is_not_compliant(
    stubs: tuple[Stubbed, Stubber, Stubber],
) -> None:
    session, ssm, _ = stubs
    scanned = [state("i-00000001"), state("i-00000002")]
    ssm.add_response("describe_instance_patch_states", {"InstancePatchStates": scanned})
    ssm.add_response("get_patch_baseline", {"Name": "linux"})
    ssm.activate()
    review = compliance.review(session, Targets.tag("Workload", "Prod"))
    assert [one.compliance for one in review.nodes] == [
        NodeCompliance.COMPLIANT,
        NodeCompliance.COMPLIANT,
        NodeCompliance.UNKNOWN,
    ]
    assert not review.compliant
    assert review.problems == ()


def test_states_that_could_not_be_read_are_named_and_their_nodes_are_unknown(
    stubs: tuple[Stubbed, Stubber, Stubber],
) -> None:
    session, ssm, _ = stubs
    ssm.add_client_error("describe_instance_patch_states", "AccessDeniedException", "not you")
    ssm.activate()
    review = compliance.review(session, Targets.tag("Workload", "Prod"))
    assert [one.compliance for one in review.nodes] == [NodeCompliance.UNKNOWN] * 3
    (problem,) = review.problems
    assert problem.startswith("patch states of 3 nodes (i-00000001 to i-00000003): ")
    assert "no permission: not you" in problem


def test_a_node_whose_patches_could_not_be_read_is_unknown_and_the_others_are_not(
    stubs: tuple[Stubbed, Stubber, Stubber],
) -> None:
    session, ssm, _ = stubs
    scanned = [state("i-00000001"), state("i-00000002", MissingCount=2), state("i-00000003", InstalledCount=5)]
    ssm.add_response("describe_instance_patch_states", {"InstancePatchStates": scanned})
    ssm.add_response("get_patch_baseline", {"Name": "linux"})
    ssm.add_client_error("describe_instance_patches", "InternalServerError", "broken")
    ssm.activate()
    review = compliance.review(session, Targets.tag("Workload", "Prod"))
    assert [one.compliance for one in review.nodes] == [
        NodeCompliance.COMPLIANT,
        NodeCompliance.UNKNOWN,
        NodeCompliance.COMPLIANT,
    ]
    assert review.nodes[1].counts[PatchState.MISSING] == 2
    assert review.problems[0].startswith("patches of i-00000002: ")


@pytest.mark.parametrize(
    ("baseline", "compliance"),
    [
        ({}, NodeCompliance.COMPLIANT),
        ({"AvailableSecurityUpdatesComplianceStatus": "COMPLIANT"}, NodeCompliance.COMPLIANT),
        ({"AvailableSecurityUpdatesComplianceStatus": "NON_COMPLIANT"}, NodeCompliance.NON_COMPLIANT),
        (None, NodeCompliance.UNKNOWN),
    ],
)
def test_available_security_updates_count_as_the_baseline_says(
    stubs: tuple[Stubbed, Stubber, Stubber], baseline: dict[str, str] | None, compliance: NodeCompliance
) -> None:
    session, ssm, _ = stubs
    scanned = [
        state(f"i-0000000{one}", **({"AvailableSecurityUpdateCount": 1} if one == 2 else {})) for one in (1, 2, 3)
    ]
    ssm.add_response("describe_instance_patch_states", {"InstancePatchStates": scanned})
    if baseline is None:
        ssm.add_client_error("get_patch_baseline", "AccessDeniedException", "not you")
    else:
        ssm.add_response("get_patch_baseline", {"Name": "windows", **baseline})
    if compliance is NodeCompliance.NON_COMPLIANT:
        patch = {"Title": "KB5", "KBId": "KB5", "Classification": "", "Severity": "Critical", "InstalledTime": NOW}
        patch["State"] = "AVAILABLE_SECURITY_UPDATE"
        wanted = {
            "InstanceId": "i-00000002",
            "Filters": [{"Key": "State", "Values": ["AvailableSecurityUpdate"]}],
            "MaxResults": 100,
        }
        ssm.add_response("describe_instance_patches", {"Patches": [patch]}, wanted)
    ssm.activate()
    review = compliance_of(session)
    assert [one.compliance for one in review.nodes] == [NodeCompliance.COMPLIANT, compliance, NodeCompliance.COMPLIANT]
    assert review.compliant == (compliance is NodeCompliance.COMPLIANT)
    assert len(review.problems) == (baseline is None)
    ssm.assert_no_pending_responses()


def compliance_of(session: Stubbed) -> compliance.Review:
    return compliance.review(session, Targets.tag("Workload", "Prod"))
