from hub.ports import HUB_SCOPE
def test_x(store):
    with store.begin(HUB_SCOPE) as uow:
        uow.audit.write(actor="a", action="b", subject="c", at=__import__("datetime").datetime(2026,1,1,tzinfo=__import__("datetime").timezone.utc), facts={})
    with store.begin(HUB_SCOPE) as uow:
        assert uow.audit.seal() == 1
def test_y(store):
    pass
