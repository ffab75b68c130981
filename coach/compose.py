"""The composition root: builds every part from the settings, each when it is first needed."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

import prompts
from coach import catalogue
from coach.catalogue import Catalogue
from coach.drill.drill import Drill
from coach.drill.moments import moments
from coach.drill.session import Sessions
from coach.drill.strict import unsaid
from coach.drill.voice import AuthoredVoice, ModelVoice, Voice
from coach.scoring import learned
from coach.scoring.feedback import feedback
from coach.scoring.judges import Judge, NumberJudge, PatternJudge, SemanticJudge
from coach.scoring.model_judge import ModelJudge
from coach.scoring.rubric import Rubric, pin
from coach.scoring.score import Found, score
from coach.scoring.scorecard import Scorecard
from coach.settings import Settings
from coach.transcript import Transcript
from knowledge.shipped import LibraryError
from knowledge.skills import industries, skills

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coach.llm.call import Endpoint
    from coach.llm.gateway import Gateway
    from knowledge.embed import FingerprintedEmbeddings
    from knowledge.graph import Graph
    from knowledge.library import Library

log = structlog.get_logger()
_LOOK_AGAIN_S = 2.0


class Whetstone:
    """One running coach.

    Args:
        endpoint: the chat model to use; the one of the settings when None.
    """

    def __init__(self, settings: Settings, endpoint: Endpoint | None = None) -> None:
        self.settings = settings
        self.endpoint = endpoint or settings.endpoint()
        self._library_ready = threading.Event()
        self.library_failure = ""
        self._graph: tuple[object, Graph] | None = None
        self._catalogue: tuple[int, catalogue.Catalogue] | None = None
        self._looked = 0.0

    @property
    def catalogue(self) -> catalogue.Catalogue:
        """What ships and what trainers have published, read anew when something has been published."""
        now = time.monotonic()
        if self._catalogue is None or now - self._looked >= _LOOK_AGAIN_S:
            from coach.store import authored

            self._looked = now
            head = authored.head(self.engine)
            if self._catalogue is None or head != self._catalogue[0]:
                written = [(v.kind, v.body) for v in authored.latest(self.engine)]
                try:
                    self._catalogue = head, catalogue.overlaid(self._shipped, written)
                except LibraryError as error:
                    # What was published under earlier rules must not take everything else down.
                    log.error("published scenarios are left out", error=str(error))
                    self._catalogue = head, self._shipped
        return self._catalogue[1]

    @functools.cached_property
    def _shipped(self) -> Catalogue:
        return catalogue.load()

    def look_again(self) -> None:
        """Look for newly published scenarios at once."""
        self._looked = 0.0

    @functools.cached_property
    def judges(self) -> Sequence[Judge]:
        taught = learned.load()
        return (PatternJudge(), NumberJudge(), SemanticJudge(), *([learned.LearnedJudge(taught)] if taught else []))

    @functools.cached_property
    def gateway(self) -> Gateway | None:
        from coach.llm.gateway import Gateway

        return Gateway(self.endpoint) if self.endpoint else None

    @functools.cached_property
    def voices(self) -> Mapping[str, Voice]:
        voices: dict[str, Voice] = {"builtin": AuthoredVoice()}
        if self.gateway is not None:
            voices["llm"] = ModelVoice(self.gateway)
        return voices

    @property
    def default_voice(self) -> str:
        return "llm" if self.endpoint else "builtin"

    @functools.cached_property
    def engine(self) -> Engine:
        from coach.store.database import open_database

        return open_database(self.settings.database)

    @functools.cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.engine, self.judges, self.voices)

    @functools.cached_property
    def embeddings(self) -> FingerprintedEmbeddings:
        from knowledge.embed import LocalEmbeddings, RemoteEmbeddings

        s = self.settings
        if s.embed_model:
            return RemoteEmbeddings(s.embed_base_url, s.embed_api_key.get_secret_value(), s.embed_model)
        return LocalEmbeddings()

    @functools.cached_property
    def library(self) -> Library:
        """The library with its search, not necessarily holding what ships yet: see `build_library`."""
        from coach.tagging import tagger
        from knowledge.index import Index
        from knowledge.ledger import Ledger
        from knowledge.library import Library

        index = Index(self.settings.home / "index", self.embeddings, self.settings.chroma_url)
        return Library(Ledger(self.engine), index, tagger(self.gateway) if self.gateway else None)

    def build_library(self) -> Library:
        """The library, with what ships in it; only what changed is embedded."""
        from knowledge.shipped import load_library

        library = self.library
        with library.index.writing:
            library.sync(load_library())
        self._library_ready.set()
        return library

    @property
    def graph(self) -> Graph:
        """The library, its skills, checks and scenarios as a graph, made anew when the library has changed."""
        from knowledge import graph

        head = self.library.index.head
        if self._graph is None or self._graph[0] != head:
            c = self.catalogue
            checks = [graph.CheckFact(x.id, x.title, x.title_en, x.skill) for x in c.checks.values()]
            scenarios = [
                graph.ScenarioFact(s.id, s.title, s.title_en, s.role, s.industry, s.tier, c.practised(s.id), s.minutes)
                for s in c.scenarios.values()
            ]
            items = self.library.index.items()
            self._graph = head, graph.build(items, skills(), industries(), checks, scenarios)
        return self._graph[1]

    def _pins(self, drill: Drill) -> dict[str, str]:
        """What the drill was played with: its playbook and, where a model spoke, prompt and model."""
        pins = {"playbook": drill.playbook.hash}
        if self.gateway is not None and any(e.spoken.source == "llm" for e in drill.exchanges):
            pins |= {"voice_prompt": prompts.load("customer_voice").hash, "voice_model": self.gateway.fingerprint}
        return pins

    def warm(self) -> None:
        """Do now, once, what the first learner would otherwise wait for. A failure is kept, not raised."""
        try:
            for judge in self.judges:
                judge.votes(list(self.catalogue.checks.values()), ["您好，请问现在方便吗？"], {})
            self.build_library()
            self.library.search("热身", k=1)
            if self.gateway is not None:
                self.gateway.warm()
        except Exception as error:
            self.library_failure = f"failed: {type(error).__name__}"
            log.error("warm-up", error=self.library_failure, exc_info=error)

    @property
    def judge_names(self) -> list[str]:
        """Names of the judges at work; the model judge comments, it has no vote."""
        return [*(j.name for j in self.judges), *([ModelJudge.name] if self.gateway else [])]

    @property
    def library_ready(self) -> bool:
        return self._library_ready.is_set()

    def score_transcript(self, transcript: Transcript, rubric: Rubric) -> Scorecard:
        """Score a conversation from outside by a rubric of the catalogue; figures come from its scenario, if named.

        Raises:
            NotInCatalogue: it names a scenario there is not.
        """
        figures = self.catalogue.playbook(transcript.scenario).figures if transcript.scenario else {}
        used = {i: self.catalogue.checks[i] for i in rubric.check_ids()}
        return score(
            rubric,
            used,
            transcript.said(),
            judges=self.judges,
            rubric_hash=pin(rubric, used),
            figures=figures,
            model_judge=ModelJudge(self.gateway) if self.gateway else None,
        )

    def score(self, drill: Drill) -> Scorecard:
        """Score a drill with every judge there is; readings are linked once the library is built."""
        book = drill.playbook

        from knowledge.filters import Filter

        def search(query: str) -> Sequence[Found]:
            try:
                return self.library.search(query, 20, Filter(role=book.scenario.role)).hits
            except Exception as error:
                # The score does not hang on the library: without it there is only nothing to read.
                log.warning("readings", error=type(error).__name__)
                return []

        told = not book.strict  # a script leaves nothing to interpret or to read up
        card = score(
            book.rubric,
            book.checks,
            drill.said(),
            judges=self.judges,
            rubric_hash=book.rubric_hash,
            figures=book.figures,
            verdicts=[*(e.verdicts for e in drill.exchanges), *([unsaid(book, drill.state)] if book.strict else [])],
            model_judge=ModelJudge(self.gateway) if self.gateway and told else None,
            search=search if self.library_ready and told else None,
            say=book.scenario.overrides,
            pins=self._pins(drill),
        )
        told_back = feedback(book.rubric, book.checks, card, moments(drill), book.scenario.overrides)
        return card.model_copy(update={"feedback": told_back})

    def lessons_for(self, skill: str, role: str) -> list[tuple[str, str]]:
        """(id, title) of lessons that teach a skill, those for the role first; none before the library is built."""
        if not self.library_ready:
            return []
        lessons = [i for i in self.library.index.items() if i.kind == "lesson" and skill in i.skills]
        lessons.sort(key=lambda i: (i.role != role, i.skills.index(skill), i.id))
        return [(i.id, i.title) for i in lessons[:2]]
