"""The shop's addresses."""

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from paygate_client import Card, Expiry, InvalidRequestError, Money, Paygate, RefusedError, webhooks
from shop.orders import Order, Shop, UnknownOrderError


def from_environment() -> Flask:
    """Return the shop for `flask --app shop.app:from_environment run`."""
    paygate = Paygate(os.environ["PAYGATE_URL"], os.environ["PAYGATE_API_KEY"])
    return create_app(Shop(paygate), os.environ["SHOP_WEBHOOK_SECRET"])


def create_app(shop: Shop, webhook_secret: str) -> Flask:
    """Return the shop as a web application.

    Args:
        shop: Takes the orders.
        webhook_secret: `whsec_…` of the endpoint that leads to `/webhooks`.
    """
    app = Flask("shop")

    @app.post("/orders")
    def place() -> ResponseReturnValue:
        try:
            price, card = _wanted(request.get_json())
        except (KeyError, TypeError, ValueError):
            return {"problem": "INVALID_ORDER"}, 400
        return _shown(shop.place(price, card)), 201

    @app.get("/orders/<order_id>")
    def show(order_id: str) -> ResponseReturnValue:
        return _shown(shop.order(order_id))

    @app.post("/orders/<order_id>/ship")
    def ship(order_id: str) -> ResponseReturnValue:
        return _shown(shop.ship(order_id))

    @app.post("/orders/<order_id>/refund")
    def refund(order_id: str) -> ResponseReturnValue:
        return _shown(shop.refund(order_id))

    @app.post("/webhooks")
    def hear() -> ResponseReturnValue:
        # Of the bytes as they came: what JSON makes of them and back may differ.
        shop.hear(webhooks.verify(request.get_data(), dict(request.headers), webhook_secret))
        return "", 204

    app.register_error_handler(webhooks.VerificationError, lambda _: ("", 400))
    app.register_error_handler(UnknownOrderError, lambda _: ({"problem": "UNKNOWN_ORDER"}, 404))
    app.register_error_handler(InvalidRequestError, lambda error: (_problem(error), 400))
    app.register_error_handler(RefusedError, lambda error: (_problem(error), 409))
    return app


def _wanted(said: Mapping[str, Any]) -> tuple[Money, Card]:
    card = said["card"]
    expiry = Expiry(card["month"], card["year"])
    return Money.parse(said["price"]), Card(card["number"], expiry, card["cvv"])


def _shown(order: Order) -> dict[str, str]:
    return {
        "id": order.id,
        "price": str(order.price),
        "status": order.status,
        "payment_id": order.payment_id,
        "problem": order.problem,
    }


def _problem(error: InvalidRequestError | RefusedError) -> dict[str, str]:
    return {"problem": error.reason}
