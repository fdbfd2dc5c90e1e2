"""Settings from environment variables, read once at the start through pydantic-settings.

    environment --> model of pydantic-settings, made of the annotated fields --> frozen dataclass

A settings class is a frozen, slotted dataclass, so that hot code reads plain attributes and tests build one without an
environment. A field that a variable sets is annotated with `Variable`; its type carries the rule and, as `Expected`,
the words for the rule. Fields without `Variable` keep their default.

Every variable begins with `URUMI_`. Older names without the prefix are accepted with a warning in the log; where both
are set, the new name wins and the warning says so.
"""

from __future__ import annotations

import logging
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import pydantic
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance
    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource

    SettingsT = TypeVar("SettingsT", bound=DataclassInstance)

PREFIX = "URUMI_"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Variable:
    """The variable that sets a field; `old_name` is the name that it had before all variables got the prefix."""

    name: str
    old_name: str = ""

    def name_in(self, environ: Mapping[str, str]) -> str:
        """Return the name under which an environment sets the variable; the new name where it sets neither."""
        return self.old_name if self.old_name in environ and self.name not in environ else self.name


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that a field accepts, in words that follow `must be`."""

    text: str


class Unexpected(ValueError):
    """Raised by a validator with the part of a value that is wrong."""


def prefixed(name: str) -> Variable:
    """Return the variable of a setting whose older name has no prefix."""
    return Variable(PREFIX + name, name)


def variables(settings_class: type[DataclassInstance]) -> dict[str, Variable]:
    """Return the variables of a settings class by the fields that they set."""
    return {
        field: part
        for field, hint in get_type_hints(settings_class, include_extras=True).items()
        for part in getattr(hint, "__metadata__", ())
        if isinstance(part, Variable)
    }


def read_settings(settings_class: type[SettingsT], environ: Mapping[str, str]) -> SettingsT:
    """Return the settings that an environment describes.

    Raises:
        ConfigError: with one sentence that names the variable, what was expected and what was found.
    """
    for variable in variables(settings_class).values():
        if variable.old_name in environ:
            used = variable.name_in(environ)
            names = {"old_name": variable.old_name, "new_name": variable.name, "used": used}
            log.warning("environment variable has a new name", extra=names)
    model = _model_of(settings_class)
    source = EnvSettingsSource(model)
    source.env_vars = environ
    try:
        read = model(**source())
    except pydantic.ValidationError as error:
        raise _config_error(settings_class, environ, error.errors()[0]) from error
    return settings_class(**{name: getattr(read, name) for name in variables(settings_class)})


class _Model(BaseSettings):
    model_config = SettingsConfigDict(
        case_sensitive=True, enable_decoding=False, extra="ignore", validate_default=False
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `read_settings` passes what its environment has; the process's own must not be read behind it.
        return (init_settings,)


@cache
def _model_of(settings_class: type[DataclassInstance]) -> type[_Model]:
    hints = get_type_hints(settings_class, include_extras=True)
    found: dict[str, Any] = {}
    for field in fields(settings_class):
        variable = variables(settings_class).get(field.name)
        if variable is not None:
            names = [name for name in (variable.name, variable.old_name) if name]
            alias = pydantic.AliasChoices(*names)
            found[field.name] = (hints[field.name], pydantic.Field(validation_alias=alias, **_default_of(field)))
    return pydantic.create_model(f"{settings_class.__name__}Variables", __base__=_Model, **found)


def _default_of(field: Field[Any]) -> dict[str, Any]:
    if field.default_factory is not MISSING:
        return {"default_factory": field.default_factory}
    return {"default": field.default}


def _config_error(
    settings_class: type[DataclassInstance], environ: Mapping[str, str], details: ErrorDetails
) -> ConfigError:
    location = details["loc"][0]
    field, variable = next(
        (field, variable)
        for field, variable in variables(settings_class).items()
        if location in (field, variable.name, variable.old_name)
    )
    hint = get_type_hints(settings_class, include_extras=True)[field]
    expected = next(part.text for part in hint.__metadata__ if isinstance(part, Expected))
    cause = details.get("ctx", {}).get("error")
    found = cause.args[0] if isinstance(cause, Unexpected) else details["input"]
    return ConfigError(f"{variable.name_in(environ)} must be {expected}, got {found!r}.")
