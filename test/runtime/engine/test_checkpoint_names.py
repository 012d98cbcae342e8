"""Whose the names of checkpoints are."""

import pytest

from lad_runtime.engine.resident.checkpoint_names import CheckpointNames, Writer
from lad_runtime.errors import ErrorCode, LadError

MINE, THEIRS = Writer(adapter_id="mine"), Writer(adapter_id="theirs")
RUN = Writer(adapter_id="theirs", run_id="run-1")


class Store:
    """The names, the checkpoints on the disk, and the adapters that are there."""

    def __init__(self) -> None:
        self.saved: set[str] = set()
        self.living = {"mine", "theirs"}
        self.names = CheckpointNames(self.saved.__contains__, self.living.__contains__)

    def save(self, writer: Writer, *, overwrite: bool = False) -> bool:
        foreign = self.names.claim_for_save("best", writer, overwrite=overwrite)
        self._write(writer)
        return foreign

    def train(self, writer: Writer, *, resume: bool = False, overwrite: bool = False) -> None:
        self.names.claim_for_run("best", writer, option="checkpoint", resume=resume, overwrite=overwrite)
        self._write(writer)

    def _write(self, writer: Writer) -> None:
        self.saved.add("best")
        self.names.wrote("best", writer.adapter_id)
        self.names.release("best", writer)


@pytest.fixture
def store() -> Store:
    return Store()


def told(error: LadError) -> tuple[ErrorCode, str, str]:
    return error.code, error.option, error.value


def test_an_adapter_writes_over_its_own_checkpoint_and_over_no_other(store: Store) -> None:
    assert not store.save(MINE) and not store.save(MINE)
    with pytest.raises(LadError, match="adapter mine wrote it") as refused:
        store.save(THEIRS)
    assert told(refused.value) == (ErrorCode.ALREADY_EXISTS, "name", "best")
    assert "overwrite" in refused.value.remedy and "deleteCheckpoint" in refused.value.remedy


def test_what_an_earlier_worker_wrote_is_anothers(store: Store) -> None:
    store.saved.add("best")
    with pytest.raises(LadError, match="before this worker began"):
        store.save(MINE)


def test_overwriting_is_told_apart_from_writing_again(store: Store) -> None:
    store.save(THEIRS)
    assert store.save(MINE, overwrite=True)
    assert not store.save(MINE, overwrite=True)
    with pytest.raises(LadError, match="adapter mine wrote it"):
        store.save(THEIRS)


def test_a_run_has_its_name_before_it_writes_and_nobody_writes_over_it(store: Store) -> None:
    store.names.claim_for_run("best", RUN, option="checkpoint", resume=False, overwrite=False)
    for write in (
        lambda: store.save(MINE, overwrite=True),
        lambda: store.save(THEIRS),
        lambda: store.train(Writer(adapter_id="mine", run_id="run-2"), resume=True, overwrite=True),
    ):
        with pytest.raises(LadError, match="run-1 is writing under that name") as refused:
            write()
        assert refused.value.code is ErrorCode.INVALID_STATE
    with pytest.raises(LadError, match="run-1 is writing"), store.names.deleting("best"):
        raise AssertionError("deleted under a run")
    store.names.release("best", RUN)
    store.save(MINE)


def test_what_a_run_wrote_is_its_adapters(store: Store) -> None:
    store.train(RUN)
    assert not store.save(THEIRS)
    with pytest.raises(LadError, match="adapter theirs wrote it"):
        store.save(MINE)


def test_a_run_begins_anew_under_a_free_name_alone_unless_it_is_to_overwrite(store: Store) -> None:
    store.train(RUN)
    with pytest.raises(LadError, match=r"set checkpoint\.overwrite|checkpoint\.overwrite") as refused:
        store.train(RUN)
    assert told(refused.value) == (ErrorCode.ALREADY_EXISTS, "checkpoint.name", "best")
    store.train(Writer(adapter_id="mine", run_id="run-2"), overwrite=True)


def test_a_run_goes_on_from_what_no_other_living_adapter_holds(store: Store) -> None:
    mine = Writer(adapter_id="mine", run_id="run-2")
    store.train(RUN)
    store.train(RUN, resume=True)
    with pytest.raises(LadError, match="Drop that adapter") as refused:
        store.train(mine, resume=True)
    assert refused.value.code is ErrorCode.ALREADY_EXISTS
    store.living.remove("theirs")
    store.train(mine, resume=True)


def test_a_save_that_fails_holds_nothing(store: Store) -> None:
    store.names.claim_for_save("best", MINE, overwrite=False)
    store.names.release("best", MINE)
    assert not store.save(THEIRS)


def test_calls_of_one_adapter_may_wait_for_one_another_and_others_may_not(store: Store) -> None:
    for _ in range(2):
        store.names.claim_for_save("best", MINE, overwrite=False)
    store.names.release("best", MINE)
    with pytest.raises(LadError, match="mine is writing"):
        store.save(THEIRS, overwrite=True)
    store.names.release("best", MINE)
    store.save(THEIRS)


def test_a_deleted_name_is_free_and_one_that_could_not_be_deleted_is_not(store: Store) -> None:
    store.save(MINE)
    with pytest.raises(OSError), store.names.deleting("best"):
        raise OSError
    with pytest.raises(LadError, match="adapter mine wrote it"):
        store.save(THEIRS)
    with store.names.deleting("best"):
        store.saved.remove("best")
    store.save(THEIRS)
