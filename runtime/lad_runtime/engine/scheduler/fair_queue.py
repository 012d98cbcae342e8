"""Whose turn it is: the waiting requests, and which of them are computed next."""

import itertools
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterator

from lad_runtime.engine.scheduler.job import AnyJob
from lad_runtime.engine.scheduler.share import Share, Waiting


class FairQueue:
    """Tenants (a run, a request) take turns by weight, newcomers at once; first come first served within one.

    **By weight.** A tenant's clock advances by cost / share weight with every request of its that is computed, and `now` by
    cost / the weights of all who wait. Of those whose clock is not beyond now, the one leads the next batch whose clock would
    be the earliest after its request (EEVDF: Stoica and Abdel-Wahab 1995). So the turns of one that wants little at a time come
    between those of the others, however many they are, and nobody is ever far behind.

    **Together.** Requests of the leader's group ride along, its own first, then those of whoever is furthest behind, while the
    batch stays within the token budget; not those of a tenant a full batch ahead of the one furthest behind. So tenants
    that always want something get the device in proportion to their weights, to within two batches.

    **Newcomers.** A tenant joins with its clock at now: idle time is nobody's credit. Its first token budget of cost (with a
    weight below 1: that part of one) is computed ahead of its turn, of several newcomers that one's first which has had
    least, so that it waits for the batch in hand alone. Its clock runs meanwhile: a long one waits in return. All that is
    computed ahead of turn is lent, one token budget until turns by weight have repaid it. So however many newcomers keep
    coming, half of the device goes by weight.

    A batch takes time in proportion to the jobs in it and the tenants that wait, not to the jobs that wait: of a tenant's
    requests of one group, the first that no longer fits ends its part.
    """

    def __init__(self) -> None:
        self.tokens = 0  # of all waiting requests
        self._jobs = 0
        self.reset()

    def reset(self) -> None:
        """Forgets who has had what, when nobody wants anything: an idle device leaves no debts."""
        assert self._jobs == 0, "nobody waits"
        self._shares = OrderedDict[Hashable, Share]()  # who waits or is being computed, longest waiting first
        self._left: dict[Hashable, Share] = {}  # who wants nothing, and is ahead
        self._now = 0.0
        self._lent = 0  # cost computed ahead of turn, less what others have had since
        self._numbers = itertools.count()

    def __iter__(self) -> Iterator[AnyJob]:
        """A snapshot of all waiting jobs."""
        return iter([job for share in self._shares.values() for job in share])

    def __bool__(self) -> bool:
        return self._jobs > 0

    def add(self, job: AnyJob) -> None:
        assert job.request is not None
        if job.tenant not in self._shares:
            self._shares[job.tenant] = self._joining(job.tenant)
        request = job.request
        waiting = Waiting(job, next(self._numbers), request.group, request.tokens, request.cost)
        self._shares[job.tenant].add(waiting)
        self._jobs += 1
        self.tokens += waiting.tokens

    def remove(self, job: AnyJob) -> None:
        waiting = self._shares[job.tenant].remove(job)
        self._jobs -= 1
        self.tokens -= waiting.tokens

    def next(self, token_budget: int) -> list[AnyJob]:
        """Takes the jobs to compute in one batch; empty when none waits. The first one is taken whatever its size."""
        self._see_off()
        if not self._shares:
            return []
        leader, early = self._leader(token_budget)
        batch = self._batch(leader, token_budget, token_budget - self._lent if early else math.inf)
        lent = sum(one.cost for share, one in batch if early and share.is_new(token_budget))
        cost = sum(one.cost for _, one in batch)
        self._now += (cost - lent) / sum(share.weight for share in self._shares.values())
        self._lent = self._lent + lent if early else max(0, self._lent - cost)
        for share, one in batch:
            self.remove(one.job)
            share.charge(one.cost)
            self._shares.move_to_end(one.job.tenant)
        return [one.job for _, one in batch]

    def _joining(self, tenant: Hashable) -> Share:
        back = self._left.pop(tenant, None)
        return Share(self._now) if back is None or back.clock <= self._now else back

    def _see_off(self) -> None:
        """Lets those go who were computed and want nothing more; where they are ahead, they are when they come back."""
        for tenant in [tenant for tenant, share in self._shares.items() if share.head is None]:
            self._left[tenant] = self._shares.pop(tenant)
        for tenant in [tenant for tenant, share in self._left.items() if share.clock <= self._now]:
            del self._left[tenant]

    def _leader(self, token_budget: int) -> tuple[Share, bool]:
        """Who leads the next batch, and whether ahead of its turn."""
        shares = list(self._shares.values())
        self._now = max(self._now, min(share.clock for share in shares))
        newcomers = [share for share in shares if share.is_new(token_budget)]
        if len(newcomers) == len(shares):
            by_turn = min(shares, key=lambda share: share.clock)
        else:
            by_turn = min((s for s in shares if s.clock <= self._now), key=lambda share: share.due)
        able = (share for share in newcomers if share.head and share.head.cost <= token_budget - self._lent)
        newest = min(able, key=lambda share: share.had, default=by_turn)
        return newest, newest is not by_turn

    def _batch(self, leader: Share, token_budget: int, loan: float) -> list[tuple[Share, Waiting]]:
        """The leader's first request and those that ride along, newcomers' while `loan` suffices."""
        first = leader.head
        assert first is not None
        batch, room, loan = [(leader, first)], token_budget - first.tokens, loan - first.cost
        for share in self._in_order(leader, token_budget):
            if room <= 0:
                break
            new = share.is_new(token_budget)
            for one in share.of_group(first.group):
                if one is first:
                    continue
                if one.tokens > room or (new and one.cost > loan):
                    break
                batch.append((share, one))
                room -= one.tokens
                loan -= one.cost if new else 0
        return batch

    def _in_order(self, leader: Share, token_budget: int) -> Iterator[Share]:
        """The leader, then whoever is not a batch ahead, those furthest behind first."""
        yield leader
        shares = sorted(self._shares.values(), key=lambda share: share.clock)
        furthest_behind = shares[0].clock
        for share in shares:
            if share is not leader and share.clock - furthest_behind <= token_budget / share.weight:
                yield share
