"""What else a template has: documents, subscriptions, rules, alarms, networks, nodes and output, in aspects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from patching.template_rules.assembly import Resource, listed
from review.aspects import Aspect
from review.facts import Facts, identity
from review.model import Area, Weight

ANYWHERE = ("0.0.0.0/0", "::/0")
_BLOCKS = 4
"""Switches of a bucket's public access block."""
AREAS = {
    "AWS::EC2::Instance": Area.NODES,
    "AWS::IAM::InstanceProfile": Area.PERMISSION,
    "AWS::IAM::Role": Area.PERMISSION,
    "AWS::IAM::ManagedPolicy": Area.PERMISSION,
    "AWS::IAM::Policy": Area.PERMISSION,
    "AWS::S3::BucketPolicy": Area.PERMISSION,
    "AWS::SNS::TopicPolicy": Area.PERMISSION,
    "AWS::SQS::QueuePolicy": Area.PERMISSION,
    "AWS::Lambda::Permission": Area.PERMISSION,
    "AWS::KMS::Key": Area.OUTPUT,
    "AWS::KMS::Alias": Area.OUTPUT,
    "AWS::S3::Bucket": Area.OUTPUT,
    "AWS::Logs::LogGroup": Area.OUTPUT,
    "AWS::SSM::PatchBaseline": Area.BASELINE,
    "AWS::SSM::Association": Area.ASSOCIATION,
    "AWS::SSM::Document": Area.DOCUMENT,
}
_AREAS_BY_SERVICE = {
    "SNS": Area.NOTIFICATION,
    "Events": Area.NOTIFICATION,
    "CloudWatch": Area.NOTIFICATION,
    "EC2": Area.NETWORK,
    "IAM": Area.PERMISSION,
}
_NOUNS = {
    "AWS::SSM::Document": "document",
    "AWS::SNS::Topic": "topic",
    "AWS::SNS::Subscription": "subscription",
    "AWS::Events::Rule": "event rule",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::S3::Bucket": "bucket",
    "AWS::KMS::Key": "key",
    "AWS::KMS::Alias": "key alias",
    "AWS::Logs::LogGroup": "log group",
    "AWS::EC2::Instance": "node",
    "AWS::EC2::SecurityGroup": "security group",
    "AWS::EC2::VPCEndpoint": "endpoint",
    "AWS::IAM::Role": "role",
    "AWS::IAM::ManagedPolicy": "policy",
    "AWS::SSM::PatchBaseline": "baseline",
    "AWS::SSM::Association": "association",
    "AWS::SSM::MaintenanceWindow": "window",
}


_NAMED_BY = {
    "AWS::SSM::Document": "Name",
    "AWS::SSM::PatchBaseline": "Name",
    "AWS::SSM::MaintenanceWindow": "Name",
    "AWS::SSM::Association": "AssociationName",
}


def area(kind: str) -> Area:
    """Return what a change of a resource of this type is about."""
    service = kind.split("::")[1] if kind.count("::") > 1 else ""
    return AREAS.get(kind) or _AREAS_BY_SERVICE.get(service, Area.OTHER)


def noun(kind: str) -> str:
    """Return what people call a type of resource."""
    return _NOUNS.get(kind) or kind.removeprefix("AWS::").replace("::", " ")


def title(facts: Facts, one: Resource) -> str:
    """Return what people call a resource."""
    if one.type == "AWS::SNS::Subscription":
        return f"subscription of {facts.shown(one.properties.get('Endpoint'))} by {one.properties.get('Protocol')}"
    key = _NAMED_BY.get(one.type)
    if key and one.properties.get(key):
        return f"{noun(one.type)} {facts.whole.short(facts.shown(one.properties[key]))}"
    label = facts.label(one)
    return label if label.casefold() == noun(one.type) else f"{noun(one.type)} {label}"


def of_resource(facts: Facts, one: Resource) -> Iterator[Aspect]:
    """Yield what can be said of a resource that is no window, association, baseline or policy."""
    say = _WORDS.get(one.type)
    if say:
        yield from say(facts, one)


def _of_document(facts: Facts, one: Resource) -> Iterator[Aspect]:
    content: Any = one.properties.get("Content")
    steps = content.get("mainSteps") if isinstance(content, Mapping) else None
    named = [facts.shown(step.get("name")) for step in steps or [] if isinstance(step, Mapping)]
    words = f"the steps {', '.join(named)}" if named else "what its content says"
    yield Aspect(
        *("steps", words, "Runs {} on nodes", "runs {new} instead of {old}", Area.DOCUMENT, Weight.CAUTION), silent=True
    )
    whole = json.dumps(content, sort_keys=True, default=str)
    yield Aspect(
        *("content", whole, "{}", "does something else on nodes: read its raw difference"),
        *(Area.DOCUMENT, Weight.CAUTION),
        _of(one, "Content"),
        silent=True,
    )


def _of_rule(facts: Facts, one: Resource) -> Iterator[Aspect]:
    pattern: Any = one.properties.get("EventPattern") or {}
    pattern = pattern if isinstance(pattern, Mapping) else {}
    detail: Any = pattern.get("detail") or {}
    kinds = ", ".join(facts.shown(kind) for kind in listed(pattern.get("detail-type"))) or "events"
    status = detail.get("status") if isinstance(detail, Mapping) else None
    states = f" ({', '.join(facts.shown(state) for state in listed(status))})" if status else ""
    targets = [facts.shown(to.get("Arn")) for to in one.listed("Targets") if isinstance(to, Mapping)]
    yield Aspect(
        *("events", f"{kinds}{states}", "Tells of {}", "tells of {new} instead of {old}"),
        *(Area.NOTIFICATION, Weight.CAUTION),
    )
    yield Aspect(
        *("to", ", ".join(targets) or "nobody", "Tells {}", "tells {new} instead of {old}"),
        *(Area.NOTIFICATION, Weight.CAUTION),
        silent=True,
    )


def _of_subscription(facts: Facts, one: Resource) -> Iterator[Aspect]:
    who = f"{facts.shown(one.properties.get('Endpoint'))} by {one.properties.get('Protocol')}"
    yield Aspect(
        *("who", who, "Tells {}", "tells {new} instead of {old}", Area.NOTIFICATION, Weight.CAUTION),
        _of(one, "Endpoint", "Protocol"),
    )


def _of_bucket(_: Facts, one: Resource) -> Iterator[Aspect]:
    rules: Any = one.properties.get("LifecycleConfiguration") or {}
    rules = listed(rules.get("Rules")) if isinstance(rules, Mapping) else []
    days = [rule.get("ExpirationInDays") for rule in rules if isinstance(rule, Mapping) and "ExpirationInDays" in rule]
    keeps = f"{days[0]} days" if days else "for good"
    yield Aspect(
        *("retention", keeps, "Keeps what is in it {}"),
        *("keeps what is in it {new} instead of {old}; what is older is deleted", Area.OUTPUT, Weight.CAUTION),
        _of(one, "LifecycleConfiguration"),
    )
    public: Any = one.properties.get("PublicAccessBlockConfiguration") or {}
    switches = list(public.values()) if isinstance(public, Mapping) else []
    blocked = len(switches) == _BLOCKS and all(str(on).lower() == "true" for on in switches)
    yield Aspect(
        *("public", "blocks public access" if blocked else "does not block public access", "It {}"),
        *("{new}; before, it {old}", Area.OUTPUT, Weight.DANGER),
        _of(one, "PublicAccessBlockConfiguration"),
    )


def _of_log_group(_: Facts, one: Resource) -> Iterator[Aspect]:
    days = one.properties.get("RetentionInDays")
    keeps = f"{days} days" if days else "for good"
    yield Aspect(
        *("retention", keeps, "Keeps what is in it {}"),
        *("keeps what is in it {new} instead of {old}; what is older is deleted", Area.OUTPUT, Weight.CAUTION),
        _of(one, "RetentionInDays"),
    )


def _of_security_group(facts: Facts, one: Resource) -> Iterator[Aspect]:
    for key, verb, names in (
        ("SecurityGroupIngress", "lets in", ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId")),
        ("SecurityGroupEgress", "lets out", ("CidrIp", "CidrIpv6", "DestinationSecurityGroupId")),
    ):
        rules = [_traffic(facts, rule, names) for rule in one.listed(key) if isinstance(rule, Mapping)]
        words = f"{verb} {'; '.join(rules) or 'nothing'}"
        everybody = key.endswith("Ingress") and any(place in words for place in ANYWHERE)
        yield Aspect(
            *(key, words, "{}", "now {new} (before: {old})", Area.NETWORK),
            *(Weight.DANGER if everybody else Weight.CAUTION, _of(one, key)),
        )


def _of_ingress(facts: Facts, one: Resource) -> Iterator[Aspect]:
    names = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId")
    words = f"{_traffic(facts, one.properties, names)} into {facts.shown(one.properties.get('GroupId'))}"
    everybody = any(place in words for place in ANYWHERE)
    yield Aspect(
        *("ingress", words, "Lets {}", "lets {new} instead of {old}", Area.NETWORK),
        Weight.DANGER if everybody else Weight.CAUTION,
    )


def _traffic(facts: Facts, rule: Mapping[str, Any], names: tuple[str, ...]) -> str:
    protocol = str(rule.get("IpProtocol", "-1"))
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = "" if first is None else f" {first}" if first == last else f" {first} to {last}"
    where = next((facts.shown(rule[name]) for name in names if name in rule), "?")
    return f"{'everything' if protocol == '-1' else protocol}{ports} ({where})"


def _of_node(facts: Facts, one: Resource) -> Iterator[Aspect]:
    tags = [
        f"{tag.get('Key')}={facts.shown(tag.get('Value'))}" for tag in one.listed("Tags") if isinstance(tag, Mapping)
    ]
    yield Aspect(
        *("tags", ", ".join(sorted(tags)), "Has the tags {}", "has the tags {new} instead of {old}"),
        *(Area.NODES, Weight.CAUTION),
        _of(one, "Tags"),
        silent=True,
    )
    for key, what in (("InstanceType", "instance type"), ("ImageId", "image")):
        yield Aspect(
            *(key, facts.shown(one.properties.get(key)), f"Is of the {what} {{}}"),
            *(f"is of the {what} {{new}} instead of {{old}}", Area.NODES, Weight.CAUTION),
            _of(one, key),
        )


def _of(one: Resource, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((identity(one), name) for name in names)


_WORDS = {
    "AWS::SSM::Document": _of_document,
    "AWS::Events::Rule": _of_rule,
    "AWS::SNS::Subscription": _of_subscription,
    "AWS::S3::Bucket": _of_bucket,
    "AWS::Logs::LogGroup": _of_log_group,
    "AWS::EC2::SecurityGroup": _of_security_group,
    "AWS::EC2::SecurityGroupIngress": _of_ingress,
    "AWS::EC2::Instance": _of_node,
}
