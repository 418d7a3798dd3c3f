"""What the resources have in common that the lab adds to moto's CloudFormation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError

from lab.aws.plane import Plane
from lab.errors import ApiError
from patching.errors import InvalidValueError

T = TypeVar("T")
Properties = dict[str, Any]
PARTITION = "aws"

plane: Plane
"""Where the resources are made; `install` sets it before the server takes a request."""


def install(to: Plane) -> None:
    """Have the resources of templates made in this plane."""
    global plane  # noqa: PLW0603 moto makes the resources from classes that it finds by itself
    plane = to


def made(what: str, make: Callable[[], T]) -> T:
    """Make something, and say like CloudFormation why it could not be made."""
    try:
        return make()
    except (ApiError, InvalidValueError) as error:
        message = error.message if isinstance(error, ApiError) else str(error)
        raise ValidationError(message=f"Resource handler returned message: {what}: {message}") from error
    except KeyError as error:
        raise ValidationError(message=f"Resource handler returned message: {what}: {error} is required") from error


class Resource:
    """What the resources of the lab have in common.

    It is no subclass of moto's class, or moto would take it for a resource; the resources are subclasses of both.
    """

    type_name: ClassVar[str] = ""
    replaces_on: ClassVar[frozenset[str]] = frozenset()
    """Properties whose change makes a new resource."""

    attributes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, physical_id: str, properties: Properties, account_id: str, region: str) -> None:
        self._physical_id = physical_id
        self.properties = properties
        self.account_id = account_id
        self.region = region

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type_name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    @property
    def physical_resource_id(self) -> str:
        return self._physical_id

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401, ARG002 moto's own signature
        raise UnformattedGetAttTemplateException

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 moto's own signature
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401, ARG003
    ) -> Resource:
        properties = cloudformation_json["Properties"]
        return made(cls.type_name, lambda: cls.create(properties, account_id, region_name))

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Resource,
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Resource:
        properties = cloudformation_json["Properties"]
        old = original_resource.properties
        if any(old.get(key) != properties.get(key) for key in cls.replaces_on):
            new = made(cls.type_name, lambda: cls.create(properties, account_id, region_name))
            original_resource.delete(account_id, region_name)
            return new
        made(cls.type_name, lambda: original_resource.change(properties))
        original_resource.properties = properties
        return original_resource

    @classmethod
    @abstractmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        """Make it as a template wants it."""

    @abstractmethod
    def change(self, properties: Properties) -> None:
        """Change it to what a template wants now."""

    @abstractmethod
    def delete(self, account_id: str, region_name: str) -> None:
        """Delete it."""
