"""Lengths of examples, counted exactly: memory for each different length, not for each example."""

from collections import Counter

from lad_runtime.types.inspection import Lengths

_BINS = 20


class LengthCounts:
    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, tokens: int) -> None:
        self._counts[tokens] += 1

    def lengths(self) -> Lengths:
        """Their mean, quantiles and histogram; of at least one length."""
        total = self._counts.total()
        ordered = sorted(self._counts.items())
        most = ordered[-1][0]
        bin_tokens = max(1, -(-most // _BINS))
        bins = [0] * max(1, -(-most // bin_tokens))
        for tokens, count in ordered:
            bins[max(0, tokens - 1) // bin_tokens] += count

        def quantile(hundredths: int) -> int:
            reached = 0
            for tokens, count in ordered:
                reached += count
                if 100 * reached >= hundredths * total:
                    return tokens
            raise AssertionError("all lengths together are the whole")

        return Lengths(
            mean=sum(tokens * count for tokens, count in ordered) / total,
            least=ordered[0][0],
            p5=quantile(5),
            p25=quantile(25),
            median=quantile(50),
            p75=quantile(75),
            p95=quantile(95),
            p99=quantile(99),
            most=most,
            bin_tokens=bin_tokens,
            bins=tuple(bins),
        )
