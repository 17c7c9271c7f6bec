"""Stores: opened, renamed, closed (S59)."""

from uuid import UUID

import pytest

from domain import checks
from domain.kernel import NotFound
from domain.stores import CreateStore, Store, StoreClosed, StoreCodeTaken, StoreSaved, UpdateStore, open_store
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import Shop

NOWHERE = UUID(int=99)


def test_a_store_is_opened_renamed_closed_and_opened_again(shop: Shop) -> None:
    store = shop.run(CreateStore(code=" S1 ", name=" Tea house "))
    assert store == Store(id=store.id, program_id=PROGRAM_ID, code="S1", name="Tea house", created_at=START)
    assert shop.events == (StoreSaved(store_id=store.id),)
    assert shop.run(UpdateStore(store_id=store.id)) == store
    closed = shop.run(UpdateStore(store_id=store.id, name="New", is_closed=True))
    assert (closed.name, closed.is_closed) == ("New", True)
    with pytest.raises(StoreClosed) as refused:
        open_store(shop.state, store.id)
    assert refused.value.details == {"storeCode": "S1"}
    shop.run(UpdateStore(store_id=store.id, is_closed=False))
    assert open_store(shop.state, store.id) == shop.row(Store, store.id)
    assert open_store(shop.state, None) is None


def test_a_code_belongs_to_one_store(shop: Shop) -> None:
    shop.run(CreateStore(code="S1", name="Tea house"))
    with pytest.raises(StoreCodeTaken) as refused:
        shop.run(CreateStore(code="S1", name="Another"))
    assert refused.value.details == {"code": "S1"}


def test_what_is_malformed_or_unknown_is_refused(shop: Shop) -> None:
    with pytest.raises(checks.TextInvalid):
        shop.run(CreateStore(code="x" * 51, name="Tea house"))
    with pytest.raises(checks.TextInvalid):
        shop.run(CreateStore(code="S1", name=""))
    with pytest.raises(checks.TextInvalid):
        shop.run(UpdateStore(store_id=NOWHERE, name=""))
    with pytest.raises(NotFound):
        shop.run(UpdateStore(store_id=NOWHERE, name="New"))
