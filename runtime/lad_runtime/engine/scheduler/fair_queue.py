"""A queue that shares the device fairly among tenants, and chooses the next batch of requests."""

import itertools
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterator

from lad_runtime.engine.scheduler.job import AnyJob
from lad_runtime.engine.scheduler.tenant import Tenant, Waiting


class FairQueue:
    """Shares the device among tenants (runs and requests) by weight. Newcomers start at once; a tenant's own requests are FIFO.

    **By weight.** Each computed request advances its tenant's clock by cost / share weight, and `now` by cost / the sum of the
    waiting tenants' weights. Among tenants whose clock is at most `now`, the one whose clock would be earliest after its next
    request leads the batch (EEVDF: Stoica and Abdel-Wahab 1995). A tenant with small requests thus gets its turns between those
    of the others, however many they are, and no tenant falls far behind.

    **Batching.** The batch is filled with requests of the leader's group up to the token budget: first the leader's own, then
    those of the other tenants, furthest behind first. A tenant that is a full batch ahead of the furthest behind is left out.
    So tenants that always have requests waiting get the device in proportion to their weights, to within two batches.

    **Newcomers.** A tenant joins with its clock at `now`: idle time earns no credit. Its first token budget of cost (times its
    weight, if that is below 1) is computed ahead of turn, so that it waits for the current batch alone; among several
    newcomers, the one that has had least goes first. Its clock advances meanwhile, so a long-lived tenant waits afterwards.
    Cost computed ahead of turn is a loan of at most one token budget, which batches chosen by weight repay. So at least half of
    the device is shared by weight, however many newcomers arrive.

    Choosing a batch takes time in proportion to the jobs in it and the tenants waiting, not to the jobs waiting: within a
    tenant's group, the first request that does not fit ends the tenant's part.
    """

    def __init__(self) -> None:
        self.tokens = 0  # tokens of all waiting requests
        self._jobs = 0
        self.reset()

    def reset(self) -> None:
        """Clears all clocks and the loan. Call it when the queue is empty: an idle device leaves no debts."""
        assert self._jobs == 0, "nobody waits"
        self._shares = OrderedDict[
            Hashable, Tenant
        ]()  # tenants that wait or are being computed, longest waiting first
        self._left: dict[Hashable, Tenant] = {}  # tenants with no request whose clock is ahead of now
        self._now = 0.0
        self._lent = 0  # cost computed ahead of turn, less what batches by weight have repaid
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
        """Removes and returns the jobs of the next batch; empty when none waits. The first job may exceed the budget."""
        self._remove_idle()
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

    def _joining(self, tenant: Hashable) -> Tenant:
        back = self._left.pop(tenant, None)
        return Tenant(self._now) if back is None or back.clock <= self._now else back

    def _remove_idle(self) -> None:
        """Removes tenants with no request left. The clocks of those ahead of now are kept, in case they return."""
        for tenant in [tenant for tenant, share in self._shares.items() if share.head is None]:
            self._left[tenant] = self._shares.pop(tenant)
        for tenant in [tenant for tenant, share in self._left.items() if share.clock <= self._now]:
            del self._left[tenant]

    def _leader(self, token_budget: int) -> tuple[Tenant, bool]:
        """The tenant that leads the next batch, and whether it does so ahead of its turn."""
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

    def _batch(self, leader: Tenant, token_budget: int, loan: float) -> list[tuple[Tenant, Waiting]]:
        """The leader's first request and those batched with it; newcomers' requests only while `loan` suffices."""
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

    def _in_order(self, leader: Tenant, token_budget: int) -> Iterator[Tenant]:
        """The leader, then the tenants less than a batch ahead, furthest behind first."""
        yield leader
        shares = sorted(self._shares.values(), key=lambda share: share.clock)
        furthest_behind = shares[0].clock
        for share in shares:
            if share is not leader and share.clock - furthest_behind <= token_budget / share.weight:
                yield share
