"""Words of the trade that mean the same (客诉 and 投诉, 拉新 and 获客), as data, for widening a query."""

import re
from functools import lru_cache
from pathlib import Path

import yaml

from knowledge.text import fold, terms

_FILE = Path(__file__).parent / "library" / "synonyms.yaml"


def others(query: str) -> list[str]:
    """The folded words that mean the same as words in `query`, without those that stand in it already."""
    folded = fold(query)
    found: dict[str, None] = {}
    for word, group in _groups():
        if word.search(folded):
            found |= dict.fromkeys(one for one in group if one not in folded)
    return list(found)


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Every index term of the words in the data: words of the trade, whether a passage holds them or not."""
    return frozenset(term for _, group in _groups() for word in group for term in terms(word))


@lru_cache(maxsize=1)
def _groups() -> list[tuple[re.Pattern[str], tuple[str, ...]]]:
    groups = [tuple(fold(str(word)) for word in group) for group in yaml.safe_load(_FILE.read_text(encoding="utf-8"))]
    # A Latin word stands by itself: "ad" is not in "adidas".
    return [
        (re.compile(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])" if word.isascii() else re.escape(word)), group)
        for group in groups
        for word in group
    ]
