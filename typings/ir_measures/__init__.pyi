from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

_Run: TypeAlias = Mapping[str, Mapping[str, float]]
_Qrels: TypeAlias = Mapping[str, Mapping[str, int]]

class Measure:
    params: dict[str, object]
    SUPPORTED_PARAMS: dict[str, object]
    AT_PARAM: str
    def __init__(self, **params: object) -> None: ...

class Metric(NamedTuple):
    query_id: str
    measure: Measure
    value: float

class Evaluator:
    def iter_calc(self, run: _Run) -> Iterator[Metric]: ...

def evaluator(measures: Iterable[Measure], qrels: _Qrels) -> Evaluator: ...
