//! One call of a capability as a plan: the operations that fulfil it are tried one after the other, the cheapest first,
//! until one answers.
//!
//! The plan is compiled from a text, so that capability and adapters mean what they mean in any other text. An operation
//! is a call with `only`, the next one its fallback: whatever the failure, the next is tried, and all that was sent counts.

use std::fmt::Write as _;

use plan_ir::bound::{Bound, bound};
use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, NodeBody};
use plan_ir::validate::FALLBACKS_MAX;
use plan_lang::ast::{Capability, CapabilityOutput, Item};
use plan_lang::{Span, suggest};
use schema::amount::{Amount, Currency};
use schema::lock::{Lock, PinnedEntry};
use schema::operation::{CapabilityDescriptor, OperationDescriptor, Transport};
use schema::price::{PriceBasis, PriceRule};

use crate::one_call::{CallRefused, CallTerms, DEADLINE_SLACK_US, Signature, first, incomparable};
use crate::{Options, POLICY_DURATION_MAX_US, Source, compile};

/// What the names of capabilities begin with where operations are named, too.
pub const CAPABILITY_PREFIX: &str = "cap.";
/// Name of the plan in its text. It is no name of a capability's parameter, as those are its author's.
const PLAN: &str = "the_call_of_a_capability";

impl Signature {
    /// Of a capability. One that answers what it is asked for answers text.
    ///
    /// # Errors
    /// [`CallRefused::Untyped`].
    pub fn of_capability(capability: &CapabilityDescriptor) -> Result<Self, CallRefused> {
        let declared = Declared::of(capability)?;
        // Takes an answer besides and gives it back: what it is can be told without an operation.
        let text = format!(
            "edition 2026\n{source}\nplan {PLAN}({params}{answer}: {output}) -> {output} {{ {answer} }}\n",
            source = capability.source,
            params = declared.params(),
            answer = declared.unused_name(),
            output = declared.output(),
        );
        let mut body = compiled(&text, &Lock::empty(), &capability.name)?.body;
        body.params.pop();
        Ok(Self { params: body.params, output: body.output, types: body.types })
    }
}

/// The plan that calls the capability `name` of `lock` by the operations that `admits` lets through, and the most it can
/// cost and take. Its budget is what it may spend on all of them. Where the terms name a limit, operations are tried as far
/// as it reaches, and what published prices leave of it is shared by those without a price; where they name none, only
/// operations with a price are tried. One without a price that says in another currency than that of the limit what it
/// charged is not tried: without a rate nobody could tell whether it stayed within it.
///
/// # Errors
/// [`CallRefused`].
pub fn capability_call(
    lock: &Lock,
    name: &str,
    terms: &CallTerms,
    admits: &dyn Fn(&str) -> bool,
) -> Result<(CompiledPlan, Bound), CallRefused> {
    let (_, capability) = lock.capabilities.get(name).ok_or_else(|| CallRefused::Unknown {
        id: format!("{CAPABILITY_PREFIX}{name}"),
        near: suggest(name, lock.capabilities.keys().map(String::as_str))
            .map(|near| format!("{CAPABILITY_PREFIX}{near}")),
    })?;
    if !(1..=POLICY_DURATION_MAX_US).contains(&terms.timeout_us) {
        return Err(CallRefused::Timeout { timeout_us: terms.timeout_us });
    }
    let options = options(lock, capability, terms.max_price, admits)?;
    let text = Declared::of(capability)?.text(&options);
    let mut plan = compiled(&text, lock, name)?;
    plan.body.name = format!("{CAPABILITY_PREFIX}{name}");
    set_times(&mut plan, terms.timeout_us);
    let bound = bound(&plan, None).map_err(|errors| first(errors, name))?;
    Ok((plan, bound))
}

/// An operation that is to be tried, and the most it may cost where it has no price.
struct Choice<'a> {
    id: &'a str,
    price: Amount,
    basis: PriceBasis,
}

/// The operations in the order in which they are tried.
fn options<'a>(
    lock: &'a Lock,
    capability: &'a CapabilityDescriptor,
    limit: Option<Amount>,
    admits: &dyn Fn(&str) -> bool,
) -> Result<Vec<Choice<'a>>, CallRefused> {
    let pinned = capability.adapters.iter().filter_map(|adapter| lock.operations.get(&adapter.operation));
    let callable = |operation: &&OperationDescriptor| {
        admits(&operation.id) && !matches!(operation.transport, Transport::Other { .. })
    };
    let mut operations: Vec<&OperationDescriptor> =
        pinned.map(PinnedEntry::descriptor).filter(callable).collect();
    let id = format!("{CAPABILITY_PREFIX}{}", capability.name);
    if operations.is_empty() {
        return Err(CallRefused::Unserved { id });
    }
    // Without a price, an operation is asked only if its charges can be held against the limit.
    let mut refused = None;
    operations.retain(|operation| {
        let limit = limit.filter(|_| operation.price == PriceRule::Unknown);
        let why = incomparable(lock, operation, limit);
        let is_kept = why.is_none();
        refused = refused.take().or(why);
        is_kept
    });
    if let Some(refused) = refused.filter(|_| operations.is_empty()) {
        return Err(refused);
    }
    let currency = limit.map(|limit| limit.currency);
    let mut known: Vec<Choice<'_>> =
        operations.iter().filter_map(|operation| known(operation, currency)).collect();
    let currency = currency.or_else(|| known.first().map(|choice| choice.price.currency));
    let Some(currency) = currency else { return Err(CallRefused::PriceUnknown { id }) };
    // Prices of two currencies have no order without a rate; where the limit is of none of theirs, it is refused later.
    if known.iter().any(|choice| choice.price.currency == currency) {
        known.retain(|choice| choice.price.currency == currency);
    } else {
        known.truncate(1);
    }
    known.sort_by_key(|choice| choice.price.units);
    known.truncate(FALLBACKS_MAX + 1);
    let Some(limit) = limit else { return Ok(known) };
    let mut left = limit.units;
    // The first stays in any case: that even it costs too much is told when the run is admitted.
    let fits = |choice: &Choice<'_>| match left.checked_sub(choice.price.units) {
        Some(rest) if choice.price.currency == limit.currency => {
            left = rest;
            true
        }
        _ => false,
    };
    let fitting = known.iter().map(fits).take_while(|fits| *fits).count();
    let unknown: Vec<&OperationDescriptor> = operations
        .into_iter()
        .filter(|operation| operation.price == PriceRule::Unknown)
        .take((FALLBACKS_MAX + 1).saturating_sub(fitting))
        .collect();
    let share = left.checked_div(unknown.len() as u64).unwrap_or(0);
    if fitting > 0 || share > 0 {
        known.truncate(fitting);
    } else {
        known.truncate(1);
    }
    if share > 0 {
        let price = Amount::new(share, limit.currency);
        let declared = |operation: &'a OperationDescriptor| Choice {
            id: &operation.id,
            price,
            basis: PriceBasis::Declared,
        };
        known.extend(unknown.into_iter().map(declared));
    }
    if known.is_empty() { Err(CallRefused::NothingLeft { id, limit }) } else { Ok(known) }
}

fn known(operation: &OperationDescriptor, currency: Option<Currency>) -> Option<Choice<'_>> {
    let price = match operation.price {
        PriceRule::PerCall { amount } => amount,
        PriceRule::Free => Amount::zero(currency.unwrap_or(Currency::MicroUsd)),
        _ => return None,
    };
    Some(Choice { id: &operation.id, price, basis: PriceBasis::Known })
}

/// A capability as its text declares it.
struct Declared<'a> {
    source: &'a str,
    item: Capability,
}

impl<'a> Declared<'a> {
    fn of(capability: &'a CapabilityDescriptor) -> Result<Self, CallRefused> {
        let parse = plan_lang::parse(&capability.source);
        let item = parse.ast().items.iter().find_map(|item| match item {
            Item::Capability(item) if item.name.name == capability.name => Some(item.clone()),
            _ => None,
        });
        let why = "its text does not declare it";
        let item = item.ok_or_else(|| untyped(&capability.name, why))?;
        Ok(Self { source: &capability.source, item })
    }

    /// Its parameters as they are written, each with a comma.
    fn params(&self) -> String {
        self.item.params.iter().map(|param| format!("{},\n", self.written(param.span))).collect()
    }

    /// A name that no parameter has.
    fn unused_name(&self) -> String {
        let mut name = "answer".to_owned();
        while self.item.params.iter().any(|param| param.name.name == name) {
            name.push('_');
        }
        name
    }

    fn output(&self) -> &'a str {
        match &self.item.output {
            CapabilityOutput::Type(ty) => self.written(ty.span),
            CapabilityOutput::Wanted(_) => "String",
        }
    }

    fn written(&self, span: Span) -> &'a str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The plan that tries `options` one after the other.
    fn text(&self, options: &[Choice<'_>]) -> String {
        let name = &self.item.name.name;
        let args: Vec<String> =
            self.item.params.iter().map(|param| format!("{0}: {0}", param.name.name)).collect();
        let wanted = match self.item.output {
            CapabilityOutput::Type(_) => "",
            CapabilityOutput::Wanted(_) => " as String",
        };
        let call = format!("call {name}({}){wanted}", args.join(", "));
        let mut body = String::new();
        for option in options.iter().rev() {
            let mut policy = format!("timeout: 1s, only: [{}]", option.id);
            if option.basis == PriceBasis::Declared {
                // Writing to a string cannot fail.
                let _ = write!(policy, ", max_price: {}", literal(option.price));
            }
            if !body.is_empty() {
                let _ = write!(policy, ", fallback: {body}");
            }
            body = format!("{call} with {{ {policy} }}");
        }
        let currency = options.first().map_or(Currency::MicroUsd, |option| option.price.currency);
        let units = options.iter().fold(0_u64, |sum, option| sum.saturating_add(option.price.units));
        format!(
            "edition 2026\nuse cap {{ {name} }}\nplan {PLAN}({params}) -> {output} with {{ budget: {budget}, deadline: 1d }} \
             {{ {body} }}\n",
            params = self.params(),
            output = self.output(),
            budget = literal(Amount::new(units, currency)),
        )
    }
}

/// An amount as plans write it.
fn literal(amount: Amount) -> String {
    amount.to_string().replace(' ', "")
}

fn compiled(text: &str, lock: &Lock, name: &str) -> Result<CompiledPlan, CallRefused> {
    let mut compilation = compile(&Source { name: PLAN, text }, lock, &Options::default());
    let error = compilation.diagnostics.iter().find(|diagnostic| diagnostic.is_error());
    match (error, compilation.plans.pop()) {
        (None, Some(plan)) => Ok(plan),
        (error, _) => Err(untyped(name, error.map_or("it has no plan", |error| &error.message))),
    }
}

fn untyped(name: &str, why: &str) -> CallRefused {
    CallRefused::Untyped { id: format!("{CAPABILITY_PREFIX}{name}"), why: why.to_owned() }
}

/// One that has others behind it waits for half of the time, so that a silent peer leaves some to them.
fn set_times(plan: &mut CompiledPlan, timeout_us: u64) {
    for node in &mut plan.body.nodes {
        if let NodeBody::Call(spec) = node {
            let mut next: Option<&mut CallSpec> = Some(spec);
            while let Some(spec) = next {
                let is_last = !matches!(spec.fallback, Some(Fallback::Call(_)));
                spec.timeout_us = if is_last { timeout_us } else { timeout_us.div_ceil(2) };
                next = match &mut spec.fallback {
                    Some(Fallback::Call(fallback)) => Some(fallback),
                    _ => None,
                };
            }
        }
    }
    if let Some(scope) = plan.body.scopes.first_mut() {
        scope.deadline_us = Some(timeout_us.saturating_add(DEADLINE_SLACK_US));
    }
}
