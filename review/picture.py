"""The parts that are deployed and how they are tied: what runs when, on which nodes, where output goes, who is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from patching.baseline_words import system_in_words
from patching.schedule_words import joined, when
from patching.template_rules.assembly import Resource, listed, texts
from review.facts import Facts, identity
from review.model import Effect, Node, Picture, ResourceChange, Tie
from review.patching_facts import NodeAssociation, Sent, Window

COLUMNS = ("When", "What runs", "Nodes and baselines", "Output and events", "Topic", "Who is told")
_WHEN, _WHAT, _NODES, _OUTPUT, _TOPICS, _TOLD = range(len(COLUMNS))
_TOPIC = "AWS::SNS::Topic"
_MORE = re.compile(r" (?:and|or) ")


class _Drawing:
    """Nodes and ties, each once, and those of parts that change marked."""

    def __init__(self, changes: Mapping[str, str]) -> None:
        self._changes = changes
        self.nodes: dict[str, Node] = {}
        self.ties: dict[tuple[str, str], list[str]] = {}

    def node(self, id: str, column: int, kind: str, label: str, detail: str = "") -> str:  # noqa: A002 the field's name
        if id not in self.nodes:
            change = self._changes.get(id, "")
            self.nodes[id] = Node(id=id, label=label, detail=detail, kind=kind, column=column, change=change)
        return id

    def tie(self, source: str, target: str, label: str) -> None:
        labels = self.ties.setdefault((source, target), [])
        if label not in labels:
            labels.append(label)


def picture(facts: Facts, resources: Iterable[ResourceChange]) -> Picture:
    """Return the picture of an environment."""
    changes = {one.id: str(one.effect) for one in resources if one.effect is not Effect.REMOVED}
    drawing = _Drawing(changes)
    for window in facts.windows:
        _window(facts, drawing, window)
    for association in facts.associations:
        _association(facts, drawing, association)
    _baselines(facts, drawing)
    _telling(facts, drawing)
    ties = tuple(Tie(source=a, target=b, label=joined(labels)) for (a, b), labels in drawing.ties.items())
    return Picture(columns=COLUMNS, nodes=tuple(drawing.nodes.values()), ties=ties)


def _window(facts: Facts, drawing: _Drawing, window: Window) -> None:
    detail = f"{when(window.schedule)}, {window.schedule.timezone}" if window.schedule else window.expression
    own = drawing.node(identity(window.resource), _WHEN, "window", window.name, detail)
    for task in window.tasks:
        _sent(facts, drawing, own, task.sent)
        if task.notified[0]:
            drawing.tie(own, _topic(facts, drawing, task.notified[0]), f"tells of {task.notified[1]}")


def _association(facts: Facts, drawing: _Drawing, one: NodeAssociation) -> None:
    detail = f"{when(one.schedule)}, UTC" if one.schedule else "when it is deployed"
    own = drawing.node(identity(one.resource), _WHEN, "association", one.name, detail)
    _sent(facts, drawing, own, one.sent)


def _sent(facts: Facts, drawing: _Drawing, own: str, sent: Sent) -> None:
    name = facts.whole.short(sent.document)
    what = drawing.node(f"run/{sent.document}/{sent.operation}", _WHAT, "document", name, _does(sent))
    drawing.tie(own, what, f"sends, as {sent.role}" if sent.role else "sends")
    tags = sent.targets.replace("nodes with ", "")
    first = _MORE.split(tags, maxsplit=1)[0]
    rest = tags.removeprefix(first).strip()
    nodes = drawing.node(f"nodes/{sent.targets}", _NODES, "nodes", first, rest)
    drawing.tie(what, nodes, "runs on")
    if sent.patching and sent.patching.hooks:
        for hook in vars(sent.patching.hooks).values():
            if hook != "AWS-Noop":
                other = drawing.node(f"run/{hook}/", _WHAT, "document", facts.whole.short(hook), "a hook")
                drawing.tie(own, other, "runs as a hook")
    command = sent.command
    bucket = facts.assembly.find(command.bucket, "AWS::S3::Bucket")
    if bucket:
        drawing.tie(nodes, _bucket(facts, drawing, bucket), "writes output")
    log = facts.assembly.find(command.log_group, "AWS::Logs::LogGroup")
    if log:
        id = drawing.node(identity(log), _OUTPUT, "output", facts.label(log), "log group")  # noqa: A001 the field's name
        drawing.tie(nodes, id, "writes output")


def _does(sent: Sent) -> str:
    return f"{sent.patching.operation.lower()}s" if sent.patching else ""


def _bucket(facts: Facts, drawing: _Drawing, bucket: Resource) -> str:
    return drawing.node(identity(bucket), _OUTPUT, "output", facts.label(bucket), "bucket, encrypted")


def _baselines(facts: Facts, drawing: _Drawing) -> None:
    for one in facts.baselines:
        system = system_in_words(one.content.operating_system) if one.content else "baseline"
        groups = (
            f"patch group{'s' if len(one.groups) > 1 else ''} {joined(list(one.groups))}" if one.groups else "default"
        )
        drawing.node(identity(one.resource), _NODES, "baseline", one.name, f"{system}: {groups}")


def _topic(facts: Facts, drawing: _Drawing, label: str) -> str:
    topic = next((one for one in facts.assembly.of(_TOPIC) if facts.label(one) == label), None)
    if topic is None:
        return drawing.node(f"topic/{label}", _TOPICS, "topic", label, "topic elsewhere")
    return drawing.node(identity(topic), _TOPICS, "topic", label, "topic")


def _telling(facts: Facts, drawing: _Drawing) -> None:
    for one in facts.assembly.of("AWS::Events::Rule"):
        pattern: Any = one.properties.get("EventPattern") or {}
        kinds = listed(pattern.get("detail-type")) if isinstance(pattern, Mapping) else []
        targets = [
            facts.assembly.find(to.get("Arn"), _TOPIC) for to in one.listed("Targets") if isinstance(to, Mapping)
        ]
        own = drawing.node(identity(one), _OUTPUT, "rule", facts.label(one), ", ".join(map(facts.shown, kinds)))
        for topic in [one for one in targets if one is not None]:
            drawing.tie(own, _topic(facts, drawing, facts.label(topic)), "tells")
    for one in facts.assembly.of("AWS::CloudWatch::Alarm"):
        own = drawing.node(
            identity(one), _OUTPUT, "alarm", facts.label(one), facts.shown(one.properties.get("MetricName"))
        )
        for topic in _topics(facts, one.listed("AlarmActions")):
            drawing.tie(own, _topic(facts, drawing, facts.label(topic)), "tells")
    for one in facts.assembly.of("AWS::SNS::Subscription"):
        source = facts.assembly.find(one.properties.get("TopicArn"), _TOPIC)
        endpoint = facts.shown(one.properties.get("Endpoint"))
        own = drawing.node(
            identity(one), _TOLD, "subscriber", endpoint, f"by {facts.shown(one.properties.get('Protocol'))}"
        )
        if source:
            drawing.tie(_topic(facts, drawing, facts.label(source)), own, "is told")


def _topics(facts: Facts, values: Iterable[Any]) -> Iterator[Resource]:
    for text in texts(values):
        found = facts.assembly.find(text, _TOPIC)
        if found:
            yield found
