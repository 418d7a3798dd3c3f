"""What the resources have in common that the lab adds to moto's CloudFormation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError

from lab.aws.account.plane import Plane
from lab.world.errors import ApiError

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
    except (ApiError, ValueError) as error:
        message = error.message if isinstance(error, ApiError) else str(error)
        raise ValidationError(message=f"Resource handler returned message: {what}: {message}") from error
    except KeyError as error:
        raise ValidationError(message=f"Resource handler returned message: {what}: {error} is required") from error


def refuse_same_name(old: Properties, new: Properties, name_property: str) -> None:
    """Refuse to replace a resource by one of the same name, as there would be two for a while.

    Raises:
        ValidationError: the template gave it this name, and still does.
    """
    name = old.get(name_property)
    if name and name == new.get(name_property):
        raise ValidationError(
            message="CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {name} and update the stack again."
        )


class Resource:
    """What the resources of the lab have in common.

    It is no subclass of moto's class, or moto would take it for a resource; the resources are subclasses of both.
    """

    type_name: ClassVar[str] = ""
    replaces_on: ClassVar[frozenset[str]] = frozenset()
    """Properties whose change makes a new resource."""

    name_property: ClassVar[str] = ""
    """Property that gives it a name of its own; a named resource cannot be replaced."""

    deleted_last: ClassVar[bool] = True
    """Whether a resource that is replaced is still there, for `stack_changes` to delete."""

    attributes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, physical_id: str, properties: Properties, account_id: str, region: str) -> None:
        self._physical_id = physical_id
        self.properties = properties
        self.account_id = account_id
        self.region = region

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.name_property

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
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401, ARG003 moto's own signature
    ) -> Resource:
        return cls._made(resource_name, cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def _made(cls, name: str, properties: Properties, account_id: str, region: str) -> Resource:
        """Make it, under the name that moto has thought of where the template gives it none."""
        named = {cls.name_property: name, **properties} if cls.name_property else properties
        resource = made(cls.type_name, lambda: cls.create(named, account_id, region))
        resource.properties = properties
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Resource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Resource:
        properties = cloudformation_json["Properties"]
        old = original_resource.properties
        if any(old.get(key) != properties.get(key) for key in cls.replaced_by(properties)):
            refuse_same_name(old, properties, cls.name_property)
            return cls._made(new_resource_name, properties, account_id, region_name)
        made(cls.type_name, lambda: original_resource.change(properties))
        original_resource.properties = properties
        return original_resource

    @classmethod
    def replaced_by(cls, properties: Properties) -> frozenset[str]:  # noqa: ARG003 for those whose properties decide
        """Return the properties whose change makes a new resource."""
        return cls.replaces_on

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
