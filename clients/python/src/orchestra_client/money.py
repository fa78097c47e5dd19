"""Amounts of money, in whole units and never as floats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from .v1 import common_pb2

_SCALES = {"USD": (common_pb2.CURRENCY_MICRO_USD, 6), "TAO": (common_pb2.CURRENCY_RAO, 9)}
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(USD|TAO)\s*", re.ASCII)


@dataclass(frozen=True)
class Amount:
    """A sum of US dollars or TAO, exact: `Amount.parse("0.05 USD")`."""

    value: Decimal
    currency: str

    @classmethod
    def parse(cls, text: str) -> Amount:
        """The amount that a text such as `0.05 USD` or `0.001 TAO` says; `ValueError` for any other."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"`{text}` is no amount; write it like `0.05 USD` or `0.001 TAO`")
        amount = cls(Decimal(found[1]), found[2])
        amount.to_message()
        return amount

    @classmethod
    def from_message(cls, message: common_pb2.Amount) -> Amount:
        """The amount of a message; one without a currency is no money."""
        for currency, (number, places) in _SCALES.items():
            if message.currency == number:
                return cls(Decimal(message.units).scaleb(-places), currency)
        return cls(Decimal(0), "USD")

    def to_message(self) -> common_pb2.Amount:
        """The message of the contract; `ValueError` for an amount below its smallest unit or above 64 bits."""
        number, places = _SCALES[self.currency]
        units = self.value.scaleb(places)
        if units != int(units):
            raise ValueError(f"{self} is finer than 10^-{places} {self.currency}, the smallest amount there is")
        if not 0 <= units < 2**64:
            raise ValueError(f"{self} is out of range")
        return common_pb2.Amount(units=int(units), currency=number)

    def __str__(self) -> str:
        text = f"{self.value:f}"
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {self.currency}"
