//! Money in proofs: both currencies side by side, never converted.

use std::collections::BTreeMap;

use schema::amount::{Amount, Currency};
use schema::price::PriceBasis;
use serde::Serialize;

use crate::object::{Fields, ObjectError, Problem, Reader, Writer};

/// A sum in both currencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// 10^-9 TAO.
    pub rao: u64,
    /// 10^-6 US dollars.
    pub micro_usd: u64,
}

impl Money {
    /// The sum; `None` where it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            rao: self.rao.checked_add(other.rao)?,
            micro_usd: self.micro_usd.checked_add(other.micro_usd)?,
        })
    }

    fn put(self, fields: &mut Fields<'_>) {
        let present = |units: u64| (units > 0).then_some(units);
        fields.maybe(0, present(self.rao), Writer::uint);
        fields.maybe(1, present(self.micro_usd), Writer::uint);
    }
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        match amount.currency {
            Currency::Rao => Self { rao: amount.units, micro_usd: 0 },
            Currency::MicroUsd => Self { rao: 0, micro_usd: amount.units },
        }
    }
}

/// What an attempt or all attempts of a node cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// How much.
    pub money: Money,
    /// How sure the figure is; of several attempts, the least sure.
    pub basis: PriceBasis,
}

impl Cost {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            self.money.put(fields);
            fields.uint(2, basis_number(self.basis));
        });
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            let money = Money { rao: units(fields, 0)?, micro_usd: units(fields, 1)? };
            let number = fields.get(2, |r| r.uint())?;
            match BASES.into_iter().find(|basis| basis_number(*basis) == number) {
                Some(basis) => Ok(Self { money, basis }),
                None => fields.reader.fail(Problem::Range("the price basis")),
            }
        })
    }
}

/// An amount that is left out where it is zero.
fn units(fields: &mut crate::object::Entries<'_, '_>, key: u8) -> Result<u64, ObjectError> {
    let units = fields.maybe(key, |r| r.uint())?;
    fields.check(units != Some(0), "an amount of zero, which is left out")?;
    Ok(units.unwrap_or(0))
}

const BASES: [PriceBasis; 4] =
    [PriceBasis::Known, PriceBasis::Declared, PriceBasis::Observed, PriceBasis::Assumed];

const fn basis_number(basis: PriceBasis) -> u64 {
    match basis {
        PriceBasis::Known => 1,
        PriceBasis::Declared => 2,
        PriceBasis::Observed => 3,
        PriceBasis::Assumed => 4,
    }
}

/// What a whole run cost and did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Everything paid.
    pub money: Money,
    /// Attempts of all calls.
    pub attempts: u64,
    /// Leaves that name an operation, by its subnet.
    pub calls: BTreeMap<u16, u64>,
}

impl Totals {
    /// Counts one leaf in; `None` where a sum does not fit.
    #[must_use]
    pub fn add(&mut self, money: Money, attempts: u32, netuid: Option<u16>) -> Option<()> {
        self.money = self.money.checked_add(money)?;
        self.attempts = self.attempts.checked_add(u64::from(attempts))?;
        if let Some(netuid) = netuid {
            *self.calls.entry(netuid).or_default() += 1;
        }
        Some(())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            self.money.put(fields);
            fields.uint(2, self.attempts);
            fields.put(3, |w| {
                w.map(self.calls.len());
                for (netuid, count) in &self.calls {
                    w.uint(u64::from(*netuid));
                    w.uint(*count);
                }
            });
        });
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            let money = Money { rao: units(fields, 0)?, micro_usd: units(fields, 1)? };
            let attempts = fields.get(2, |r| r.uint())?;
            let calls = fields.get(3, read_calls)?;
            Ok(Self { money, attempts, calls })
        })
    }
}

fn read_calls(reader: &mut Reader<'_>) -> Result<BTreeMap<u16, u64>, ObjectError> {
    let mut calls = BTreeMap::new();
    for _ in 0..reader.map(1 << 16, "the number of subnets")? {
        let netuid = reader.uint_to(u64::from(u16::MAX), "a netuid")? as u16;
        if calls.last_key_value().is_some_and(|(last, _)| *last >= netuid) {
            return reader.fail(Problem::Key(u64::from(netuid)));
        }
        calls.insert(netuid, reader.uint()?);
    }
    Ok(calls)
}
