"""The file of orders: its columns at the places where programs look for them, and what stands in them."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.support.calls import ORDERS
from tests.support.market import Market

# As recorded; letter by letter and in this order.
HEADER = (
    "Transaction Date,Order Id,Transaction ID,Order State,SKU,Product,Product ID,Product Link,"
    "Product Image URL,Size,Color,Currency Code,Price (each),Cost (each),Shipping (each),"
    "Shipping Cost (each),Quantity,Total Cost,SE Cashback Amount,Available for Fulfillment Time,"
    "Shipped on,Confirmed Delivery,Date Shipping Carrier Confirmed Delivery,Provider,Tracking,"
    "Tracking Confirmed,Tracking Confirmed Date,Shipping Address,Name,First Name,Last Name,"
    "Street Address 1,Street Address 2,City,State,Zipcode,Country,Last Updated,Phone Number,Country Code,"
    "% Refund Responsibility,Refund Responsibility Amount,Refund Date,Refund Reason,Is Wish Express,"
    "Wish Express Delivery Deadline,Requires Delivery Confirmation,Advanced Logistics,Is Combined Order,"
    "PremiumCarrier Upgraded,Late Confirmed Fulfillment Fine Amount,Customer Identity Number,"
    "Final Product Price,Final Shipping Price,Final Total Product Price,Final Total Shipping Price,"
    "Final Total Price,Final Prices Currency,Is Replacement Order,Original Replacement Order ID,"
    "Fulfillment By Store (FBS) Order"
)


def download(market: Market, who: str = "usd", **wanted: str) -> list[list[str]]:
    """The lines of a file that is asked for, made and fetched."""
    job_id = market.post("/api/v2/order/create-download-job", who, **wanted).data["job_id"]
    market.work()
    status = market.post("/api/v2/order/get-download-job-status", who, job_id=job_id).data
    answer = market.get(status["download_link"], None)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    named = rf'attachment; filename="{market.world.merchants[who].account_id}-{job_id}-2021-05-19(-\d\d){{3}}\.csv"'
    assert re.fullmatch(named, answer.headers["content-disposition"])
    lines = list(csv.reader(io.StringIO(answer.body.decode("utf-8"), newline="")))
    assert status["total_count"] == status["processed_count"] == len(lines) - 1
    assert answer.body.endswith(b"\r\n")
    return lines


def test_columns_at_their_places(market: Market) -> None:
    header, *lines = download(market, sort="asc")
    assert ",".join(header) == HEADER
    known = {
        0: "Transaction Date",
        3: "Order State",
        12: "Price (each)",
        16: "Quantity",
        28: "Name",
        39: "Country Code",
    }
    assert {at: header[at] for at in known} == known
    kinds = ["delivered", "open", "combined", "shipped", "refunded", "review"]
    assert [line[1] for line in lines] == [ORDERS["usd"][kind] for kind in kinds]
    told = {kind: dict(zip(header, line, strict=True)) for kind, line in zip(kinds, lines, strict=True)}
    delivered = told["delivered"]
    assert delivered["Transaction Date"] == "2021-05-17T10:30:00"
    assert (delivered["Price (each)"], delivered["Cost (each)"], delivered["Total Cost"]) == ("$8.0", "6.8", "8.8")
    assert (delivered["Confirmed Delivery"], delivered["Date Shipping Carrier Confirmed Delivery"]) == (
        "True",
        "2021-05-18",
    )
    assert (delivered["Name"], delivered["First Name"], delivered["Last Name"]) == ("王小明", "王小明", "")
    assert (delivered["Country"], delivered["Country Code"]) == ("United States", "US")
    assert delivered["Shipping Address"] == "555 Glacier St, Apt 5, Juneau, AK 99801, United States"
    assert delivered["Wish Express Delivery Deadline"] == "2021-05-24"
    refunded = told["refunded"]
    assert (refunded["Order State"], refunded["Refund Date"]) == ("REFUNDED", "2021-05-18")
    assert (refunded["% Refund Responsibility"], refunded["Refund Responsibility Amount"]) == ("100", "15.88")
    assert (refunded["Final Total Price"], refunded["Final Prices Currency"]) == ("18.68", "USD")
    assert refunded["Advanced Logistics"] == "True"
    assert told["review"]["Available for Fulfillment Time"] == ""
    # It begins with a plus, and so with an apostrophe: a spreadsheet would calculate it.
    assert told["open"]["Phone Number"] == "'+1 514 555 0199"
    assert (told["open"]["First Name"], told["open"]["Last Name"]) == ("Robin", "Example")


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({}, ["review", "refunded", "shipped", "combined", "open", "delivered"]),
        ({"limit": "2"}, ["review", "refunded"]),
        ({"limit": "1", "sort": "asc"}, ["delivered"]),
        ({"since": "2021-05-18", "sort": "asc"}, ["delivered", "shipped", "refunded"]),
        ({"start": "2021-05-17T12:30:00", "end": "2021-05-17T13:30:00"}, ["shipped"]),
        ({"start": "2021-05-17", "end": "2021-05-17", "limit": "1"}, ["review"]),
        ({"start": "2021-05-18"}, []),
        ({"end": "2021-05-16"}, []),
    ],
)
def test_what_is_wanted(market: Market, wanted: dict[str, str], kinds: list[str]) -> None:
    _, *lines = download(market, **wanted)
    assert [line[1] for line in lines] == [ORDERS["usd"][kind] for kind in kinds]


def test_another_currency(market: Market) -> None:
    header, line = download(market, "cny", limit="1", sort="asc")
    told = dict(zip(header, line, strict=True))
    assert (told["Currency Code"], told["Price (each)"], told["Total Cost"]) == ("CNY", "CN¥56.0", "61.58")


def test_a_formula_stays_text(market: Market) -> None:
    market.sql("update orders set recipient = '=1+1', city = '@x', product_name = '-2'")
    header, line = download(market, limit="1")
    told = dict(zip(header, line, strict=True))
    assert (told["Name"], told["City"], told["Product"]) == ("'=1+1", "'@x", "'-2")


def test_the_two_kinds_are_apart(market: Market) -> None:
    """A job of one kind is not there for the endpoints of the other."""
    job_id = market.post("/api/v2/order/create-download-job").data["job_id"]
    for verb in ("get-download-job-status", "cancel-download-job"):
        assert market.post(f"/api/v2/product/{verb}", job_id=job_id).code == 1004
    assert market.post("/api/v2/order/cancel-download-job", job_id=job_id).data == {
        "message": "Job cancelled successfully."
    }
    assert market.post("/api/v2/order/cancel-download-job", job_id=job_id).data == {
        "message": "Job has already been cancelled."
    }
