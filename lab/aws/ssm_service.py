"""Puts the lab's operations into moto's Systems Manager, and checks what comes in against the service's own model."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ssm.exceptions import SSMException
from moto.ssm.responses import SimpleSystemManagerResponse

from lab.aws import (  # noqa: F401 importing them registers their operations
    associations_api,
    available_patches_api,
    calendars_api,
    commands_api,
    compliance_api,
    documents_api,
    nodes_api,
    own_documents,
    patches_api,
    windows_api,
)
from lab.aws.operation import OPERATIONS, Operation, Reply, page
from lab.aws.plane import Plane
from lab.documents import AwsDocument, owned_by_aws
from lab.errors import ApiError
from patching.errors import InvalidValueError

_OWN_DOCUMENTS = ("describe_document", "get_document", "describe_document_permission")


def install(plane: Plane) -> None:
    """Have moto's server answer the lab's operations, for as long as the process lives."""
    calendars_api.install()
    names = {_snake(name): name for name in _model().operation_names}
    for snake, function in OPERATIONS.items():
        setattr(SimpleSystemManagerResponse, snake, _answer(plane, names[snake], function))
    for snake in _OWN_DOCUMENTS:
        original = getattr(SimpleSystemManagerResponse, snake)
        setattr(SimpleSystemManagerResponse, snake, _document_answer(names[snake], original))
    SimpleSystemManagerResponse.list_documents = _list_documents
    own_documents.install(plane)
    implemented = set(dir(SimpleSystemManagerResponse))
    for snake, name in names.items():
        if snake not in implemented:
            setattr(SimpleSystemManagerResponse, snake, _not_there(name))


@lru_cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ssm")


@lru_cache
def _operation_model(name: str) -> OperationModel:
    return _model().operation_model(name)


def _snake(name: str) -> str:
    return str(camelcase_to_underscores(name))


def _request(response: SimpleSystemManagerResponse, name: str) -> dict[str, Any]:
    """Return the input of an operation, if it has the shape that the service model gives it."""
    try:
        request = json.loads(response.body or "{}")
    except ValueError as error:
        raise SSMException("SerializationException", "The request is not JSON.") from error
    shape = _operation_model(name).input_shape
    if not isinstance(request, dict):
        raise SSMException("SerializationException", "The request is not a JSON object.")
    if shape is None:
        return {}
    unknown = sorted(set(request) - set(shape.members))
    if unknown:
        raise SSMException("ValidationException", f"{name} has no parameter {', '.join(unknown)}.")
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise SSMException("ValidationException", " ".join(report.generate_report().split()))
    return request


def _answer(plane: Plane, name: str, function: Operation) -> Callable[[SimpleSystemManagerResponse], ActionResult]:
    def answer(response: SimpleSystemManagerResponse) -> ActionResult:
        request = _request(response, name)
        with plane.engine(response.region) as engine:
            return ActionResult(service_errors(lambda: function(engine, request)))

    return answer


def service_errors(make: Callable[[], Reply]) -> Reply:
    """Turn the engine's errors, and those of the domain, into errors that moto knows how to send."""
    try:
        return make()
    except ApiError as error:
        raise SSMException(error.code, error.message) from error
    except InvalidValueError as error:
        raise SSMException("ValidationException", str(error)) from error


def _document_answer(
    name: str, original: Callable[[SimpleSystemManagerResponse], ActionResult]
) -> Callable[[SimpleSystemManagerResponse], ActionResult]:
    """Answer for AWS's documents, and leave the account's own to moto."""
    tell: dict[str, Callable[[AwsDocument], Reply]] = {
        "DescribeDocument": documents_api.describe,
        "GetDocument": documents_api.content,
    }

    def answer(response: SimpleSystemManagerResponse) -> ActionResult:
        request = _request(response, name)
        document = owned_by_aws().get(str(request.get("Name", "")).rpartition("/")[2])
        if document is None:
            return original(response)
        if name == "DescribeDocumentPermission":
            # Only the owner of a document may ask whom it is shared with.
            raise SSMException("InvalidDocument", f"Document {document.name} is not owned by this account.")
        version = request.get("DocumentVersion", "$DEFAULT")
        if version not in ("$DEFAULT", "$LATEST", document.version):
            raise SSMException("InvalidDocumentVersion", f"Document {document.name} has no version {version}.")
        return ActionResult(tell[name](document))

    return answer


def _list_documents(response: SimpleSystemManagerResponse) -> ActionResult:
    """List AWS's documents and the account's own, which moto keeps."""
    request = _request(response, "ListDocuments")
    own, _ = response.ssm_backend.list_documents(
        document_filter_list=request.get("DocumentFilterList"),
        filters=request.get("Filters"),
        max_results=1_000_000,
        token="0",  # noqa: S106 a place in a list
    )
    return ActionResult(
        service_errors(lambda: page(request, "DocumentIdentifiers", [*documents_api.identifiers(request), *own], 10))
    )


def _not_there(name: str) -> Callable[[SimpleSystemManagerResponse], ActionResult]:
    def answer(response: SimpleSystemManagerResponse) -> ActionResult:  # noqa: ARG001 moto calls it as a method
        raise SSMException("UnsupportedOperationException", f"The local AWS does not emulate ssm:{name}.")

    return answer
