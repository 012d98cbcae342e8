"""Mixtures: shares, what is left out and counted, repeats, and the same bytes whatever comes in which order."""

import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.mixtures.benchmarks import BenchmarkPrompts
from lad_runtime.engine.data.mixtures.mixing import Mixtures
from lad_runtime.engine.data.mixtures.turns import draws, turns
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Example, Message
from lad_runtime.types.mixtures import MixtureSource, NearDuplicates
from mixture_support import BACKEND, BASE, asked, mixed, mixture, numbered, rows_of, source, stored

NEAR = NearDuplicates(threshold=0.8, shingle_words=3, permutations=128)
LONG = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau"


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def refused(store: DatasetStore, *sources: MixtureSource, **options: object) -> LadError:
    with pytest.raises(LadError) as error:
        mixed(store, mixture(*sources, **options))
    return error.value


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=9), st.integers(1, 400))
def test_every_beginning_of_a_mixture_has_each_share_within_one_example(
    weights: list[float], length: int
) -> None:
    shares = [weight / sum(weights) for weight in weights]
    had = [0] * len(shares)
    for number, turn in enumerate(islice(turns(shares), length), start=1):
        had[turn] += 1
        assert all(abs(has - share * number) < 1 for has, share in zip(had, shares, strict=True))


@given(st.integers(0, 2**64 - 1), st.integers(1, 40), st.integers(0, 3))
def test_a_source_is_used_up_before_any_of_it_comes_again(seed: int, examples: int, repeats: int) -> None:
    drawn = list(draws(seed, "a", examples, repeats))
    assert len(drawn) == examples * (repeats + 1)
    for start in range(0, len(drawn), examples):
        assert sorted(drawn[start : start + examples]) == list(range(examples))


def test_which_examples_are_drawn_depends_on_the_seed_and_the_name_alone(store: DatasetStore) -> None:
    a, b, c = (numbered(store, name, 40) for name in "abc")
    alone = mixed(store, mixture(source("a", a, 1), source("b", b, 3), examples=40, seed=5))
    beside = mixed(store, mixture(source("a", a, 1), source("c", c, 3), examples=40, seed=5))
    other = mixed(store, mixture(source("a", a, 1), source("b", b, 3), examples=40, seed=6))
    of_a = [[row for name, row in rows_of(store, each[0]) if name == "a"] for each in (alone, beside, other)]
    assert of_a[0] == of_a[1] != of_a[2]
    assert of_a[0] != sorted(of_a[0])


@settings(max_examples=20, deadline=None)
@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_in_which_sources_are_named_changes_no_byte(
    tmp_path_factory: pytest.TempPathFactory, order: list[str]
) -> None:
    store = DatasetStore(tmp_path_factory.mktemp("store"))
    # each source has what the one before it has, so that which of them keeps a duplicate matters
    ids = {
        name: asked(store, *[f"q {n}" for n in range(start, start + 10)]) for start, name in enumerate("abcd")
    }
    sources = {name: source(name, ids[name], 1 + start) for start, name in enumerate("abcd")}
    spec = mixture(*[sources[name] for name in order], examples=12, seed=3)
    expected = mixture(*sources.values(), examples=12, seed=3)
    assert mixed(store, spec) == mixed(store, expected)


def test_without_a_number_of_examples_the_scarcest_source_ends_the_mixture(store: DatasetStore) -> None:
    few, many = numbered(store, "few", 10), numbered(store, "many", 1000)
    dataset_id, report = mixed(store, mixture(source("few", few, 1), source("many", many, 3)))
    counts = Counter(name for name, _ in rows_of(store, dataset_id))
    assert report.ended_by == "few"
    assert counts["few"] == 10 and abs(counts["many"] - 30) <= 1
    assert len(set(rows_of(store, dataset_id))) == report.examples == sum(counts.values())


def test_a_source_that_runs_out_is_repeated_up_to_its_limit(store: DatasetStore) -> None:
    few, many = numbered(store, "few", 10), numbered(store, "many", 1000)
    spec = mixture(source("few", few, 1, max_repeats=2), source("many", many, 1), examples=50)
    dataset_id, report = mixed(store, spec)
    assert report.ended_by == "" and report.examples == 50
    by_name = {each.name: each for each in report.sources}
    assert (by_name["few"].used, by_name["few"].repeated) == (10, 15)
    assert (by_name["many"].used, by_name["many"].repeated) == (25, 0)
    times = Counter(row for name, row in rows_of(store, dataset_id) if name == "few")
    assert set(times.values()) == {2, 3}

    short = mixture(source("few", few, 1, max_repeats=0), source("many", many, 1), examples=50)
    _, report = mixed(store, short)
    assert report.ended_by == "few" and report.examples == 20


def test_every_row_has_a_number_of_its_own_so_that_repeats_are_noised_anew(store: DatasetStore) -> None:
    few = stored(store, [{"id": 7, "instruction": "q", "output": "a"}])
    dataset_id, _ = mixed(store, mixture(source("few", few), examples=3))
    assert [example.id for example in store.examples(dataset_id)] == [0, 1, 2]


def test_an_examples_turns_are_kept_as_they_are(store: DatasetStore) -> None:
    turns_of = [
        {"role": "system", "content": "Be brief.  "},
        {"role": "user", "content": "Hé\n\t“x”"},
        {"role": "assistant", "content": ""},
    ]
    dataset_id, _ = mixed(store, mixture(source("s", stored(store, [{"messages": turns_of}]))))
    (example,) = store.examples(dataset_id)
    assert [{"role": turn.role, "content": turn.content} for turn in example.messages] == turns_of


def test_an_example_keeps_its_weight(store: DatasetStore) -> None:
    rows = [{"instruction": f"q{n}", "output": "a", "weight": weight} for n, weight in enumerate((0, 1, 2.5))]
    dataset_id, _ = mixed(store, mixture(source("s", stored(store, rows))))
    assert sorted(example.weight for example in store.examples(dataset_id)) == [0.0, 1.0, 2.5]


def test_duplicates_of_any_source_are_left_out_and_stay_with_the_first_name(store: DatasetStore) -> None:
    a = asked(store, "one", "two", "one", " one ")
    b = asked(store, "two", "three")
    dataset_id, report = mixed(store, mixture(source("b", b), source("a", a)))
    first, second = report.sources
    assert (first.read, first.duplicates, first.kept) == (4, 2, 2)
    assert (second.read, second.duplicates, second.kept) == (2, 1, 1)
    assert ("b", "two") not in rows_of(store, dataset_id)
    _, report = mixed(store, mixture(source("b", b), source("a", a), exact_duplicates=False))
    assert [each.kept for each in report.sources] == [4, 2]


def test_another_answer_or_system_message_makes_no_duplicate(store: DatasetStore) -> None:
    rows = [
        {"instruction": "q", "output": "a"},
        {"instruction": "q", "output": "b"},
        {"instruction": "q", "output": "a", "system": "s"},
        {"instruction": "q a", "output": ""},
    ]
    _, report = mixed(store, mixture(source("s", stored(store, rows))))
    assert report.sources[0].kept == 4


def test_near_duplicates_are_left_out_across_sources(store: DatasetStore) -> None:
    pytest.importorskip("rensa")
    a = asked(store, LONG, "something else that shares no run of words")
    b = asked(store, LONG.replace("tau", "upsilon"), LONG.upper() + "!", " ".join(reversed(LONG.split())))
    _, report = mixed(store, mixture(source("a", a), source("b", b), near_duplicates=NEAR))
    assert [each.near_duplicates for each in report.sources] == [0, 2]
    assert [each.kept for each in report.sources] == [2, 1]


def test_similar_prompts_below_the_threshold_stay(store: DatasetStore) -> None:
    """Two of four runs of three words are shared by six: a similarity of a third."""
    pytest.importorskip("rensa")
    a = asked(store, "one two three four five", "one two three four six", answer="")
    _, report = mixed(store, mixture(source("a", a), near_duplicates=NEAR))
    assert report.sources[0].near_duplicates == 0
    lenient = NearDuplicates(threshold=0.2, shingle_words=3, permutations=128)
    _, report = mixed(store, mixture(source("a", a), near_duplicates=lenient))
    assert report.sources[0].near_duplicates == 1


def test_more_examples_than_the_table_of_signatures_began_with_are_compared(store: DatasetStore) -> None:
    pytest.importorskip("rensa")
    texts = [" ".join(f"w{number}x{place}" for place in range(5)) for number in range(1100)]
    _, report = mixed(
        store,
        mixture(source("a", asked(store, *texts, *texts)), exact_duplicates=False, near_duplicates=NEAR),
    )
    assert (report.sources[0].kept, report.sources[0].near_duplicates) == (1100, 1100)


def test_without_the_library_near_duplicates_name_the_remedy(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    error = refused(store, source("a", asked(store, "q")), near_duplicates=NEAR)
    assert error.code is ErrorCode.UNAVAILABLE and "npm run setup -- --with data" in str(error)


def user(text: str) -> Example:
    messages = (Message(role="user", content=text), Message(role="assistant", content="a"))
    return Example(id=0, messages=messages)


@pytest.mark.parametrize(
    ("prompt", "is_found"),
    [
        ("What is 2+2?", True),
        ("what is:  2 + 2", True),
        ("So, what is 2+2?", False),  # within another prompt, a short one is common speech
        (LONG, True),
        ("Please answer: " + " ".join(LONG.split()[3:16]), True),  # 13 words in a row
        ("Please answer: " + " ".join(LONG.split()[3:15]), False),
        ("He asked who wrote the very first book of them all yesterday", True),  # a whole prompt of 9 words
        ("Unrelated", False),
    ],
)
def test_prompts_that_stand_in_a_benchmark_are_found_whole_and_in_part(prompt: str, is_found: bool) -> None:
    texts = ("What is 2+2?", LONG, "Who wrote the very first book of them all?", "!?")
    benchmarks = BenchmarkPrompts(map(user, texts), 13)
    assert benchmarks.contain(user(prompt)) is is_found


def test_with_no_overlap_asked_for_only_whole_prompts_are_compared() -> None:
    benchmarks = BenchmarkPrompts([user(LONG)], 0)
    assert benchmarks.contain(user(LONG.upper()))
    assert not benchmarks.contain(user(f"Please: {LONG}"))


def test_prompts_without_a_word_are_none_of_a_benchmark() -> None:
    assert not BenchmarkPrompts([user("?!")], 13).contain(user("…"))


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=12), max_size=4),
    st.lists(st.sampled_from("abc"), max_size=20),
    st.integers(1, 9),
)
def test_overlaps_equal_those_of_a_plain_search(
    benchmarks: list[list[str]], words: list[str], overlap: int
) -> None:
    def found(text: list[str]) -> bool:
        if not text:
            return False
        length = min(overlap, len(text))
        parts = {tuple(text[at : at + length]) for at in range(len(text) - length + 1)}
        shares = any(tuple(words[at : at + length]) in parts for at in range(len(words) - length + 1))
        return text == words or (len(text) >= min(8, overlap) and shares)

    known = BenchmarkPrompts([user(" ".join(text)) for text in benchmarks], overlap)
    assert known.contain(user(" ".join(words))) is any(map(found, benchmarks))


def test_contaminated_examples_are_counted_and_left_out(store: DatasetStore) -> None:
    benchmark = asked(store, "What is 2+2?", answer="")
    a = asked(store, "what is 2 + 2", "What is 3+3?")
    dataset_id, report = mixed(store, mixture(source("a", a), without=[benchmark]))
    assert (report.sources[0].contaminated, report.sources[0].kept) == (1, 1)
    assert rows_of(store, dataset_id) == [("a", "What is 3+3?")]


def test_limits_in_tokens_count_prompts_and_answers_with_their_end(store: DatasetStore) -> None:
    rows = [{"instruction": "x" * n, "output": "y" * m} for n, m in ((5, 4), (6, 4), (5, 5), (300, 1))]
    data = stored(store, rows)
    prompt = len("user:") + 5 + len("\nassistant:")
    limited = source("a", data, max_prompt_tokens=prompt, max_answer_tokens=5)
    dataset_id, report = mixed(store, mixture(limited), BASE)
    assert (report.sources[0].read, report.sources[0].too_long, report.sources[0].kept) == (4, 3, 1)
    assert rows_of(store, dataset_id) == [("a", "xxxxx")]
    error = refused(store, limited)
    assert error.code is ErrorCode.INVALID_OPTION and "base.mix" in str(error)


def test_one_that_is_too_long_for_its_own_source_does_not_stop_another_of_the_same_text(
    store: DatasetStore,
) -> None:
    a, b = asked(store, "xxxx", "x"), asked(store, "xxxx")
    limited = source("a", a, max_prompt_tokens=len("user:x\nassistant:"))
    _, report = mixed(store, mixture(limited, source("b", b)), BASE)
    assert [each.kept for each in report.sources] == [1, 1]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.text("ab ", min_size=1, max_size=3).filter(str.strip), min_size=1, max_size=12),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 30),
)
def test_the_counts_of_a_report_add_up(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], examples: int
) -> None:
    store = DatasetStore(tmp_path_factory.mktemp("store"))
    benchmark = asked(store, "a b")
    sources = [
        source(f"s{number}", asked(store, *some), number + 1, max_prompt_tokens=19)
        for number, some in enumerate(texts)
    ]
    try:
        dataset_id, report = mixed(store, mixture(*sources, without=[benchmark], examples=examples), BASE)
    except LadError as error:
        assert error.code is ErrorCode.INVALID_DATA and "is left" in str(error)
        return
    rows = Counter(name for name, _ in rows_of(store, dataset_id))
    assert report.examples == rows.total() == store.count(dataset_id)
    for each, some in zip(report.sources, texts, strict=True):
        assert each.read == len(some)
        assert (
            each.read
            == each.too_long + each.contaminated + each.duplicates + each.near_duplicates + each.kept
        )
        assert each.used <= each.kept and each.repeated <= 3 * each.used
        assert rows[each.name] == each.used + each.repeated
    assert report.ended_by or report.examples == examples


def test_a_source_of_which_nothing_is_left_says_why(store: DatasetStore) -> None:
    error = refused(store, source("a", asked(store, "q")), source("b", asked(store, "q")))
    assert error.code is ErrorCode.INVALID_DATA and error.option == "sources.b"
    assert "of its 1 examples, 1 duplicates" in str(error)


def test_a_mixture_of_what_is_not_there_leaves_nothing_behind(store: DatasetStore, tmp_path: Path) -> None:
    a = asked(store, "q")
    assert refused(store, source("a", a), source("b", "0" * 64)).code is ErrorCode.NOT_FOUND
    assert refused(store, source("a", a), without=["0" * 64]).code is ErrorCode.NOT_FOUND
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [f"{a}.jsonl"]


@pytest.mark.parametrize("share", [0, -1, 1e7, float("inf"), float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(LadError, match="share"):
        source("a", "0" * 64, share)


def test_names_are_names_and_stand_once() -> None:
    with pytest.raises(LadError, match="the same name"):
        mixture(source("a", "0" * 64), source("a", "1" * 64))
    with pytest.raises(LadError, match="sources"):
        source("../a", "0" * 64)
    with pytest.raises(LadError, match="sources"):
        mixture()


def test_shares_far_apart_are_met(store: DatasetStore) -> None:
    a, b = numbered(store, "a", 3), numbered(store, "b", 400)
    _, report = mixed(store, mixture(source("a", a, 1e-3), source("b", b, 1e6), examples=400))
    assert [each.used + each.repeated for each in report.sources] in ([0, 400], [1, 399])


def test_the_same_mixture_is_made_once_and_again_when_its_file_went_away(store: DatasetStore) -> None:
    mixtures = Mixtures(BACKEND, store)
    spec = mixture(source("a", numbered(store, "a", 5)))
    made = mixtures.mix(None, spec, lambda: False)
    read = store.examples
    store.examples = lambda dataset_id: pytest.fail("it reads again")  # type: ignore[method-assign]
    assert mixtures.mix(None, spec, lambda: False) == made
    store.examples = read  # type: ignore[method-assign]
    (store.folder / f"{made[0]}.jsonl").unlink()
    assert mixtures.mix(None, spec, lambda: False) == made
    assert store.count(made[0]) == 5


def test_a_mixture_that_nobody_waits_for_ends(store: DatasetStore) -> None:
    spec = mixture(source("a", numbered(store, "a", 5)))
    with pytest.raises(LadError) as error:
        Mixtures(BACKEND, store).mix(None, spec, lambda: True)
    assert error.value.code is ErrorCode.CANCELLED
    assert not list(store.folder.glob("*.part"))
