from __future__ import annotations

import pytest

from tests.patching.policies import changed, policy, problems
from tests.rows import each_row

NODE = "    - name: web\n      operating_system: AMAZON_LINUX_2023\n      tags: {PatchGroup: web}\n"
FLEET = "fleet:\n"


@each_row(
    ("old", "new", "expected"),
    [
        (NODE, "    []\n", "4: fleet.nodes: list should have at least 1 item"),
        (NODE, NODE + NODE.replace("web\n", "web\n", 1), "8: fleet.nodes.1.name: 'web' is the name of node 1 already"),
        ("name: web", "name: Web_1", "5: fleet.nodes.0.name: 'Web_1' is not 1 to 40 lower-case letters"),
        (
            "      operating_system: AMAZON_LINUX_2023\n      tags",
            "      operating_system: SUSE\n      tags",
            "5: fleet.nodes.0.image: no newest image is known for SUSE (only for AMAZON_LINUX_2023, UBUNTU, WINDOWS)",
        ),
        (
            "      operating_system: AMAZON_LINUX_2023\n      tags",
            "      operating_system: MACOS\n      image: /aws/service/x\n      tags",
            "6: fleet.nodes.0.operating_system: a Mac needs a dedicated host",
        ),
        ("name: web", "name: web\n      image: ami-1", "6: fleet.nodes.0.image: 'ami-1' is not a public parameter"),
        (
            "name: web",
            "name: web\n      instance_type: t3",
            "6: fleet.nodes.0.instance_type: 't3' is not an instance type",
        ),
        (
            "name: web",
            "name: web\n      volume_gib: 7",
            "6: fleet.nodes.0.volume_gib: found 7; input should be greater than",
        ),
        (
            "PatchGroup: web",
            "Environment: x, PatchGroup: web",
            "7: fleet.nodes.0.tags.Environment: the tag Environment is set",
        ),
        ("PatchGroup: web", "Name: x, PatchGroup: web", "7: fleet.nodes.0.tags.Name: the tag Name is set by name"),
        ("PatchGroup: web", "Patch Group: web", "7: fleet.nodes.0.tags.Patch Group: write PatchGroup without a space"),
        (
            "PatchGroup: web",
            "PatchGroup: web, patch-group: web",
            "7: fleet.nodes.0.tags.patch-group: Patch Manager does not read the tag 'patch-group' as a patch group",
        ),
        (
            "PatchGroup: web",
            "PatchGroup: db",
            "7: fleet.nodes.0.tags.PatchGroup: no baseline of AMAZON_LINUX_2023 has the patch group 'db': AWS would",
        ),
        (
            "{PatchGroup: web}",
            "{Team: a}",
            "7: fleet.nodes.0.tags: no baseline of AMAZON_LINUX_2023 has the patch group ''",
        ),
        (
            "PatchGroup: web",
            "PatchGroup: web, " + ", ".join(f"t{number}: x" for number in range(47)),
            "7: fleet.nodes.0.tags: 51 tags with those of tags and environment, but AWS takes 50; take some out",
        ),
    ],
)
def test_a_rule_of_the_fleet_is_named_at_its_line_and_key(old: str, new: str, expected: str) -> None:
    (found,) = [line for line in problems(changed((old, new))) if line.startswith(f"p.yaml:{expected}")]
    assert found


def test_a_node_has_50_tags_with_those_of_the_policy() -> None:
    tags = ", ".join(f"t{number}: x" for number in range(46))
    assert problems(changed(("PatchGroup: web", f"PatchGroup: web, {tags}"))) == []


def test_a_node_has_its_own_tags_and_those_of_every_resource() -> None:
    read = policy()
    assert read.fleet is not None
    (node,) = read.fleet.nodes
    assert read.node_tags(node) == {"Project": "demo", "PatchGroup": "web", "Environment": "lab"}
    assert node.image_parameter == "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert (node.instance_type, node.volume_gib) == ("t3.small", 30)


def test_a_node_without_a_patch_group_may_get_the_policys_own_default() -> None:
    default = ("patch_groups: [web]", "patch_groups: [web]\n    default: true")
    assert problems(changed(("{PatchGroup: web}", "{Team: a}"), default)) == []
    assert problems(changed(("PatchGroup: web", "PatchGroup: db"), default)) == []


# The network.


def network(text: str) -> str:
    return changed((FLEET, f"fleet:\n  network: {text}\n"))


EXISTING = "{kind: existing, vpc_id: vpc-01234567, internet: true, "


@each_row(
    ("text", "expected"),
    [
        ("{kind: none}", "4: fleet.network.kind: found 'none'; input should be 'nat', 'isolated', 'public' or"),
        (
            "{vpc_id: vpc-01234567}",
            "4: fleet.network.vpc_id: vpc_id is for the kind existing only, not for nat; take one of them out",
        ),
        ("{kind: public, internet: true}", "4: fleet.network.internet: internet is for the kind existing only"),
        (
            "{kind: existing, subnet_ids: [subnet-01234567], availability_zones: [eu-west-1a], internet: false}",
            "4: fleet.network: vpc_id is missing: a network of kind existing needs vpc_id, subnet_ids",
        ),
        (EXISTING.replace("vpc-01234567", "vpc-1") + "}", "4: fleet.network.vpc_id: 'vpc-1' is not the id of a VPC"),
        (
            EXISTING + "subnet_ids: [x], availability_zones: [eu-west-1a]}",
            "4: fleet.network.subnet_ids.0: 'x' is not the id of a subnet like subnet-0123456789abcdef0",
        ),
        (
            EXISTING + "subnet_ids: [subnet-01234567], availability_zones: [eu-west-1a, eu-west-1b]}",
            "4: fleet.network.availability_zones: 2 zones for 1 subnets; name the zone of each",
        ),
        (
            EXISTING + "subnet_ids: [subnet-01234567], availability_zones: [A Zone]}",
            "4: fleet.network.availability_zones.0: 'A Zone' is not an availability zone like eu-west-1a",
        ),
        (
            EXISTING + "subnet_ids: [subnet-01234567, subnet-01234567], availability_zones: [eu-west-1a, eu-west-1a]}",
            "4: fleet.network.subnet_ids.1: 'subnet-01234567' is in the list already; take one out",
        ),
    ],
)
def test_a_rule_of_the_network_is_named_at_its_line_and_key(text: str, expected: str) -> None:
    (found,) = problems(network(text))
    assert found.startswith(f"p.yaml:{expected}")


@each_row(
    "text",
    [
        "{}",
        "{kind: nat}",
        "{kind: isolated}",
        "{kind: public}",
        EXISTING + "subnet_ids: [subnet-01234567], availability_zones: [eu-west-1a]}",
        EXISTING.replace("true", "false")
        + "subnet_ids: [subnet-01234567, subnet-76543210], availability_zones: [us-west-2-lax-1a, us-west-2a]}",
    ],
)
def test_every_kind_of_network_may_be_asked_for(text: str) -> None:
    assert problems(network(text)) == []


@pytest.mark.parametrize("kind", ["isolated", EXISTING[7:-2].replace("true", "false")])
def test_a_network_without_the_internet_is_for_systems_whose_repositories_are_in_aws(kind: str) -> None:
    ubuntu = changed(
        ("    operating_system: AMAZON_LINUX_2023\n    patch", "    operating_system: UBUNTU\n    patch"),
        ("      operating_system: AMAZON_LINUX_2023\n      tags", "      operating_system: UBUNTU\n      tags"),
        ("{CLASSIFICATION: [Security]}\n        approve_after_days: 7", "{PRIORITY: [Required]}"),
    )
    where = "" if kind == "isolated" else ", subnet_ids: [subnet-01234567], availability_zones: [eu-west-1a]"
    (found,) = problems(ubuntu.replace(FLEET, f"fleet:\n  network: {{kind: {kind}{where}}}\n"))
    assert found.startswith("p.yaml:7: fleet.nodes.0.operating_system: UBUNTU has its repositories on the internet")
    assert problems(ubuntu) == []


MIRROR = "    sources:\n      mirror:\n        products: ['*']\n        configuration: deb {} main\n    rules:"


@pytest.mark.parametrize("address", ["https://mirror.example.com/al", "http://mirror.s3.eu-west-1.amazonaws.com/al"])
def test_an_isolated_node_does_not_reach_a_mirror_outside_of_s3(address: str) -> None:
    text = changed(
        (FLEET, f"{FLEET.rstrip()}\n  network: {{kind: isolated}}\n"), ("    rules:", MIRROR.format(address))
    )
    (found,) = problems(text)
    assert found.startswith(
        "p.yaml:16: baselines.linux.sources.mirror.configuration: a network of kind isolated leads to"
    )
    assert f"nodes do not reach {address} from there" in found
    assert problems(text.replace("isolated", "nat")) == []
    assert problems(text.replace(address, "https://mirror.s3.eu-west-1.amazonaws.com/al")) == []


# What a node is made of.


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "instance_type: t4g.small",
            "6: fleet.nodes.0.instance_type: 't4g.small' has processors of Arm, but the image is for x86",
        ),
        (
            "instance_type: t3.small\n      image: /aws/service/al2023-ami-kernel-default-arm64",
            "6: fleet.nodes.0.instance_type: 't3.small' has processors of x86, but the image is for Arm",
        ),
    ],
)
def test_an_image_is_for_the_processors_of_its_instance(settings: str, expected: str) -> None:
    (found,) = problems(changed(("name: web", f"name: web\n      {settings}")))
    assert found.startswith(f"p.yaml:{expected}")


@pytest.mark.parametrize(
    "settings",
    [
        "instance_type: m7i-flex.large",
        "instance_type: g5.xlarge",
        "instance_type: t4g.small\n      image: /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        "instance_type: t4g.small\n      image: /aws/service/of-which-nothing-is-known",
        "instance_type: t3.small\n      image: /aws/service/of-which-nothing-is-known",
    ],
)
def test_an_image_and_an_instance_that_may_fit_are_taken(settings: str) -> None:
    assert problems(changed(("name: web", f"name: web\n      {settings}"))) == []
