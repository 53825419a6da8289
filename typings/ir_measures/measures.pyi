from . import Measure

registry: dict[str, type[Measure]]
