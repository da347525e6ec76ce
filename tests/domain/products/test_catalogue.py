"""Rules of the catalogue that are easy to miss, each as a small story through the API."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.support.calls import NEW_PRODUCT
from tests.support.fill import FILL_WITH_VARIATIONS
from tests.support.market import Market
from tradepost.domain import merchants, products, warehouses
from tradepost.domain.products import tag_id

PICTURE = "https://pictures.example/{}.jpg"


def product(market: Market, who: str = "usd", **query: object) -> Any:
    answer = market.get("/api/v2/product", who, **query)
    assert answer.status == 200, answer.body
    return answer.data["Product"]


def variations(market: Market, parent_sku: str = "ring") -> dict[str, Any]:
    return {item["Variant"]["sku"]: item["Variant"] for item in product(market, parent_sku=parent_sku)["variants"]}


def add(market: Market, who: str = "usd", **changes: object) -> Any:
    return market.post("/api/v2/product/add", who, **NEW_PRODUCT | changes)


def add_variation(market: Market, sku: str, **changes: object) -> Any:
    params = {"parent_sku": "ring", "sku": sku, "color": sku, "inventory": 1, "price": 5}
    return market.post("/api/v2/variant/add", "usd", **params | changes)


def ok(answer: Any) -> Any:
    assert (answer.status, answer.code) == (200, 0), answer.body
    return answer.data


def refused(answer: Any, kind: str) -> None:
    assert answer.status == 400, answer.body
    assert answer.json["type"] == kind, answer.body


def as_platform(market: Market, verb: Any, who: str = "usd") -> None:
    """Do something to a merchant in the name of the marketplace."""

    async def act(ctx: Any) -> None:
        await verb(await merchants.act_for(ctx, market.world.merchants[who].account_id))

    market.operate(act)


def later(market: Market, hours: int = 1) -> None:
    market.sql("update world_clock set fixed_at = fixed_at + make_interval(hours => $1)", hours)


class TestSkus:
    """Unique among what is live, case-sensitively."""

    def test_the_sku_stands_in_for_a_parent_sku(self, market: Market) -> None:
        ok(add(market, parent_sku=""))
        assert product(market, parent_sku="red-shoe-11")["parent_sku"] == "red-shoe-11"

    def test_case_makes_another_sku(self, market: Market) -> None:
        ok(add_variation(market, "RING-RED"))
        assert {"ring-red", "RING-RED"} <= variations(market).keys()

    def test_the_same_text_in_two_forms_is_one_sku(self, market: Market) -> None:
        ok(add_variation(market, "caf\u00e9"))
        refused(add_variation(market, "cafe\u0301", color="other"), "sku_taken")

    def test_space_at_the_ends_makes_no_other_sku(self, market: Market) -> None:
        refused(add_variation(market, " ring-red "), "sku_taken")

    def test_another_merchant_may_have_the_same(self, market: Market) -> None:
        ok(market.get("/api/v2/variant", "cny", sku="ring-red"))
        ok(market.get("/api/v2/variant", "usd", sku="ring-red"))

    def test_a_taken_sku_leaves_nothing_behind(self, market: Market) -> None:
        before = market.sql("select count(*) from product")
        refused(add(market, sku="ring-red"), "sku_taken")
        assert market.sql("select count(*) from product") == before

    def test_changing_a_sku_to_itself_is_refused(self, market: Market) -> None:
        refused(market.post("/api/v2/variant/change-sku", sku="ring-red", new_sku="ring-red"), "sku_taken")
        refused(market.post("/api/v2/product/change-sku", parent_sku="ring", new_parent_sku="ring"), "sku_taken")

    def test_a_new_parent_sku_must_not_be_a_variations(self, market: Market) -> None:
        answer = market.post("/api/v2/product/change-sku", parent_sku="ring", new_parent_sku="scarf")
        refused(answer, "sku_taken")

    def test_a_variation_is_added_to_the_product_of_another_variation(self, market: Market) -> None:
        ok(add_variation(market, "ring-gold", parent_sku="ring-red"))
        assert "ring-gold" in variations(market)


class TestSwitching:
    """Enabling and disabling cascade; what the marketplace took down stays down."""

    def test_a_product_takes_its_variations_along(self, market: Market) -> None:
        ok(market.post("/api/v2/product/disable", parent_sku="ring"))
        assert {v["enabled"] for v in variations(market).values()} == {"False"}
        assert product(market, parent_sku="ring")["enabled"] == "False"
        ok(market.post("/api/v2/product/enable", parent_sku="ring"))
        assert {v["enabled"] for v in variations(market).values()} == {"True"}

    def test_one_variation_goes_alone(self, market: Market) -> None:
        ok(market.post("/api/v2/variant/disable", sku="ring-red"))
        assert [v["enabled"] for v in variations(market).values()] == ["True", "True", "False"]
        assert product(market, parent_sku="ring")["enabled"] == "True"

    def test_what_was_taken_down_is_never_enabled_again(self, market: Market) -> None:
        as_platform(market, lambda ctx: products.take_down_variation(ctx, "ring-red"))
        ok(market.post("/api/v2/product/enable", parent_sku="ring"))
        assert variations(market)["ring-red"]["enabled"] == "False"
        assert variations(market)["ring-red"]["removed_by_wish"] == "True"
        refused(market.post("/api/v2/variant/enable", sku="ring-red"), "removed_by_wish")
        refused(market.post("/api/v2/variant/update", sku="ring-red", enabled="true"), "removed_by_wish")
        ok(market.post("/api/v2/variant/update", sku="ring-red", enabled="false", price="9"))


class TestRemoving:
    """A removed product is out of everything but a look by its id."""

    def remove(self, market: Market) -> str:
        found: str = product(market, parent_sku="ring")["id"]
        ok(market.post("/api/v2/product/remove", parent_sku="ring"))
        return found

    def test_it_is_found_by_its_id_only(self, market: Market) -> None:
        product_id = self.remove(market)
        removed = product(market, id=product_id)
        assert removed["removed_by_merchant"] is True
        assert removed["parent_sku"] == f"ring-removed-{product_id}"
        assert removed["variants"][0]["Variant"]["sku"] == f"ring-green-removed-{product_id}"
        for query in ({"parent_sku": "ring"}, {"parent_sku": f"ring-removed-{product_id}"}):
            assert market.get("/api/v2/product", **query).code == 1004
        assert market.get("/api/v2/variant", sku="ring-red").code == 1004

    def test_it_is_in_no_list(self, market: Market) -> None:
        product_id = self.remove(market)
        for path in ("product", "variant"):
            assert product_id not in market.get(f"/api/v2/{path}/multi-get").body.decode()

    @pytest.mark.parametrize("verb", ["update", "enable", "disable", "remove", "remove-extra-images", "change-sku"])
    def test_nothing_about_it_can_change(self, market: Market, verb: str) -> None:
        product_id = self.remove(market)
        answer = market.post(f"/api/v2/product/{verb}", id=product_id, name="x", new_parent_sku="y")
        refused(answer, "product_removed")

    def test_nothing_can_be_added_to_it(self, market: Market) -> None:
        product_id = self.remove(market)
        for parent in ("ring", "ring-green", f"ring-removed-{product_id}"):
            assert add_variation(market, "ring-gold", parent_sku=parent).code == 1004

    def test_its_skus_can_be_used_again_and_removed_again(self, market: Market) -> None:
        self.remove(market)
        ok(add(market, sku="ring-red", parent_sku="ring"))
        self.remove(market)
        ok(add(market, sku="ring-red", parent_sku="ring"))

    def test_a_live_sku_that_looks_removed_is_in_nobodys_way(self, market: Market) -> None:
        product_id = product(market, parent_sku="ring")["id"]
        ok(add(market, sku=f"ring-red-removed-{product_id}", parent_sku=f"ring-removed-{product_id}"))
        ok(market.post("/api/v2/product/remove", parent_sku="ring"))


class TestLimits:
    """As many as the reference says, and not one more."""

    def test_four_hundred_variations(self, market: Market) -> None:
        market.sql(FILL_WITH_VARIATIONS, market.world.merchants["usd"].account_id, "ring", 4, 399)
        ok(add_variation(market, "the-last"))
        refused(add_variation(market, "one-more"), "too_many_variations")
        assert len(variations(market)) == 400

    def test_ten_tags_are_kept(self, market: Market) -> None:
        tags = ",".join(f"tag {number}" for number in range(12))
        added = ok(add(market, tags=tags))["Product"]
        assert [tag["Tag"]["name"] for tag in added["tags"]] == [f"tag {number}" for number in range(10)]

    @pytest.mark.parametrize(("extra", "fits"), [(100, True), (101, False)])
    def test_extra_pictures_of_a_new_product(self, market: Market, extra: int, fits: bool) -> None:
        answer = add(market, extra_images="|".join(PICTURE.format(n) for n in range(extra)), clean_image="")
        assert answer.status == (200 if fits else 400)

    def test_extra_pictures_and_those_of_variations_count_together(self, market: Market) -> None:
        ninety_eight = "|".join(PICTURE.format(number) for number in range(98))
        ok(market.post("/api/v2/product/update", parent_sku="ring", extra_images=ninety_eight))
        own = {"main_image": PICTURE.format("own"), "update_product_image": "false"}
        ok(market.post("/api/v2/variant/update", sku="ring-red", **own))
        ok(add_variation(market, "ring-gold", main_image=PICTURE.format("gold")))
        refused(add_variation(market, "ring-black", main_image=PICTURE.format("black")), "too_many_images")
        refused(market.post("/api/v2/variant/update", sku="ring-blue", **own), "too_many_images")
        # A picture in place of a picture is no picture more.
        ok(market.post("/api/v2/variant/update", sku="ring-red", **own | {"main_image": PICTURE.format("new")}))
        one_more = ninety_eight + "|" + PICTURE.format("last")
        refused(market.post("/api/v2/product/update", parent_sku="ring", extra_images=one_more), "too_many_images")

    def test_colour_and_size_are_one_pair(self, market: Market) -> None:
        ok(add_variation(market, "a", color="red", size="8"))
        refused(add_variation(market, "b", color="RED", size="8"), "invalid_param")
        ok(add_variation(market, "b", color="", size="8"))
        refused(add_variation(market, "c", color="", size="8"), "invalid_param")
        refused(market.post("/api/v2/variant/update", sku="b", color="red"), "invalid_param")


class TestShipping:
    """What a new variation costs to ship, and in which warehouse."""

    def test_the_products_default_counts(self, market: Market) -> None:
        ok(add_variation(market, "ring-gold"))
        assert variations(market)["ring-gold"]["shipping"] == "10.5"

    def test_without_a_default_the_highest_active_one(self, market: Market) -> None:
        market.sql("update product_shipping set default_price = null")
        market.sql(
            "update stock s set shipping = case v.sku when 'ring-green' then 3 when 'ring-blue' then 7 else 9 end "
            "from variation v where v.id = s.variation_id and v.merchant_id = s.merchant_id"
        )
        ok(market.post("/api/v2/variant/disable", sku="ring-red"))
        ok(add_variation(market, "ring-gold"))
        assert variations(market)["ring-gold"]["shipping"] == "7.0"

    def test_stock_is_per_warehouse(self, market: Market) -> None:
        ok(
            market.post(
                "/api/v2/variant/update-inventory", sku="ring-red", inventory=5, warehouse_name="EXPRESS-US"
            )
        )
        ok(market.post("/api/v2/variant/update", sku="ring-blue", inventory=6, warehouse_name="EXPRESS-US"))
        here = product(market, parent_sku="ring")["variants"]
        there = product(market, parent_sku="ring", warehouse_name="EXPRESS-US")["variants"]
        assert [item["Variant"]["inventory"] for item in here] == ["11", "100", "100"]
        assert [item["Variant"]["inventory"] for item in there] == ["0", "6", "5"]
        assert {item["Variant"]["shipping"] for item in there} == {None}
        assert [item["Variant"]["price"] for item in there] == [item["Variant"]["price"] for item in here]

    def test_a_country_without_one_of_its_amounts_has_the_default(self, market: Market) -> None:
        prices = '{"US": 3.99, "LOCAL_CA": 30, "DE": 1, "NO": 1, "JM": 2}'
        own = {
            "localized_price": 600,
            "localized_shipping": 60,
            "localized_currency_code": "CNY",
            "localized_msrp": 1,
        }
        added = ok(add(market, "cny", country_shipping_prices=prices, **own))["Product"]
        told = {c["country_code"]: c["localized_price"] for c in _inner(added["country_shippings"])}
        assert told == {"CA": "30.0", "DE": "60.0", "US": "60.0"}

    def test_the_us_has_a_price_in_any_case(self, market: Market) -> None:
        added = ok(add(market, country_shipping_prices=""))["Product"]
        assert [(c["country_code"], c["price"]) for c in _inner(added["country_shippings"])] == [("US", "10.0")]


def _inner(items: list[dict[str, Any]]) -> list[Any]:
    return [next(iter(item.values())) for item in items]


class TestLastUpdated:
    """Every change of a product or one of its variations moves it, and lists follow."""

    CHANGES = (
        ("product/update", {"parent_sku": "ring", "name": "x"}),
        ("product/change-sku", {"parent_sku": "ring", "new_parent_sku": "x"}),
        ("product/enable", {"parent_sku": "ring"}),
        ("product/disable", {"parent_sku": "ring"}),
        ("product/remove-extra-images", {"parent_sku": "ring"}),
        ("variant/add", {"parent_sku": "ring", "sku": "x", "color": "x", "inventory": 1, "price": 1}),
        ("variant/update", {"sku": "ring-red", "price": 1}),
        ("variant/update", {"sku": "ring-red", "inventory": 1}),
        ("variant/update", {"sku": "ring-red", "weight": 1}),
        ("variant/change-sku", {"sku": "ring-red", "new_sku": "x"}),
        ("variant/enable", {"sku": "ring-red"}),
        ("variant/disable", {"sku": "ring-red"}),
        ("variant/update-inventory", {"sku": "ring-red", "inventory": 1}),
    )

    @pytest.mark.parametrize(("path", "params"), CHANGES, ids=[path for path, _ in CHANGES])
    def test_it_moves(self, market: Market, path: str, params: dict[str, object]) -> None:
        assert _listed(market) == ["Wool Scarf", "Cute Ring"]
        product_id = product(market, parent_sku="ring")["id"]
        later(market)
        ok(market.post(f"/api/v2/{path}", "usd", **params))
        assert product(market, id=product_id)["last_updated"] == "05-19-2021T17:37:00"
        assert _listed(market)[1] == "Wool Scarf"

    def test_it_stays_without_a_change(self, market: Market) -> None:
        later(market)
        ok(market.post("/api/v2/product/update", parent_sku="ring"))
        ok(market.post("/api/v2/variant/update", sku="ring-red"))
        assert product(market, parent_sku="ring")["last_updated"] == "05-19-2021T09:00:00"

    def test_since_includes_and_upto_does_not(self, market: Market) -> None:
        at, after = "2021-05-19T12:00:00", "2021-05-19T12:00:01"
        assert _listed(market, since=at) == ["Wool Scarf"]
        assert _listed(market, since=after) == []
        assert _listed(market, upto=at) == ["Cute Ring"]
        assert _listed(market, upto=after) == ["Wool Scarf", "Cute Ring"]

    def test_rejected_products_are_shown_on_request(self, market: Market) -> None:
        product_id = product(market, parent_sku="ring")["id"]
        as_platform(market, lambda ctx: products.review_product(ctx, product_id, "rejected"))
        assert _listed(market) == ["Wool Scarf"]
        assert sorted(_listed(market, show_rejected="True")) == ["Cute Ring", "Wool Scarf"]

    def test_pages_can_be_followed(self, market: Market) -> None:
        for number in range(5):
            ok(add(market, sku=f"s{number}", parent_sku=f"p{number}", name=f"n{number}"))
        target: str | None = (
            f"/api/v2/product/multi-get?limit=3&show_rejected=true&access_token={market.token('usd')}"
        )
        seen: list[str] = []
        starts = []
        while target:
            answer = market.request("GET", target, None)
            seen += [item["Product"]["id"] for item in answer.data]
            starts.append("previous" in answer.json.get("paging", {}))
            target = answer.json.get("paging", {}).get("next")
        assert len(seen) == len(set(seen)) == 7
        assert starts == [False, True, True]


def test_no_link_leads_further_than_start_may_go(market: Market) -> None:
    """A link can be followed as it is, so the last page that can be reached has none."""
    market.sql(
        "insert into product (merchant_id, id, parent_sku, name, description, main_image, original_image_url, "
        "created_at, updated_at) select $1, lpad(n::text, 24, '0'), 'p' || n, 'n', 'd', 'm', 'm', now(), "
        "world_now() from generate_series(1, 25100) n",
        market.world.merchants["usd"].account_id,
    )
    for start, further in (("24990", True), ("24991", False), ("25000", False)):
        answer = market.get("/api/v2/product/multi-get", start=start, limit=10)
        assert len(answer.data) == 10
        assert ("next" in answer.json["paging"]) == further


def _listed(market: Market, **query: object) -> list[str]:
    return [item["Product"]["name"] for item in ok(market.get("/api/v2/product/multi-get", "usd", **query))]


class TestUpdating:
    """Only what was sent changes."""

    @pytest.mark.parametrize(
        ("path", "key", "change"),
        [
            ("product", "name", {"name": "x"}),
            ("product", "upc", {"upc": "00000000"}),
            ("product", "tags", {"tags": "a,b"}),
            ("product", "condition", {"condition": "used"}),
            ("product", "max_quantity", {"max_quantity": "77"}),
            ("product", "landing_page_url", {"landing_page_url": "https://x.example/"}),
        ],
    )
    def test_one_attribute_of_a_product(self, market: Market, path: str, key: str, change: dict[str, str]) -> None:
        before = product(market, parent_sku="ring")
        ok(market.post("/api/v2/product/update", parent_sku="ring", **change))
        after = product(market, parent_sku="ring")
        changed = {name for name in before if before[name] != after[name]}
        # The condition of a product is told with each of its variations.
        assert changed == {key, "last_updated"} | ({"variants"} if key == "condition" else set())

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"price": "3.5"}, {"price": "3.5", "localized_price": "3.5"}),
            ({"inventory": "0"}, {"inventory": "0"}),
            ({"msrp": "7"}, {"msrp": "7.0", "localized_msrp": "7.0"}),
            ({"size": "L"}, {"size": "L"}),
            ({"enabled": "0"}, {"enabled": "False"}),
            ({"shipping_time": "9-9"}, {"shipping_time": "9-9"}),
            ({"quantity_value": "0.5"}, {"quantity_value": "0.5"}),
        ],
        ids=str,
    )
    def test_one_attribute_of_a_variation(
        self, market: Market, change: dict[str, str], told: dict[str, str]
    ) -> None:
        before = variations(market)["ring-red"]
        ok(market.post("/api/v2/variant/update", sku="ring-red", **change))
        after = variations(market)["ring-red"]
        assert {name: after[name] for name in after if after.get(name) != before.get(name)} == told

    def test_logistics_are_added_to_what_is_there(self, market: Market) -> None:
        ok(market.post("/api/v2/variant/update", sku="ring-green", pieces=3, has_liquid="true"))
        logistics = variations(market)["ring-green"]["LogisticsMetadata"]
        assert (logistics["pieces"], logistics["hscode"]) == (3, "6104299034")
        assert logistics["Composition"]["has_liquid"] == "True"

    def test_a_video_goes_with_an_empty_url(self, market: Market) -> None:
        assert "demo_video_asset_url" in product(market, parent_sku="ring")
        ok(market.post("/api/v2/product/update", parent_sku="ring", demo_video_asset_url=""))
        assert "demo_video_asset_url" not in product(market, parent_sku="ring")

    def test_a_unit_goes_with_null(self, market: Market) -> None:
        ok(market.post("/api/v2/product/update", parent_sku="ring", unit="null"))
        assert "unit" not in product(market, parent_sku="ring")

    def test_no_extra_image_is_no_update(self, market: Market) -> None:
        before = product(market, parent_sku="ring")["extra_images"]
        ok(market.post("/api/v2/product/update", parent_sku="ring", extra_images=""))
        assert product(market, parent_sku="ring")["extra_images"] == before != ""


class TestPictures:
    """Whose picture is whose."""

    def test_a_variations_picture_becomes_the_products(self, market: Market) -> None:
        before = product(market, parent_sku="ring")["main_image"]
        ok(market.post("/api/v2/variant/update", sku="ring-red", main_image=PICTURE.format("new")))
        market.work()
        new = product(market, parent_sku="ring")["main_image"]
        assert new != before
        for sku in ("ring-red", "ring-blue"):
            assert ok(market.get("/api/v2/variant", sku=sku))["Variant"]["main_image"] == new

    def test_a_picture_that_is_read_and_sent_back_changes_nothing(self, market: Market) -> None:
        """Connectors read a variation, set its stock, and send all of it back."""
        own = PICTURE.format("own")
        ok(market.post("/api/v2/variant/update", sku="ring-red", main_image=own, update_product_image="False"))
        for sku in ("ring-red", "ring-blue"):
            before = product(market, parent_sku="ring")
            read = ok(market.get("/api/v2/variant", sku=sku))["Variant"]
            names = ("sku", "price", "enabled", "size", "color", "msrp", "shipping_time", "main_image")
            ok(market.post("/api/v2/variant/update", "usd", inventory=77, **{name: read[name] for name in names}))
            after = product(market, parent_sku="ring")
            assert after["main_image"] == before["main_image"]
            assert ok(market.get("/api/v2/variant", sku=sku))["Variant"] == {**read, "inventory": "77"}

    def test_unless_it_is_not_to(self, market: Market) -> None:
        before = product(market, parent_sku="ring")["main_image"]
        new = {"main_image": PICTURE.format("new"), "update_product_image": "False"}
        ok(market.post("/api/v2/variant/update", sku="ring-red", **new))
        market.work()
        assert product(market, parent_sku="ring")["main_image"] == before
        own = ok(market.get("/api/v2/variant", sku="ring-red"))["Variant"]["main_image"]
        assert own != before
        assert own in variations(market)["ring-blue"]["all_images"].split("|")

    def test_a_clean_image_that_is_none_is_passed_over(self, market: Market) -> None:
        before = product(market, parent_sku="ring")
        ok(market.post("/api/v2/product/update", parent_sku="ring", clean_image=PICTURE.format("other")))
        assert product(market, parent_sku="ring")["clean_image"] == before["main_image"]
        for side in (before["extra_images"], PICTURE.format("ring-side")):  # as it is shown, and as it was given
            ok(market.post("/api/v2/product/update", parent_sku="ring", clean_image=before["main_image"]))
            ok(market.post("/api/v2/product/update", parent_sku="ring", clean_image=side))
            assert product(market, parent_sku="ring")["clean_image"] == before["extra_images"]
        ok(market.post("/api/v2/product/remove-extra-images", parent_sku="ring"))
        after = product(market, parent_sku="ring")
        assert (after["extra_images"], "clean_image" in after) == ("", False)


class TestCurrencies:
    """US dollars and the merchant's own."""

    OWN: ClassVar = {"localized_price": "600", "localized_shipping": "60", "localized_currency_code": "CNY"}

    @pytest.mark.parametrize("name", ["localized_price", "localized_shipping", "localized_currency_code"])
    def test_each_localized_field_is_required(self, market: Market, name: str) -> None:
        answer = add(market, "cny", **self.OWN | {name: "", "msrp": ""})
        assert (answer.code, answer.data) == (1001, name)

    def test_a_currency_without_an_amount_is_fine_in_dollars(self, market: Market) -> None:
        ok(add(market, localized_currency_code="USD"))

    def test_dollars_that_do_not_count_can_be_sent_back(self, market: Market) -> None:
        """999999 is what such a merchant reads, so he may send it, to add as well as to change."""
        own = {"localized_price": "99.9", "localized_currency_code": "CNY", "price": "999999"}
        ok(market.post("/api/v2/variant/update", "cny", sku="ring-red", **own))
        ok(add(market, "cny", **self.OWN | {"price": "999999", "shipping": "999999", "msrp": "999999"}))
        told = ok(market.get("/api/v2/variant", "cny", sku="red-shoe-11"))["Variant"]
        assert (told["price"], told["shipping"], told["localized_shipping"]) == ("999999", "999999", "60.0")
        assert product(market, "cny", parent_sku="red-shoe")["default_shipping_price"] == "999999"

    def test_nobody_else_may_ask_that_much(self, market: Market) -> None:
        for name, most in (("price", "100000"), ("shipping", "1000")):
            answer = add(market, **{name: "999999"})
            assert (answer.code, answer.data) == (1000, name)
            assert most in answer.json["message"]

    def test_localized_amounts_alone_can_change(self, market: Market) -> None:
        own = {"localized_price": "99.9", "localized_currency_code": "CNY"}
        ok(market.post("/api/v2/variant/update", "cny", sku="ring-red", **own))
        told = ok(market.get("/api/v2/variant", "cny", sku="ring-red"))["Variant"]
        assert (told["price"], told["localized_price"]) == ("999999", "99.9")

    def test_somebody_with_another_currency_who_is_paid_in_dollars(self, market: Market) -> None:
        market.sql("update merchant set payment_currency = 'USD' where currency = 'CNY'")
        ok(add(market, "cny", localized_price="600", localized_currency_code="CNY"))
        told = ok(market.get("/api/v2/variant", "cny", sku="red-shoe-11"))["Variant"]
        assert (told["price"], told["localized_price"], "localized_shipping" in told) == ("100.0", "600.0", False)


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("phone case", "phonecase"),
        ("Glass", "glas"),
        ("fixtures", "fixture"),
        ("Fashion Accessories", "fashionaccessorie"),
        ("womens ring", "womensring"),
        ("mobile phone bags&cases", "mobilephonebagscase"),
        ("手机", "手机"),
    ],
)
def test_tag_id(tag: str, key: str) -> None:
    assert tag_id(tag) == key


def test_open_warehouses_once(market: Market) -> None:
    """A second Express warehouse for one country is refused."""
    with pytest.raises(warehouses.WarehouseTaken):
        as_platform(market, lambda ctx: warehouses.open_warehouse(ctx, ctx.actor.id, "US"))
