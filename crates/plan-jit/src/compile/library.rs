//! Which functions of the library are native, and on what.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{ExprId, Lambda, LocalId};

use super::Refused;
use super::table::{Table, Way};
use crate::layout::{Repr, ReprId};

/// What a function is applied to.
struct Applied<'a> {
    receiver: ReprId,
    /// Of a list, its elements.
    element: Option<ReprId>,
    /// Of a map, its values.
    entry: Option<ReprId>,
    rest: &'a [ReprId],
    /// What the lambda gives.
    body: Option<ReprId>,
    result: ReprId,
}

impl Table<'_> {
    /// The one parameter of a lambda.
    pub(crate) fn param(lambda: &Lambda) -> Option<LocalId> {
        match lambda.params.as_slice() {
            [param] => Some(*param),
            _ => None,
        }
    }

    /// Who evaluates a library function. The decision is made here for each: one that is new needs a line
    /// here, and if that says it is not native, nothing else.
    pub(super) fn builtin_way(
        &self,
        id: ExprId,
        op: Builtin,
        args: &[ExprId],
        lambda: Option<&Lambda>,
    ) -> Result<Way, Refused> {
        let reprs: Vec<ReprId> = args.iter().map(|arg| self.repr(*arg)).collect::<Result<_, _>>()?;
        let Some((receiver, rest)) = reprs.split_first() else { return Ok(Way::Operands) };
        let body = match lambda {
            Some(lambda) if Self::param(lambda).is_some() => Some(self.repr(lambda.body)?),
            Some(_) => return Ok(Way::Operands),
            None => None,
        };
        let on = Applied {
            receiver: *receiver,
            element: self.layouts.element(*receiver),
            entry: self.layouts.entry(*receiver),
            rest,
            body,
            result: self.repr(id)?,
        };
        Ok(if self.is_native(op, &on) { Way::Native } else { Way::Operands })
    }

    fn is_native(&self, op: Builtin, on: &Applied<'_>) -> bool {
        let Applied { receiver, element, entry, rest, body, result } = *on;
        let (list, map, text) = (element.is_some(), entry.is_some(), receiver == ReprId::TEXT);
        let alone = rest.is_empty() && body.is_none();
        let lambda = |gives: bool| rest.is_empty() && list && body.is_some() && gives;
        let with = |wanted: &[ReprId]| body.is_none() && rest == wanted;
        match op {
            Builtin::Map => lambda(self.layouts.element(result).is_some()),
            Builtin::Filter
            | Builtin::All
            | Builtin::Any
            | Builtin::Count
            | Builtin::Find
            | Builtin::Position => lambda(body == Some(ReprId::BOOL)),
            Builtin::SortBy => lambda(body.is_some_and(|key| self.is_key(key))),
            Builtin::Top => list && rest == [ReprId::INT] && body.is_some_and(|key| self.is_key(key)),
            Builtin::MinBy | Builtin::MaxBy => lambda(body.is_some_and(|key| self.is_number(key))),
            Builtin::GroupBy => lambda(
                body == Some(ReprId::TEXT)
                    && self.layouts.entry(result).and_then(|group| self.layouts.element(group)) == element,
            ),
            Builtin::KeyBy => lambda(body == Some(ReprId::TEXT) && self.layouts.entry(result) == element),
            Builtin::Len | Builtin::IsEmpty => alone && (list || map || text),
            Builtin::First | Builtin::Last | Builtin::Reverse | Builtin::Flatten => {
                alone
                    && element.is_some_and(|element| {
                        op != Builtin::Flatten || self.layouts.element(element).is_some()
                    })
            }
            Builtin::Take | Builtin::Skip => with(&[ReprId::INT]) && (list || text),
            Builtin::Get => (with(&[ReprId::INT]) && list) || (with(&[ReprId::TEXT]) && map),
            Builtin::Concat => list && with(&[receiver]) && result == receiver,
            Builtin::Trim | Builtin::Folded | Builtin::Normalize => alone && text,
            Builtin::StartsWith | Builtin::EndsWith => with(&[ReprId::TEXT]) && text,
            Builtin::Contains => {
                with(&[ReprId::TEXT]) && (text || map)
                    || element.is_some_and(|element| element != ReprId::OPAQUE && with(&[element]))
            }
            Builtin::Join => with(&[ReprId::TEXT]) && element == Some(ReprId::TEXT),
            Builtin::Ok | Builtin::Errors => {
                let place = usize::from(op == Builtin::Errors);
                alone
                    && element.is_some_and(|element| match self.layouts.get(element) {
                        Repr::Variants(payloads) => {
                            payloads.iter().all(Option::is_some) && payloads.len() > place
                        }
                        _ => false,
                    })
            }
            Builtin::Present => alone && element.is_some_and(|of| self.layouts.present(of).is_some()),
            Builtin::Sort => alone && element.is_some_and(|element| self.is_key(element)),
            Builtin::Min | Builtin::Max => alone && element.is_some_and(|of| self.is_number(of)),
            Builtin::Sum => {
                alone
                    && element.is_some_and(|element| {
                        element == result && [ReprId::INT, ReprId::FLOAT, ReprId::DURATION].contains(&element)
                    })
            }
            Builtin::Keys => alone && map,
            Builtin::Values => alone && entry.is_some() && self.layouts.element(result) == entry,
            Builtin::Entries => {
                alone
                    && entry.is_some_and(|entry| {
                        let record = self.layouts.element(result).map(|of| self.layouts.get(of));
                        matches!(record, Some(Repr::Record(fields)) if **fields == [ReprId::TEXT, entry])
                    })
            }
            Builtin::Abs => alone && [ReprId::INT, ReprId::FLOAT, ReprId::DURATION].contains(&receiver),
            Builtin::Lesser | Builtin::Greater => self.is_number(receiver) && with(&[receiver]),
            Builtin::Clamp => self.is_number(receiver) && with(&[receiver; 2]),
            Builtin::ToFloat => alone && receiver == ReprId::INT,
            Builtin::Floor | Builtin::Ceil | Builtin::Round | Builtin::Sqrt => {
                alone && receiver == ReprId::FLOAT
            }
            // The interpreter's: seldom in loops, or as fast there.
            Builtin::ToJson
            | Builtin::DecodeList
            | Builtin::Average
            | Builtin::Distinct
            | Builtin::DistinctBy
            | Builtin::Chunks
            | Builtin::Zip
            | Builtin::IndexOf
            | Builtin::To
            | Builtin::Split
            | Builtin::Lines
            | Builtin::Words
            | Builtin::Replace
            | Builtin::ToInt
            | Builtin::Upper
            | Builtin::UrlEncoded
            | Builtin::Merge
            | Builtin::MapValues
            | Builtin::ToFixed
            | Builtin::PercentUp
            | Builtin::PercentDown
            | Builtin::ToSeconds
            | Builtin::ToUnix
            | Builtin::ToTime
            | Builtin::Date
            | Builtin::Year
            | Builtin::Month
            | Builtin::Day
            | Builtin::Kind
            | Builtin::Scheme
            | Builtin::Host
            | Builtin::Path
            | Builtin::Query
            | Builtin::Resolve => false,
        }
    }

    /// Whether values order by one register.
    pub(super) fn is_number(&self, repr: ReprId) -> bool {
        matches!(self.layouts.get(repr), Repr::Int | Repr::Float | Repr::Time | Repr::Duration)
    }

    /// Whether native code sorts by such keys. Amounts of two currencies are compared at a rate.
    fn is_key(&self, repr: ReprId) -> bool {
        self.is_number(repr) || repr == ReprId::TEXT
    }
}
