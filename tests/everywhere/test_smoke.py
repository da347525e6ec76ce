from tests.support.market import Market


def test_reads(market: Market) -> None:
    answer = market.get("/api/v2/product?parent_sku=ring")
    assert answer.status == 200, answer.body
    assert market.get("/api/v3/channels", "wishpost:lan").status == 200
    assert market.post("/api/v2/product/update", parent_sku="ring", name="x").data == {}
