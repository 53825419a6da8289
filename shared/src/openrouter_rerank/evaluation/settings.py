"""The options of an evaluation, with their defaults."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict, TypeGuard

from openrouter_rerank.budget import Budget
from openrouter_rerank.errors import ConfigurationError, shown_value
from openrouter_rerank.models import DEFAULT_MODEL

_MOST_JUDGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    What is asked, how it is judged, and how much it may cost.

    Raises:
        ConfigurationError: If a value cannot be used. The message names the option.
    """

    models: tuple[str, ...] = (DEFAULT_MODEL,)
    depths: tuple[int, ...] = (10, 20, 50, 100)
    """Numbers of candidates, ascending. The models are asked at the largest."""
    metric: str = "nDCG@10"
    """The metric that decides; any name that ir-measures knows."""
    two_step: bool = False
    """Also compute plans in which a cheap model chooses what a stronger one orders."""
    worth: float = 0.02
    """
    The smallest gain that is worth having. With many questions, a gain of 0.01 may be more than
    chance, but users do not notice it.
    """
    keep: float = 0.9
    """
    The recommended plan is the cheapest with at least this share of the largest gain, and with a
    gain of `worth` if any plan has it.
    """
    questions: int | None = None
    """A random sample of this many questions. `None`: all of them."""
    budget: float | None = 1.0
    """US dollars for the evaluation. `None`: the budget of the client, if it has one."""
    probes: int = 20
    """Questions that are asked alone, at each depth, for times and prices. 0: none."""
    concurrency: int = 4
    """Requests in flight while the scores are asked for."""
    judge: tuple[str, ...] = ()
    """
    Chat models that grade the documents without a judgement: one, or two. The second confirms what
    the first calls relevant.
    """
    seed: int = 0
    """The start of all random choices: the sample, the order, the signs and the halves."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", _names_in("models", self.models))
        if not self.models:
            raise ConfigurationError("models is empty: name at least one model")
        object.__setattr__(self, "judge", _judges_in(self.judge))
        object.__setattr__(self, "depths", _depths_in(self.depths))
        _check_kind("metric", self.metric, str, "a name, such as 'nDCG@10'")
        _check_kind("two_step", self.two_step, bool, "True or False")
        for name, least in (("concurrency", 1), ("probes", 0), ("seed", 0)):
            _at_least(least, name, getattr(self, name))
        if self.questions is not None:
            _at_least(1, "questions", self.questions)
        for name in ("worth", "keep"):
            _check_share(name, getattr(self, name))
        if self.budget is not None:
            _check_dollars(self.budget)


class SettingsKeywords(TypedDict, total=False):
    """The options of an evaluation, with the types that callers may pass: see `Settings`."""

    models: Iterable[str] | str
    """The slugs of the models, or one slug. Two to six are what a report can show."""
    depths: Iterable[int]
    """Numbers of candidates. The models are asked at the largest. Default: 10, 20, 50, 100."""
    metric: str
    """The metric that decides; any name that ir-measures knows. Default: `nDCG@10`."""
    two_step: bool
    """Also compute plans in which a cheap model chooses what a stronger one orders."""
    worth: float
    """The smallest gain that is worth having. Default: 0.02."""
    keep: float
    """
    The recommended plan is the cheapest with at least this share of the largest gain, and with a
    gain of `worth` if any plan has it. Default: 0.9.
    """
    questions: int | None
    """A random sample of this many questions. Default: all of them."""
    budget: float | None
    """
    US dollars for this run; kept answers cost nothing. `None`: the budget of the client, if it has
    one. Default: 1.0.
    """
    probes: int
    """Questions that are asked alone, at each depth, for times and prices. Default: 20."""
    concurrency: int
    """Requests in flight while the scores are asked for. Default: 4."""
    judge: Iterable[str] | str | None
    """
    The slug of a chat model that grades the documents without a judgement, or two slugs. The second
    confirms what the first calls relevant. Default: none.
    """
    seed: int
    """The start of all random choices: the sample, the order, the signs and the halves."""


def settings_of(options: SettingsKeywords) -> Settings:
    """
    Return the options of an evaluation.

    Raises:
        ConfigurationError: If a value cannot be used. The message names the option.
        TypeError: If there is no such option.
    """
    known = SettingsKeywords.__annotations__
    for name in options:
        if name not in known:
            # Imports Pydantic, which the help of the command does not need.
            from openrouter_rerank.client_options.unknown_names import unknown_name

            raise TypeError(unknown_name("evaluate", name, known))
    # `Settings` makes tuples of lists, and checks all values.
    return Settings(**options)  # type: ignore[arg-type]


def _judges_in(judges: object) -> tuple[str, ...]:
    found = () if judges is None else _names_in("judge", judges)
    if len(found) > _MOST_JUDGES:
        raise ConfigurationError(
            f"judge has {len(found)} models: name one, and at most one more that confirms it"
        )
    return found


def _names_in(option: str, models: object) -> tuple[str, ...]:
    """Return models as a tuple; one string is one model."""
    names = (models,) if isinstance(models, str) else _items_of(option, models)
    found = tuple(name for name in names if isinstance(name, str) and name.strip())
    if len(found) < len(names):
        wrong = next(name for name in names if name not in found)
        raise ConfigurationError(f"{option} must have slugs of models, got {shown_value(wrong)}")
    for name in found:
        if found.count(name) > 1:
            raise ConfigurationError(f"{option} has {shown_value(name)} twice: name it once")
    return found


def _depths_in(depths: object) -> tuple[int, ...]:
    """Return depths in ascending order."""
    items = _items_of("depths", depths)
    if not items:
        raise ConfigurationError("depths is empty: name at least one number of candidates")
    return tuple(sorted({_at_least(1, "depths", depth) for depth in items}))


def _items_of(name: str, values: object) -> tuple[object, ...]:
    if _is_iterable(values) and not isinstance(values, str | bytes):
        return tuple(values)
    raise ConfigurationError(f"{name} must be a list, got {shown_value(values)}")


def _is_iterable(values: object) -> TypeGuard[Iterable[object]]:
    return isinstance(values, Iterable)


def _at_least(least: int, name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise ConfigurationError(
        f"{name} must be a whole number, {least} or more, got {shown_value(value)}"
    )


def _check_kind(name: str, value: object, kind: type, rule: str) -> None:
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name} must be {rule}, got {shown_value(value)}")


def _check_share(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ConfigurationError(f"{name} must be a number from 0 to 1, got {shown_value(value)}")


def _check_dollars(budget: float) -> None:
    try:
        Budget(budget)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"budget must be a number of US dollars, 0 or more, or None, got {shown_value(budget)}"
        ) from error
