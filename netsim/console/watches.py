"""Who follows which changes just now. A store has no way to stop listening, so one ear listens for all."""

from __future__ import annotations

from collections.abc import Callable

from netsim.api.store import Change, Store

Handler = Callable[[Change], None]


class Watches:
    """Followers that come and go."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followers: dict[str, list[Handler]] = {}  # by kind

    def follow(self, kind: str, handler: Handler) -> Callable[[], None]:
        """Tell `handler` of each change of a kind, until what is returned is called."""
        if kind not in self._followers:
            self._followers[kind] = []
            self._store.watch(kind, self._tell)
        self._followers[kind].append(handler)
        return lambda: self._followers[kind].remove(handler)

    def _tell(self, change: Change) -> None:
        for follower in list(self._followers[change.object["kind"]]):
            follower(change)
