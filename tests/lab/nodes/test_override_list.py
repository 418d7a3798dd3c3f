"""Installing what an override list names, instead of what the baseline approves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.nodes.node import ManagedNode
from lab.records.command import Command
from lab.world.network import InterfaceEndpoint, Network, Rule
from lab.world.patching_buckets import patching_buckets
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from tests.lab.simulated import KEY, NODE_ROLE, Lab, invocations, reported, work_of

AT = "s3://output/lists/prod.yaml"
PUBLIC = "https://s3.us-east-1.amazonaws.com/output/lists/prod.yaml"


def put(lab: Lab, *entries: str, text: str = "") -> None:
    lines = [f"- {{{entry}}}\n" for entry in entries]
    lab.cloud.objects["lists/prod.yaml"] = text or "patches:\n" + "".join(lines)


def install(lab: Lab, at: str = AT) -> Command:
    return lab.run(RunPatchBaseline.install(override_list=at))


def version(node: ManagedNode, key: str) -> str:
    package = next(one for one in node.catalogue.packages if one.key == key)
    return package.releases[node.installed[key]].version


def test_just_what_is_listed_is_installed_whether_approved_or_not(lab: Lab) -> None:
    """The baseline approves releases of tool, which has notices, and none of plain, which has none."""
    lab.approve()
    node = lab.launch()
    put(lab, "id: plain.noarch")
    assert install(lab).status == "Success"
    assert (version(node, "plain.noarch"), version(node, "tool.x86_64")) == ("1.1-1", "1.0-1")


def test_a_title_picks_the_release(lab: Lab) -> None:
    lab.approve()
    node = lab.launch()
    put(lab, "id: 'tool*', title: '*:1.1-*'")
    install(lab)
    assert version(node, "tool.x86_64") == "1.1-1"


def test_without_a_title_the_newest_release_is_installed_even_if_it_is_rejected(lab: Lab) -> None:
    lab.approve(delay=30, rejected=("tool*",))
    node = lab.launch()
    put(lab, "id: 'tool*'")
    install(lab)
    assert version(node, "tool.x86_64") == "1.2-1"


def test_a_release_that_is_not_out_yet_or_not_installed_or_older_is_not_put_in(lab: Lab) -> None:
    lab.approve()
    node = lab.launch()
    put(lab, "id: tool, title: '*1.3-1'", "id: absent", "id: tool, title: '*1.0-1'")
    command = install(lab)
    assert version(node, "tool.x86_64") == "1.0-1"
    assert "absent.noarch" not in node.installed
    assert work_of(invocations(command)[0]).output.count("Listed, with nothing to install: ") == 3


def test_compliance_is_that_of_the_baseline(lab: Lab) -> None:
    lab.approve()
    node = lab.launch()
    put(lab, "id: plain.noarch")
    install(lab)
    assert reported(node) == {"tool": "Missing", "plain": "InstalledOther"}
    assert node.states
    assert node.states.override_list == AT


def test_output_tells_of_the_list(lab: Lab) -> None:
    lab.launch()
    put(lab, "id: plain.noarch")
    output = work_of(invocations(install(lab))[0]).output
    assert f"Install Override List: {AT}" in output
    assert "Installed: plain.noarch:1.1-1" in output


def test_a_node_that_installed_a_listed_patch_reboots(lab: Lab) -> None:
    node = lab.launch()
    put(lab, "id: plain.noarch")
    command = install(lab)
    assert node.booted > command.requested


def test_what_cannot_be_installed_has_failed(lab: Lab) -> None:
    lab.approve()
    node = lab.launch()
    node.fault = "No space left on device"
    put(lab, "id: plain.noarch")
    assert install(lab).status == "Failed"
    assert reported(node) == {"tool": "Missing", "plain": "Failed"}


def test_on_windows_a_list_names_kb_numbers(lab: Lab) -> None:
    node = lab.launch("windows")
    lab.cloud.objects["lists/prod.yaml"] = "patches: [{id: KB3}, {id: KB2}]"
    command = install(lab)
    (only,) = invocations(command)
    step = next(one for one in only.steps if one.name == "PatchWindows")
    assert "Installed: 2026-03 Cumulative Update (KB3)" in step.output
    assert "Listed, with nothing to install: KB2" in step.output
    assert reported(node)["KB3"] == "InstalledOther"


def test_on_windows_a_listed_update_need_not_take_the_place_of_another(lab: Lab) -> None:
    node = lab.launch("windows")
    node.installed = {}
    lab.cloud.objects["lists/prod.yaml"] = "patches: [{id: KB3}]"
    install(lab)
    assert node.installed == {"KB1": 2}


def test_on_windows_a_listed_update_for_a_feature_that_is_not_there_is_not_put_in(lab: Lab) -> None:
    node = lab.launch("windows")
    (chain,) = node.catalogue.packages
    node.catalogue = replace(node.catalogue, packages=(replace(chain, feature="Web-Server"),))
    lab.cloud.objects["lists/prod.yaml"] = "patches: [{id: KB3}]"
    install(lab)
    assert node.installed == {"KB1": 0}


def test_a_scan_does_not_look_at_the_list(lab: Lab) -> None:
    lab.launch()
    given = {"Operation": ["Scan"], "InstallOverrideList": [AT]}
    assert lab.run_document("AWS-RunPatchBaseline", given).status == "Success"


# A list that cannot be used.


def refused(lab: Lab, at: str = AT) -> str:
    """Return why a node could not use the list; nothing was installed or reported."""
    node = lab.launch()
    before = dict(node.installed)
    (only,) = invocations(install(lab, at))
    step = work_of(only)
    assert (only.status, step.code) == ("Failed", 1)
    assert "Nothing was scanned or installed: what was to override the baseline could not be used." in step.output
    assert (node.installed, node.states) == (before, None)
    return step.error


def test_a_list_that_is_not_there_fails_the_node(lab: Lab) -> None:
    assert refused(lab) == f"{AT} cannot be read: there is no object lists/prod.yaml\n"


def test_a_bucket_that_is_not_there_fails_the_node(lab: Lab) -> None:
    assert "there is no bucket gone" in refused(lab, "s3://gone/prod.yaml")


def test_a_list_that_the_nodes_role_may_not_read_fails_the_node(lab: Lab) -> None:
    put(lab, "id: plain")
    lab.cloud.forbid(NODE_ROLE, "s3:GetObject", "arn:aws:s3:::output/lists/*")
    assert refused(lab) == (
        f"{AT} cannot be read: {NODE_ROLE} does not allow s3:GetObject on arn:aws:s3:::output/lists/prod.yaml\n"
    )


def test_a_list_whose_key_the_nodes_role_may_not_use_fails_the_node(lab: Lab) -> None:
    put(lab, "id: plain")
    lab.cloud.bucket_keys["output"] = KEY
    lab.cloud.forbid(NODE_ROLE, "kms:Decrypt", KEY)
    assert f"does not allow kms:Decrypt on {KEY}" in refused(lab)


def test_a_list_whose_key_the_nodes_role_may_use_is_read(lab: Lab) -> None:
    lab.launch()
    put(lab, "id: plain")
    lab.cloud.bucket_keys["output"] = KEY
    assert install(lab).status == "Success"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("patches: [kernel]", "'kernel' has no id"), ("patches: [", "not YAML"), ("a: 1", "expected the key patches")],
)
def test_a_list_that_is_none_fails_the_node(lab: Lab, text: str, problem: str) -> None:
    put(lab, text=text)
    said = refused(lab)
    assert said.startswith(f"{AT} is no override list: ")
    assert problem in said


def test_a_list_by_https_has_to_be_public_and_needs_no_role(lab: Lab) -> None:
    put(lab, "id: plain.noarch")
    assert "is not public; name a list in a private bucket as s3://output/lists/prod.yaml" in refused(lab, PUBLIC)
    lab.cloud.public.add("lists/prod.yaml")
    lab.cloud.forbid(NODE_ROLE, "s3:GetObject")
    assert install(lab, PUBLIC).status == "Success"


@pytest.mark.parametrize("at", [AT, PUBLIC])
def test_a_list_that_an_endpoint_does_not_let_through_fails_the_node(lab: Lab, at: str) -> None:
    put(lab, "id: plain.noarch")
    lab.cloud.public.add("lists/prod.yaml")
    node = lab.launch()
    lab.change(node, network=isolated(*patching_buckets("us-east-1")))
    (only,) = invocations(install(lab, at))
    assert work_of(only).error == (
        f"{at} cannot be read: the policy of vpce-s3 does not allow s3:GetObject on "
        "arn:aws:s3:::output/lists/prod.yaml\n"
    )
    lab.change(node, network=isolated("*"))
    assert install(lab, at).status == "Success"


def test_a_public_list_is_fetched_as_nobody_and_another_as_the_nodes_role(lab: Lab) -> None:
    put(lab, "id: plain.noarch")
    lab.cloud.public.add("lists/prod.yaml")
    patching = [f"{bucket}/*" for bucket in patching_buckets("us-east-1")]
    for_all = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{p}" for p in patching],
    }
    for_the_role = {**for_all, "Principal": {"AWS": NODE_ROLE}, "Resource": "arn:aws:s3:::output/*"}
    network = replace(isolated(), s3={"vpce-s3": {"Statement": [for_all, for_the_role]}})
    lab.change(lab.launch(), network=network)
    assert install(lab, AT).status == "Success"
    assert (
        "the policy of vpce-s3 does not allow s3:GetObject on arn:aws:s3:::output/lists/prod.yaml"
        in work_of(invocations(install(lab, PUBLIC))[0]).error
    )


def isolated(*buckets: str) -> Network:
    """Return a network that reaches the agent's services and, of S3, these buckets."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}
    policy = {"Statement": {**statement, "Resource": [f"arn:aws:s3:::{bucket}/*" for bucket in buckets]}}
    everywhere = (Rule("-1", None, None, cidr="0.0.0.0/0"), Rule("-1", None, None, prefix_list=S3))
    everything = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
    interfaces = tuple(
        InterfaceEndpoint(
            f"vpce-{name}",
            f"com.amazonaws.us-east-1.{name}",
            private_dns=True,
            cidrs=("10.0.0.0/24",),
            groups=(),
            ingress=everywhere,
            policy=everything,
        )
        for name in ("ssm", "ssmmessages", "ec2messages")
    )
    return Network("us-east-1", "10.0.0.1", (), everywhere, "", False, True, interfaces, {"vpce-s3": policy})


S3 = "com.amazonaws.us-east-1.s3"


def test_output_names_what_is_listed_and_was_not_found_and_nothing_else(lab: Lab) -> None:
    lab.approve()
    lab.launch()
    put(lab, "id: plain.noarch", "id: nowhere.noarch")
    (only,) = invocations(install(lab))
    assert [line for line in work_of(only).output.splitlines() if "nothing to install" in line] == [
        "Listed, with nothing to install: nowhere.noarch"
    ]


def test_what_cannot_be_installed_is_reported_once(lab: Lab) -> None:
    lab.approve()
    linux, windows = lab.launch(), lab.launch("windows")
    linux.fault = windows.fault = "No space left on device"
    put(lab, "id: plain.noarch", "id: KB3")
    lab.run(RunPatchBaseline.install(override_list=AT), RateControl("100%", "100%"))
    assert linux.states
    assert windows.states
    assert [(one.patch.name, one.state.value) for one in linux.states.reports] == [
        ("tool", "Missing"),
        ("plain", "Failed"),
    ]
    # What is installed on Windows is reported beside what is to take its place.
    assert [(one.patch.name, one.state.value) for one in windows.states.reports] == [
        ("KB3", "Failed"),
        ("KB1", "InstalledOther"),
    ]


def test_a_listed_update_that_cannot_be_installed_takes_no_place_of_what_is_installed(lab: Lab) -> None:
    """The baseline says nothing of the update, so that only the one that is installed is reported of its chain."""
    node = lab.launch("windows")
    (chain,) = node.catalogue.packages
    drivers = replace(chain, releases=[replace(one, classification="Drivers") for one in chain.releases])
    node.catalogue = replace(node.catalogue, packages=(drivers,))
    node.fault = "0x80070070"
    put(lab, "id: KB3")
    install(lab)
    assert node.states
    assert [(one.patch.name, one.state.value) for one in node.states.reports] == [
        ("KB1", "InstalledOther"),
        ("KB3", "Failed"),
    ]
