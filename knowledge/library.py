"""The library: what its ledger says, made searchable by an index that follows the ledger.

The ledger is the truth and lies in the database; the index can be thrown away and is made again from it.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge import tags
from knowledge.filters import Filter
from knowledge.index import Index, Prepared
from knowledge.item import Item
from knowledge.ledger import Change, Entry, Head, Ledger, LedgerError, content_hash
from knowledge.search import Results, search

SHIPPED = "whetstone"
"""Who writes the entries of the shipped library."""

_BATCH = 32  # items written at once: what an interruption costs at most

Progress = Callable[[int, int], None]
Tagger = Callable[[Item], Mapping[str, object]]


@dataclass(frozen=True)
class Put:
    """What became of one item, and how many passages it has."""

    item: Item
    status: Literal["added", "changed", "unchanged"]
    passages: int


class Library:
    """Items with their history, and the search over them.

    Args:
        tagger: gives better values for some of the tags an item's `proposed` names, such as by a language model.
    """

    def __init__(self, ledger: Ledger, index: Index, tagger: Tagger | None = None) -> None:
        self.ledger, self.index, self._tagger = ledger, index, tagger

    def put(
        self, items: Sequence[Item], who: str, note: str = "", gone: Collection[str] = (), propose: bool = True
    ) -> list[Put]:
        """Add or replace `items` and take out those of the ids `gone`, as one change.

        With `propose` the tags an item's `proposed` names are proposed; without, it is put as it is. Everything is cut
        and embedded before anything is written: what fails leaves the library as it was.

        Raises ValueError when a published item has no text, and whatever the embeddings raise.
        """
        self.follow()
        there = self.index.versions([item.id for item in items])
        new = [item for item in items if there.get(item.id) != item.content_hash]
        ready = [self._tagged(one) if propose else one for one in self.index.prepare(new)]
        new = [one.item for one in ready]
        changes = [*(Change(item.id, item) for item in new), *(Change(item_id, None) for item_id in gone)]
        if changes:
            self.ledger.record(changes, who, note)
            self.follow(ready)
        cut = {one.item.id: len(one.passages) for one in ready}
        return [
            Put(item, ("changed" if item.id in there else "added"), cut[item.id])
            if item.id in cut
            else Put(item, "unchanged", self.index.count(item.id))
            for item in items
        ]

    def _tagged(self, ready: Prepared) -> Prepared:
        looked_at = ready
        if ready.item.status == "draft" and ready.item.proposed:
            # It has no passages, and is near to others all the same; one of headings only is near to none.
            with contextlib.suppress(ValueError):
                (looked_at,) = self.index.prepare([ready.item.model_copy(update={"status": "published"})])
        item = tags.propose(self.index, looked_at).model_copy(update={"status": ready.item.status})
        if item.proposed and self._tagger is not None:
            item = item.model_copy(update=dict(self._tagger(item)))
        return ready if item == ready.item else self.index.refile(ready, item)

    def remove(self, item_ids: Sequence[str], who: str, note: str = "") -> None:
        """Take items out. Raises KeyError naming the first that is not there; then none is taken out."""
        there = self.index.versions(item_ids)
        for item_id in item_ids:
            if item_id not in there:
                raise KeyError(item_id)
        self.put([], who, note, gone=item_ids)

    def roll_back(self, number: int, who: str, item_id: str | None = None) -> list[Change]:
        """Make the library, or one item, what it was after entry `number`, by new entries; what that changed.

        Raises LedgerError when there is no such entry, or the item was never there.
        """
        self.ledger.get(number)
        then, now = self.ledger.state(number), self.ledger.state()
        if item_id is not None and item_id not in now:
            raise LedgerError(f"there was never an item {item_id}")
        changes = []
        for name, last in now.items():
            before = then.get(name)
            old = before.content_hash if before and before.action == "put" else ""
            if (item_id in (None, name)) and old != (last.content_hash if last.action == "put" else ""):
                changes.append(Change(name, self.ledger.get(before.number).item if before and old else None))
        self.put(
            [change.item for change in changes if change.item],
            who,
            f"back to entry {number}",
            gone=[change.item_id for change in changes if change.item is None],
            propose=False,
        )
        return changes

    def sync(self, shipped: Iterable[Item], progress: Progress | None = None) -> None:
        """Bring the shipped items to what ships now; what somebody else has changed or taken out stays theirs."""
        state = self.ledger.state()
        items = {item.id: item for item in shipped}
        ours = {name for name, last in state.items() if last.who == SHIPPED}
        changes = [
            Change(item.id, item)
            for item in items.values()
            if item.id not in state or (item.id in ours and state[item.id].content_hash != item.content_hash)
        ]
        changes += [Change(name, None) for name in sorted(ours - set(items)) if state[name].action == "put"]
        self.ledger.record(changes, SHIPPED, "the library that ships")
        self.follow(progress=progress)

    def follow(self, ready: Sequence[Prepared] = (), progress: Progress | None = None) -> None:
        """Bring the index to the ledger's last entry. An interruption loses nothing: the next call goes on."""
        head, at = self.ledger.head(), self.index.head
        if at == head:
            return
        with self.index.writing:
            if at is not None and not self.ledger.holds(at):
                self.index.remember_lost(at)
            wanted = dict(self._changed_since(self.index.head, head))
            there = self.index.versions(wanted)
            changes = [
                last
                for name, last in wanted.items()
                if there.get(name, "") != (last.content_hash if last.action == "put" else "")
            ]
            for start in range(0, len(changes), _BATCH):
                some = changes[start : start + _BATCH]
                bodies = self.ledger.bodies([last.number for last in some if last.action == "put"])
                self.index.apply([Change(last.item_id, bodies.get(last.item_id)) for last in some], ready)
                if progress:
                    progress(start + len(some), len(changes))
            self.index.apply([], head=head)
            self.index.drop_others()

    def _changed_since(self, at: Head | None, head: Head) -> Iterator[tuple[str, Entry]]:
        """The last entries up to `head` of the items that may differ, by id."""
        if at is None or not self.ledger.holds(at):
            # A new index, or a ledger that was put back from a backup: look at everything.
            state = self.ledger.state(head.number)
            yield from state.items()
            for name in set(self.index.versions()) - set(state):
                yield name, Entry(0, "", "", "remove", "", name, "", None, "", "")
            return
        number = at.number
        while entries := [one for one in self.ledger.since(number) if one.number <= head.number]:
            yield from ((one.item_id, one) for one in entries)
            number = entries[-1].number

    def verify(self) -> list[str]:
        """What does not hold, in words: the chain of entries, its end, and every item against its last entry."""
        problems = self.ledger.verify()
        at = self.index.head
        lost = at if at and not self.ledger.holds(at) else self.index.lost
        if lost:
            problems.append(f"entry {lost.number}, once the last one here, is no longer in the ledger: {lost.hash}")
        state = self.ledger.state()
        for item in self.index.items():
            last = state.get(item.id)
            if last is None or last.action == "remove":
                problems.append(f"{item.id} is searched, but the ledger does not have it")
            elif content_hash(item.model_dump_json()) != last.content_hash:
                problems.append(f"{item.id} is not what entry {last.number} says")
        if at and at == self.ledger.head():
            there = self.index.versions()
            problems += [
                f"{name} is in the ledger, but not searched"
                for name, last in state.items()
                if last.action == "put" and name not in there
            ]
        return problems

    def get(self, item_id: str) -> Item:
        """The item with the whole of its text. Raises KeyError when there is none of that id."""
        return self.index.get(item_id)

    def search(self, query: str, k: int = 5, fits: Filter = Filter()) -> Results:  # noqa: B008
        """The `k` best passages; see `knowledge.search.search`."""
        return search(self.index, query, k, fits)
