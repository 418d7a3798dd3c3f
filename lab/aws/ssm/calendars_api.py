"""Change Calendar: its one operation, and the documents that it is made of, which moto does not know."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import moto.ssm.models as ssm_models
from moto.core.utils import utcnow
from moto.ssm.exceptions import InvalidDocumentContent
from moto.ssm.models import Document, SimpleSystemManagerBackend

from lab.aws.ssm.operation import Reply, Request, operation, without_empty
from lab.engine import Engine
from lab.world.change_calendar import ChangeCalendar
from patching.schedule import point_in_time

_TEXT = "TEXT"
_check_format = ssm_models._validate_document_format  # noqa: SLF001
_content_as = SimpleSystemManagerBackend._get_document_content  # noqa: SLF001


def install() -> None:
    """Have moto keep documents that are plain text, as calendars are, for as long as the process lives."""
    ssm_models.Document = _document
    ssm_models._validate_document_format = lambda document_format: (  # noqa: SLF001
        None if document_format == _TEXT else _check_format(document_format)
    )
    SimpleSystemManagerBackend._get_document_content = staticmethod(_content)  # noqa: SLF001


class TextDocument(Document):
    """A version of a document whose content is no document of steps: a calendar."""

    def __init__(self, *, account_id: str, name: str, content: str, document_type: str, **more: Any) -> None:  # noqa: ANN401 moto's own signature
        try:
            ChangeCalendar(content)
        except ValueError as error:
            raise InvalidDocumentContent(f"The content for the document is not valid: {error}") from error
        self.name = name
        self.content = content
        self.document_type = document_type
        self.document_format = _TEXT
        self.version_name = more.get("version_name")
        self.document_version = more.get("document_version", "1")
        self.requires = more.get("requires")
        self.attachments = more.get("attachments")
        self.target_type = more.get("target_type")
        self.owner = account_id
        self.status = "Active"
        self.created_date = utcnow()
        self.schema_version = self.description = ""
        self.platform_types: list[str] = []
        self.parameter_list: list[Any] = []

    @property
    def hash(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(self.content.encode()).hexdigest()


def _document(**fields: Any) -> Document:  # noqa: ANN401 moto's own signature
    return TextDocument(**fields) if fields.get("document_format") == _TEXT else Document(**fields)


def _content(document_format: str, document: Document) -> str:
    return str(document.content if document.document_format == _TEXT else _content_as(document_format, document))


@operation
def get_calendar_state(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html."""
    names = list(request["CalendarNames"])
    at = point_in_time(request["AtTime"]) if request.get("AtTime") else engine.clock.now
    following = engine.calendars.next_transition(names, at)
    return without_empty(
        {
            "State": "CLOSED" if engine.calendars.closed(names, at) else "OPEN",
            "AtTime": _iso(at),
            "NextTransitionTime": _iso(following) if following else None,
        }
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
