"""Writers at the same time, on connections of their own: nothing is lost, nothing is there twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.database import Server
from tests.support.fill import FILL_WITH_VARIATIONS
from tests.support.market import World
from tests.support.together import Shop
from tradepost.domain import products
from tradepost.domain.context import MerchantCtx
from tradepost.domain.products import NewProduct, NewVariation, ProductChanges, ProductRef, VariationChanges
from tradepost.domain.products.failures import ParentSkuTaken, SkuTaken, TooManyVariations
from tradepost.values import Fact

WRITERS = 8


@pytest.fixture
def shop(server: Server, world: World) -> Shop:
    """A copy of the market that is thrown away."""
    server.clone("together")
    return Shop(server, "together", world.merchants["usd"].account_id)


def product(shop: Shop, parent_sku: str) -> products.Product:
    """A product as it is now."""
    found = shop.ask(lambda ctx: products.find_product(ctx, ProductRef(parent_sku=parent_sku)))
    assert isinstance(found, products.Product)
    return found


def new_product(sku: str, parent_sku: str) -> NewProduct:
    return NewProduct(
        name="n",
        description="d",
        sku=sku,
        parent_sku=parent_sku,
        inventory=1,
        price=Decimal(1),
        shipping=Decimal(1),
        main_image="https://pictures.example/a.jpg",
    )


def test_two_creates_of_one_sku(shop: Shop) -> None:
    """One success, and a clear error for everybody else."""
    came = shop.at_once(
        *(lambda ctx, n=n: products.add_product(ctx, new_product("one", f"p{n}")) for n in range(WRITERS))
    )
    assert [type(c) for c in came if not isinstance(c, products.Product)] == [SkuTaken] * (WRITERS - 1)


def test_two_creates_of_one_parent_sku(shop: Shop) -> None:
    came = shop.at_once(
        *(lambda ctx, n=n: products.add_product(ctx, new_product(f"s{n}", "one")) for n in range(WRITERS))
    )
    assert [type(c) for c in came if not isinstance(c, products.Product)] == [ParentSkuTaken] * (WRITERS - 1)


def test_updates_lose_nothing_of_each_other(shop: Shop) -> None:
    """Each changes something else of the same product and the same variation; all of it is there afterwards."""
    ref = ProductRef(parent_sku="ring")
    came = shop.at_once(
        lambda ctx: products.update_product(ctx, ref, ProductChanges(name="together")),
        lambda ctx: products.update_product(ctx, ref, ProductChanges(upc="99999999")),
        lambda ctx: products.update_product(ctx, ref, ProductChanges(tags=("a",))),
        lambda ctx: products.update_variation(ctx, "ring-red", VariationChanges(price=Decimal(7))),
        lambda ctx: products.update_variation(ctx, "ring-red", VariationChanges(size="XL")),
        lambda ctx: products.update_inventory(ctx, "ring-red", 42),
        lambda ctx: products.change_sku(ctx, "ring-blue", "ring-navy"),
        lambda ctx: products.disable_variation(ctx, "ring-green"),
    )
    assert came == [None] * 8
    found = product(shop, "ring")
    assert (found.name, found.upc, found.tags) == ("together", "99999999", ["a"])
    red = next(v for v in found.variations if v.sku == "ring-red")
    assert (red.price, red.size, red.inventory) == ("7", "XL", 42)
    assert [v.sku for v in found.variations] == ["ring-green", "ring-navy", "ring-red"]
    assert not found.variations[0].enabled


def test_swapping_skus(shop: Shop) -> None:
    """Two changes that want each other's SKU: neither can have it, and nobody waits for ever."""
    came = shop.at_once(
        lambda ctx: products.change_sku(ctx, "ring-red", "ring-blue"),
        lambda ctx: products.change_sku(ctx, "ring-blue", "ring-red"),
    )
    assert [type(c) for c in came] == [SkuTaken, SkuTaken]


def test_the_last_place_for_a_variation(shop: Shop) -> None:
    """Many want to be the 400th; one is."""

    async def fill(ctx: MerchantCtx) -> None:
        await ctx.db.execute(FILL_WITH_VARIATIONS, ctx.actor.id, "ring", 4, 399)

    shop.at_once(fill)
    came = shop.at_once(
        *(
            lambda ctx, n=n: products.add_variation(
                ctx, NewVariation(parent_sku="ring", sku=f"l{n}", color=f"l{n}", inventory=1, price=Decimal(1))
            )
            for n in range(WRITERS)
        )
    )
    assert sum(isinstance(c, TooManyVariations) for c in came) == WRITERS - 1
    assert len(product(shop, "ring").variations) == 400


def test_removing_while_others_write(shop: Shop) -> None:
    """Whoever comes after the removal is told; whoever came before is in it."""
    came = shop.at_once(
        lambda ctx: products.remove_product(ctx, ProductRef(parent_sku="ring")),
        lambda ctx: products.update_inventory(ctx, "ring-red", 3),
        lambda ctx: products.update_variation(ctx, "ring-red", VariationChanges(size="S")),
        lambda ctx: products.enable_product(ctx, ProductRef(parent_sku="ring")),
    )
    assert came[0] is None
    assert all(c is None or isinstance(c, Fact) for c in came)
    assert shop.at_once(lambda ctx: products.find_variation(ctx, "ring-red"))[0].sku == "ring-red"
