//! Money: whole rao or whole micro-dollars, never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The unit an [`Amount`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Currency {
    /// 10^-9 TAO.
    Rao,
    /// 10^-6 US dollars.
    MicroUsd,
}

impl Currency {
    /// Units in one TAO or one dollar.
    #[must_use]
    pub const fn scale(self) -> u64 {
        match self {
            Self::Rao => 1_000_000_000,
            Self::MicroUsd => 1_000_000,
        }
    }

    /// The symbol written after a number: `TAO` or `USD`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Rao => "TAO",
            Self::MicroUsd => "USD",
        }
    }

    const fn decimals(self) -> usize {
        match self {
            Self::Rao => 9,
            Self::MicroUsd => 6,
        }
    }
}

/// A sum of money in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Whole rao or micro-dollars.
    pub units: u64,
    /// What `units` counts.
    pub currency: Currency,
}

impl Amount {
    /// `units` of `currency`.
    #[must_use]
    pub const fn new(units: u64, currency: Currency) -> Self {
        Self { units, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { units: 0, currency }
    }

    /// The sum, or `None` where the currencies differ or it does not fit 64 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.units.checked_add(other.units))
            .flatten()
            .map(|units| Self { units, ..self })
    }

    /// The difference, or `None` where the currencies differ or `other` is larger.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.units.checked_sub(other.units))
            .flatten()
            .map(|units| Self { units, ..self })
    }

    /// This amount in `currency`, rounded up so that a bound stays a bound; `None` where no rate is
    /// pinned or the result does not fit.
    #[must_use]
    pub fn convert(self, currency: Currency, rate: Option<Rate>) -> Option<Self> {
        if self.currency == currency {
            return Some(self);
        }
        let per_tao = u128::from(rate?.micro_usd_per_tao);
        let scale = u128::from(Currency::Rao.scale());
        let (numerator, denominator) = match currency {
            Currency::MicroUsd => (per_tao, scale),
            Currency::Rao => (scale, per_tao),
        };
        if denominator == 0 {
            return None;
        }
        let units = u128::from(self.units).checked_mul(numerator)?.div_ceil(denominator);
        u64::try_from(units).ok().map(|units| Self { units, currency })
    }
}

/// The exchange rate a lockfile pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Micro-dollars for one TAO.
    pub micro_usd_per_tao: u64,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut rest) = (self.units / self.currency.scale(), self.units % self.currency.scale());
        let symbol = self.currency.symbol();
        if rest == 0 {
            return write!(f, "{whole} {symbol}");
        }
        let mut width = self.currency.decimals();
        while rest.is_multiple_of(10) {
            (rest, width) = (rest / 10, width - 1);
        }
        write!(f, "{whole}.{rest:0width$} {symbol}")
    }
}

/// Text that is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no amount: {why}; write it like `0.05TAO`, `3rao` or `0.02USD`")]
pub struct ParseAmountError {
    text: String,
    why: &'static str,
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let fail = |why| ParseAmountError { text: text.chars().take(80).collect(), why };
        let text_trimmed = text.trim();
        let (number, currency, scale) = [
            ("TAO", Currency::Rao, Currency::Rao.scale()),
            ("USD", Currency::MicroUsd, Currency::MicroUsd.scale()),
            ("rao", Currency::Rao, 1),
        ]
        .into_iter()
        .find_map(|(unit, currency, scale)| {
            text_trimmed.strip_suffix(unit).map(|number| (number.trim_end(), currency, scale))
        })
        .ok_or_else(|| fail("it ends in none of TAO, rao, USD"))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
            return Err(fail("its number is not of the form 1 or 0.05"));
        }
        let mut units = whole
            .parse::<u64>()
            .ok()
            .and_then(|whole| whole.checked_mul(scale))
            .ok_or_else(|| fail("it is larger than 64 bits hold"))?;
        let mut place = scale;
        for digit in fraction.bytes() {
            place /= 10;
            if place == 0 && digit != b'0' {
                return Err(fail("it is finer than one rao or one micro-dollar"));
            }
            units = units
                .checked_add(u64::from(digit - b'0') * place)
                .ok_or_else(|| fail("it is larger than 64 bits hold"))?;
        }
        Ok(Self { units, currency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_parse_and_print_exactly() {
        for (text, units, currency, shown) in [
            ("0.05TAO", 50_000_000, Currency::Rao, "0.05 TAO"),
            ("3rao", 3, Currency::Rao, "0.000000003 TAO"),
            ("0.02USD", 20_000, Currency::MicroUsd, "0.02 USD"),
            ("1USD", 1_000_000, Currency::MicroUsd, "1 USD"),
            ("0.0000010USD", 1, Currency::MicroUsd, "0.000001 USD"),
        ] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!(amount, Amount::new(units, currency));
            assert_eq!(amount.to_string(), shown);
        }
        for bad in
            ["", "1", "1EUR", ".5USD", "1.USD", "-1USD", "0.0000001USD", "0.5rao", "99999999999999999999TAO"]
        {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }

    #[test]
    fn conversion_rounds_up() {
        let rate = Some(Rate { micro_usd_per_tao: 300_000_000 });
        let one_rao = Amount::new(1, Currency::Rao);
        assert_eq!(one_rao.convert(Currency::MicroUsd, rate), Some(Amount::new(1, Currency::MicroUsd)));
        assert_eq!(one_rao.convert(Currency::MicroUsd, None), None);
        let dollar = Amount::new(1_000_000, Currency::MicroUsd);
        assert_eq!(dollar.convert(Currency::Rao, rate), Some(Amount::new(3_333_334, Currency::Rao)));
    }
}
