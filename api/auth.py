"""Who is asking: a key in the Authorization header, or the session cookie of a browser.

With `--demo`, which is served on loopback only, the two demo accounts can be used by name.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.problems import Problem
from coach.compose import Whetstone
from coach.store import accounts
from coach.store.accounts import AccountRole, Principal

COOKIE = "whetstone_session"
DEMO_ACCOUNTS: dict[str, AccountRole] = {"demo-learner": "learner", "demo-trainer": "trainer"}


def whetstone(request: Request) -> Whetstone:
    """The running coach."""
    found: Whetstone = request.app.state.whetstone
    return found


def is_demo(request: Request) -> bool:
    return bool(request.app.state.demo)


def signed_in(request: Request) -> Principal | None:
    """Whoever is asking, or None. A key that is given must be right."""
    engine = whetstone(request).engine
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, key = header.partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise Problem(401, "the Authorization header must be: Bearer KEY")
        if is_demo(request) and key in DEMO_ACCOUNTS:
            return accounts.ensure(engine, key, DEMO_ACCOUNTS[key])
        found = accounts.by_key(engine, key)
        if found is None:
            raise Problem(401, "this key is not known")
        return found
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        same_origin(request)
    return accounts.by_token(engine, token)


def same_origin(request: Request) -> None:
    """A browser that acts by cookie must say that our own page sent it (Fetch Metadata, or Origin where older)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Problem(403, "this request came from another site")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "this request came from another site")


def principal(request: Request) -> Principal:
    """Whoever is asking.

    Raises:
        Problem: 401 where nobody is signed in.
    """
    found = signed_in(request)
    if found is None:
        hint = "; this is the demo: Bearer demo-learner works here" if is_demo(request) else ""
        raise Problem(401, f"sign in, or send a key as: Authorization: Bearer KEY{hint}")
    return found


def trainer(who: Annotated[Principal, Depends(principal)]) -> Principal:
    """Whoever is asking, who must be a trainer."""
    if who.role != "trainer":
        raise Problem(403, "only a trainer may do this")
    return who


Coach = Annotated[Whetstone, Depends(whetstone)]
Someone = Annotated[Principal, Depends(principal)]


Trainer = Annotated[Principal, Depends(trainer)]
