"""Systems Manager: the lab's operations and those of moto, which all take only what the service's own model has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

import botocore.session
from botocore.model import OperationModel, ServiceModel
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ssm.exceptions import SSMException
from moto.ssm.responses import SimpleSystemManagerResponse
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from lab.aws.account import own_documents
from lab.aws.account.plane import Plane
from lab.aws.requests.calls import Call, call_of
from lab.aws.requests.faults import App
from lab.aws.ssm import (  # noqa: F401 importing them registers their operations
    activations_api,
    associations_api,
    automation_api,
    available_patches_api,
    calendars_api,
    commands_api,
    compliance_api,
    data_sync_api,
    documents_api,
    inventory_api,
    nodes_api,
    patches_api,
    tags_api,
    window_executions_api,
    window_tasks_api,
    windows_api,
)
from lab.aws.ssm.operation import OPERATIONS, Operation, Reply, Request
from lab.aws.ssm.page_token import ASKED, Asked, issue, place
from lab.aws.ssm.request_check import parse
from lab.aws.ssm.wire import Inbound, Refused, failure, success
from lab.records.documents import AwsDocument, owned_by_aws
from lab.world.errors import ApiError
from patching.errors import InvalidValueError

Answer = Callable[[SimpleSystemManagerResponse, Request], ActionResult]
T = TypeVar("T")
_OF_AWS: dict[str, Callable[[AwsDocument, Request], Reply]] = {
    "DescribeDocument": documents_api.describe,
    "DescribeDocumentPermission": documents_api.not_owned,
    "GetDocument": documents_api.content,
    "ListDocumentVersions": documents_api.versions,
    "ModifyDocumentPermission": documents_api.not_owned,
    "UpdateDocumentDefaultVersion": documents_api.not_owned,
}
"""What the lab answers of AWS's documents; of the account's own it is moto that knows."""

_ADDED = ("ListDocuments", "ListDocumentVersions", "ModifyDocumentPermission")
"""What is answered here, of AWS's documents and the account's own together."""

_OF_MOTO = frozenset(name for name in dir(SimpleSystemManagerResponse) if not name.startswith("_"))
_SHARE = SimpleSystemManagerResponse.modify_document_permission


def operations() -> dict[str, bool]:
    """Return the operations of the service model, each with whether it is emulated; the others are refused."""
    return {
        name: _snake(name) in OPERATIONS or _snake(name) in _OF_MOTO or name in _ADDED
        for name in _model().operation_names
    }


class SystemsManager:
    """Systems Manager: what the lab answers itself, and what it leaves to moto, all held against the service's model.

    It changes moto for as long as the process lives.

    Args:
        plane: the lab.
        moto: answers what the lab does not.
    """

    def __init__(self, plane: Plane, moto: App) -> None:
        self._plane = plane
        self._moto = moto
        names = _model().operation_names
        self._own = {name: OPERATIONS[_snake(name)] for name in names if _snake(name) in OPERATIONS}
        self._names = frozenset(names)
        _install(plane)

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        """Answer a request that is signed for Systems Manager."""
        inbound, call = Inbound(environ), call_of(environ)
        problem = inbound.problem(self._names)
        if problem:
            return failure(problem)(environ, start_response)
        if call.operation not in self._own:
            return self._moto(environ, start_response)
        return self._answer(call, inbound.body)(environ, start_response)

    def _answer(self, call: Call, body: bytes) -> Response:
        """Answer without moto in between, which takes many times as long as most answers do."""
        shape = _operation_model(call.operation).input_shape
        try:
            with self._plane.engine(call.region) as engine:
                ASKED.set(Asked(call.operation, engine.clock.now))
                reply = self._own[call.operation](engine, parse(body, call.operation, shape))
        except ApiError as error:
            return failure(error, _message_member(error.code))
        except InvalidValueError as error:
            return failure(ApiError("ValidationException", str(error)))
        return success(reply)


def _install(plane: Plane) -> None:
    calendars_api.install()
    own_documents.install(plane)
    for name in _model().operation_names:
        snake = _snake(name)
        if snake in OPERATIONS:
            continue
        answer: Answer
        if snake == "list_documents":
            answer = _list_documents
        elif snake == "list_document_versions":
            answer = _document_answer(name, _list_document_versions)
        elif snake == "modify_document_permission":
            answer = _document_answer(name, _modify_document_permission)
        elif snake in _OF_MOTO:
            answer = _of_moto(getattr(SimpleSystemManagerResponse, snake))
            answer = _document_answer(name, answer) if name in _OF_AWS else answer
            if name in tags_api.OPERATIONS:
                answer = _tag_answer(answer, _of_the_lab(plane, tags_api.OPERATIONS[name]))
        else:
            setattr(SimpleSystemManagerResponse, snake, _not_there(name))
            continue
        setattr(SimpleSystemManagerResponse, snake, _checked(plane, name, answer))


def _message_member(code: str) -> str:
    """Return the member of an error's shape that has its message."""
    shape: Any = _model().shape_for_error_code(code)  # type: ignore[arg-type]  # codes are text
    return "Message" if shape and "Message" in shape.members else "message"


@lru_cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ssm")


@lru_cache
def _operation_model(name: str) -> OperationModel:
    return _model().operation_model(name)


def _snake(name: str) -> str:
    return str(camelcase_to_underscores(name))


def _checked(plane: Plane, name: str, answer: Answer) -> Callable[[SimpleSystemManagerResponse], ActionResult]:
    """Hold a request against the service model before it is answered."""

    def checked(response: SimpleSystemManagerResponse) -> ActionResult:
        ASKED.set(Asked(name, plane.now()))
        try:
            request = parse(response.body or "", name, _operation_model(name).input_shape)
        except ApiError as error:
            raise Refused(error) from error
        return answer(response, request)

    return checked


def _of_the_lab(plane: Plane, function: Operation) -> Answer:
    def answer(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
        with plane.engine(response.region) as engine:
            return ActionResult(service_errors(lambda: function(engine, request)))

    return answer


def _tag_answer(original: Answer, own: Answer) -> Answer:
    """Answer for what the lab keeps, and leave the tags of documents and parameters to moto."""

    def answer(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
        kept = request["ResourceType"] in tags_api.KEPT_BY_MOTO
        return original(response, request) if kept else own(response, request)

    return answer


def _of_moto(original: Callable[[SimpleSystemManagerResponse], ActionResult]) -> Answer:
    """Answer as moto does, with tokens that are the lab's own: moto's are plain numbers, and any text will do."""

    def answer(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
        if "NextToken" in request:
            start = service_errors(lambda: {"start": place(request["NextToken"])})["start"]
            request = {**request, "NextToken": str(start)}
        response.body = json.dumps(request)
        reply = _by_moto(lambda: original(response))
        following = reply.result.get("NextToken") if isinstance(reply.result, dict) else None
        return ActionResult({**reply.result, "NextToken": issue(int(following))}) if following else reply

    return answer


def service_errors(make: Callable[[], Reply]) -> Reply:
    """Turn the engine's errors, and those of the domain, into errors that moto knows how to send."""
    try:
        return make()
    except ApiError as error:
        if error.code == "SerializationException":
            raise Refused(error) from error
        raise SSMException(error.code, error.message) from error
    except InvalidValueError as error:
        raise SSMException("ValidationException", str(error)) from error


def _by_moto(call: Callable[[], T]) -> T:
    """Call moto's own code; what that does not expect is no reason for an internal error of the service."""
    try:
        return call()
    except (ServiceException, HTTPException):
        raise
    except Exception as error:
        problem = f"The local AWS cannot answer this: {type(error).__name__}: {error}"
        raise SSMException("ValidationException", problem) from error


def _document_answer(name: str, original: Answer) -> Answer:
    """Answer for AWS's documents, and leave the account's own to moto."""

    def answer(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
        document = owned_by_aws().get(str(request.get("Name", "")).rpartition("/")[2])
        if document is None:
            return original(response, request)
        return ActionResult(service_errors(lambda: _OF_AWS[name](document, request)))

    return answer


def _list_documents(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
    return ActionResult(service_errors(lambda: documents_api.list_documents(response.ssm_backend, request)))


def _list_document_versions(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
    return ActionResult(service_errors(lambda: documents_api.own_versions(response.ssm_backend, request)))


def _modify_document_permission(response: SimpleSystemManagerResponse, request: Request) -> ActionResult:
    service_errors(lambda: documents_api.check_sharing(request))
    return _of_moto(_SHARE)(response, request)


def _not_there(name: str) -> Callable[[SimpleSystemManagerResponse], ActionResult]:
    def answer(response: SimpleSystemManagerResponse) -> ActionResult:  # noqa: ARG001 moto calls it as a method
        raise SSMException("UnsupportedOperationException", f"The local AWS does not emulate ssm:{name}.")

    return answer
