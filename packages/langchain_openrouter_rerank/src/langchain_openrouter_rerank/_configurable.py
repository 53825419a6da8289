"""What `configurable_fields` makes of a reranker: the configuration of a call sets its options."""

from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.configurable import RunnableConfigurableFields
from langchain_core.runnables.utils import ConfigurableField, Input, Output
from openrouter_rerank.client_options.secrets import hidden
from openrouter_rerank.reranker import CallOptions, Reranker


class ConfigurableRerank(RunnableConfigurableFields[Input, Output]):
    """
    LangChain's Runnable with configurable fields. All its calls share the clients of one reranker.

    LangChain creates another reranker for each call that is configured. Its retry budget and its
    request slots would be its own, so an outage or many calls would cost more.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id of LangChain's class, because dumps of other classes are not loaded."""
        return RunnableConfigurableFields.lc_id()

    def with_config(
        self, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Runnable[Input, Output]:
        """Return a Runnable whose calls have this configuration. It shows no key and no header."""
        # Before they are merged, because LangChain copies strings of the result to its metadata.
        given = [config or {}, cast("RunnableConfig", kwargs)]
        return super().with_config(merge_configs(*map(self._with_hidden_secrets, given)))

    def prepare(
        self, config: RunnableConfig | None = None
    ) -> tuple[Runnable[Input, Output], RunnableConfig]:
        """Return the reranker with the options in `config`, and the configuration of its call."""
        config = self._with_hidden_secrets(config or {})
        made, config = super().prepare(config)
        # LangChain has added the configuration of the surrounding run.
        config = self._with_hidden_secrets(config)
        default = self.default
        if made is default or not (isinstance(made, Reranker) and isinstance(default, Reranker)):
            return made, config
        new: dict[str, object] = {
            name: value
            for name in self.fields
            if (value := getattr(made, name)) != getattr(default, name)
        }
        of_call = {
            name: value
            for name, value in new.items()
            if name in CallOptions.__annotations__ and value is not None
        }
        others = {name: new[name] for name in new.keys() - of_call.keys()}
        return default.model_copy(update=others).for_call(of_call), config

    def _with_hidden_secrets(self, config: RunnableConfig) -> RunnableConfig:
        values = config.get("configurable")
        if not values:
            return config
        shown = {
            field.id: hidden(values[field.id], name)
            for name, field in self.fields.items()
            if isinstance(field, ConfigurableField) and field.id in values
        }
        return {**config, "configurable": {**values, **shown}}
