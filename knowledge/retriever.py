"""The search as a LangChain retriever, to be used in any chain."""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from knowledge.filters import Filter
from knowledge.library import Library


class LibraryRetriever(BaseRetriever):
    """The `k` best passages of a library; nothing where nothing good is found.

    A document's metadata has the item's id, title, kind, role and source, the heading path, the score, and the [start,
    end) of matching words.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    library: Library
    k: int = 5
    fits: Filter = Filter()

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found = self.library.search(query, self.k, self.fits)
        if not found.good:
            return []
        return [
            Document(
                page_content=hit.passage,
                metadata={
                    "id": hit.id,
                    "title": hit.title,
                    "kind": hit.kind,
                    "role": hit.role,
                    "source": hit.source,
                    "heading": list(hit.heading),
                    "score": hit.score,
                    "marks": [list(mark) for mark in hit.marks],
                },
            )
            for hit in found.hits
        ]
