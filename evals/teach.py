"""Teach the learned judge from everything labelled. Run by `make teach` after utterances or examples have changed."""

from __future__ import annotations

from coach.catalogue import load
from coach.scoring.learned import WEIGHTS, teach
from evals.understanding import labelled, talked, utterances


def main() -> None:
    catalogue = load()
    checks = catalogue.checks
    learned = teach(labelled(checks, utterances(checks)), talked(catalogue))
    learned.save()
    print(f"{len(learned.checks)} of {len(checks)} checks taught; {WEIGHTS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
