from __future__ import annotations

import pytest

from patching.policy_file import parse_policy
from tests.patching.policies import TODAY, bare, problems
from tests.rows import each_row

ROLE = "arn:aws:iam::123456789012:role/ops"


@each_row(
    ("settings", "expected"),
    [
        ("trusted: [ops]", "trusted.0: 'ops' is not the ARN of an IAM role or user, or of an account's root"),
        ("trusted: ['*']", "trusted.0: '*' is not the ARN of an IAM role or user"),
        ("trusted: ['arn:aws:iam::123456789012:role/*']", "trusted.0: 'arn:aws:iam::123456789012:role/*' is not"),
        ("trusted: ['arn:aws:iam::123456789012:group/ops']", "trusted.0: 'arn:aws:iam::123456789012:group/ops' is not"),
        (f"trusted: ['{ROLE}', '{ROLE}']", f"trusted.1: '{ROLE}' is in the list already; take one out"),
        (
            f"trusted: {[f'{ROLE}{number:060}' for number in range(20)]}",
            "trusted: 20 principals make a trust policy of 2,190 characters, but IAM takes 2,048; trust fewer",
        ),
        ("require_mfa: 'yes'", "require_mfa: found 'yes'; input should be a valid boolean"),
    ],
)
def test_a_rule_of_the_operators_is_named_at_its_key(settings: str, expected: str) -> None:
    (found,) = problems(bare(f"operators: {{{settings}}}"))
    assert found.startswith(f"p.yaml:6: operators.{expected}")


@pytest.mark.parametrize(
    "trusted",
    [
        [ROLE, "arn:aws:iam::123456789012:root", "arn:aws-cn:iam::123456789012:user/path/to/ann"],
        ["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_ops_0123456789abcdef"],
        [f"{ROLE}{number:060}" for number in range(18)],
    ],
)
def test_roles_users_and_accounts_may_be_trusted(trusted: list[str]) -> None:
    read = parse_policy(bare(f"operators: {{trusted: {trusted}}}"), today=TODAY)
    assert read.operators.trusted == trusted


@each_row(
    ("tags", "expected"),
    [
        ("{}", "6: hybrid.tags: dictionary should have at least 1 item"),
        ("{Role: web}", "6: hybrid.tags: no baseline has the patch group '': AWS would silently use its default"),
        ("{PatchGroup: db}", "6: hybrid.tags.PatchGroup: no baseline has the patch group 'db'"),
        (
            "{PatchGroup: web, Environment: lab}",
            "6: hybrid.tags.Environment: the tag Environment is set by environment",
        ),
        ("{PatchGroup: web, patchgroup: web}", "6: hybrid.tags.patchgroup: Patch Manager does not read the tag"),
        ("{PatchGroup: web, 'aws:x': y}", "6: hybrid.tags.aws:x: 'aws:x' is not a tag of yours"),
        (
            "{PatchGroup: web, " + ", ".join(f"t{number}: x" for number in range(49)) + "}",
            "6: hybrid.tags: 51 tags with those of tags and environment, but AWS takes 50",
        ),
    ],
)
def test_a_rule_of_the_activation_is_named_at_its_key(tags: str, expected: str) -> None:
    (found,) = problems(bare(f"hybrid: {{tags: {tags}}}"))
    assert found.startswith(f"p.yaml:{expected}")


@pytest.mark.parametrize(
    "tags",
    [
        "{PatchGroup: web}",
        "{Patch Group: web}",
        "{PatchGroup: web, Name: office}",
        "{PatchGroup: web, " + ", ".join(f"t{number}: x" for number in range(48)) + "}",
    ],
)
def test_an_activation_nearby_is_fine(tags: str) -> None:
    assert problems(bare(f"hybrid: {{tags: {tags}}}")) == []


def test_an_activation_without_a_group_may_get_the_policys_own_default() -> None:
    text = bare("hybrid: {tags: {Role: web}}").replace("patch_groups: [web]", "default: true")
    assert problems(text) == []
    assert parse_policy(text, today=TODAY).hybrid_tags == {"Role": "web", "Environment": "lab"}
