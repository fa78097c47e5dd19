//! Equality, order, and the choices that hang on them.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Block, Endianness, InstBuilder as _, MemFlagsData, Type, Value, types};
use plan_ir::expr::{Arm, BinaryOp, ExprId, LocalId, Pattern};
use schema::value::Value as Constant;

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::text::Text;
use super::val::{Place, STEP, Val};
use crate::helper::Helper;
use crate::layout::{Repr, ReprId};

/// Bytes of a known text up to which it is compared in the code.
const INLINE_TEXT_MAX: usize = 16;

impl Fx<'_, '_, '_> {
    /// `==` or, where `equal` is false, `!=`.
    pub(super) fn equality(&mut self, equal: bool, left: ExprId, right: ExprId) -> Result<Typed, Refused> {
        let repr = self.unit.table.common(left, right)?;
        let repr = repr.ok_or(Refused::Malformed("values of two types are compared"))?;
        let left = self.value(left, repr)?;
        let right = self.value(right, repr)?;
        let same = self.same(&left, &right, repr)?;
        Ok((Val::One(if equal { same } else { self.negated(same) }), ReprId::BOOL))
    }

    /// Whether two values are equal, charged as the interpreter charges it.
    pub(super) fn same(&mut self, left: &Val, right: &Val, repr: ReprId) -> Result<Value, Refused> {
        match (self.layout(repr), left, right) {
            (Repr::Bool | Repr::Int | Repr::Time | Repr::Duration, Val::One(a), Val::One(b)) => {
                self.charge(1);
                Ok(self.b.ins().icmp(IntCC::Equal, *a, *b))
            }
            (Repr::Float, Val::One(a), Val::One(b)) => {
                self.charge(1);
                Ok(self.b.ins().fcmp(FloatCC::Equal, *a, *b))
            }
            (Repr::Text, Val::Two(a, a_len), Val::Two(b, b_len)) => {
                self.charge(1);
                self.same_text((*a, *a_len), (*b, *b_len))
            }
            (Repr::Optional(inner), left, right) => self.same_optional(left, right, inner),
            (Repr::Variants(payloads), left, right) if payloads.iter().all(Option::is_none) => {
                self.charge(1);
                let (a, b) = (self.position(left)?, self.position(right)?);
                Ok(self.b.ins().icmp(IntCC::Equal, a, b))
            }
            _ => {
                self.unit.needs.add_whole(repr, &self.unit.table.layouts);
                let [a, b] = [left, right].map(|val| -> Result<Value, Refused> {
                    let cells = self.unit.table.layouts.cells(repr);
                    let place = match val {
                        Val::At(place) if !matches!(self.layout(repr), Repr::Boxed(_)) => *place,
                        _ => {
                            let place = self.slot(cells)?;
                            self.store(val, repr, place)?;
                            place
                        }
                    };
                    Ok(self.address(place))
                });
                let number = self.int(i64::from(repr.number()));
                let same = self.call(Helper::Equal, &[number, a?, b?]);
                same.ok_or(Refused::Malformed("an answer"))
            }
        }
    }

    fn same_text(&mut self, a: Text, b: Text) -> Result<Value, Refused> {
        let (longer, done) = (self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(done, types::I8);
        let same_length = self.b.ins().icmp(IntCC::Equal, a.1, b.1);
        self.b.ins().brif(same_length, longer, &[], done, &[same_length.into()]);
        self.continue_in(longer);
        let same = self.same_bytes(a, b)?;
        self.b.ins().jump(done, &[same.into()]);
        self.continue_in(done);
        Ok(result)
    }

    /// Whether two texts of the same length are equal; charges for going through one.
    pub(super) fn same_bytes(&mut self, a: Text, b: Text) -> Result<Value, Refused> {
        let known = |at| self.known_texts.get(&at).cloned();
        let (text, other) = match (known(a.0), known(b.0)) {
            (Some(text), _) => (text, b.0),
            (None, Some(text)) => (text, a.0),
            (None, None) => {
                self.charge_scan(a.1);
                let same = self.call(Helper::SameBytes, &[a.0, b.0, a.1]);
                return same.ok_or(Refused::Malformed("an answer"));
            }
        };
        self.charge(text.len() as u64 / 32);
        if text.len() <= INLINE_TEXT_MAX {
            return Ok(self.starts_as(other, text.as_bytes()));
        }
        let same = self.call(Helper::SameBytes, &[a.0, b.0, a.1]);
        same.ok_or(Refused::Malformed("an answer"))
    }

    /// Whether as many bytes at an address are these: a comparison of a few words, which may overlap.
    fn starts_as(&mut self, at: Value, bytes: &[u8]) -> Value {
        let width = match bytes.len() {
            0 => return self.b.ins().iconst(types::I8, 1),
            1 => 1,
            2 | 3 => 2,
            4..=7 => 4,
            _ => 8,
        };
        let ty = Type::int_with_byte_size(width as u16).unwrap_or(types::I8);
        let last = bytes.len() - width;
        let words = std::iter::once(0).chain((last > 0).then_some(last)).map(|start| {
            let word = bytes.iter().skip(start).take(width).rev();
            let word = word.fold(0_i64, |word, byte| word << 8 | i64::from(*byte));
            let flags = MemFlagsData::new().with_notrap().with_endianness(Endianness::Little);
            let found = self.b.ins().load(ty, flags, at, start as i32);
            (found, self.b.ins().iconst(ty, word))
        });
        let words: Vec<(Value, Value)> = words.collect();
        if let [(found, wanted)] = words.as_slice() {
            return self.b.ins().icmp(IntCC::Equal, *found, *wanted);
        }
        let same = self.b.ins().iconst(ty, 0);
        let differs = words.into_iter().fold(same, |differs, (found, wanted)| {
            let difference = self.b.ins().bxor(found, wanted);
            self.b.ins().bor(differs, difference)
        });
        self.b.ins().icmp_imm_u(IntCC::Equal, differs, 0)
    }

    fn same_optional(&mut self, left: &Val, right: &Val, inner: ReprId) -> Result<Value, Refused> {
        match (left, right) {
            (Val::Absent, Val::Absent) => {
                self.charge(1);
                Ok(self.b.ins().iconst(types::I8, 1))
            }
            (Val::Absent, Val::Present(_)) | (Val::Present(_), Val::Absent) => {
                self.charge(1);
                Ok(self.b.ins().iconst(types::I8, 0))
            }
            (Val::Absent, Val::Either(tag, _)) | (Val::Either(tag, _), Val::Absent) => {
                self.charge(1);
                Ok(self.negated(*tag))
            }
            (Val::Present(a), Val::Present(b)) => self.same(a, b, inner),
            (Val::Either(tag, a), Val::Present(b)) | (Val::Present(b), Val::Either(tag, a)) => {
                let (held, null, done) =
                    (self.b.create_block(), self.b.create_block(), self.b.create_block());
                let result = self.b.append_block_param(done, types::I8);
                self.b.ins().brif(*tag, held, &[], null, &[]);
                self.continue_in(held);
                let same = self.same(a, b, inner)?;
                self.b.ins().jump(done, &[same.into()]);
                self.continue_in(null);
                self.charge(1);
                let no = self.b.ins().iconst(types::I8, 0);
                self.b.ins().jump(done, &[no.into()]);
                self.continue_in(done);
                Ok(result)
            }
            _ => {
                let (a_tag, a) = self.tagged(left)?;
                let (b_tag, b) = self.tagged(right)?;
                let (held, null, done) =
                    (self.b.create_block(), self.b.create_block(), self.b.create_block());
                let result = self.b.append_block_param(done, types::I8);
                let both = self.b.ins().band(a_tag, b_tag);
                self.b.ins().brif(both, held, &[], null, &[]);
                self.continue_in(held);
                let same = self.same(&a, &b, inner)?;
                self.b.ins().jump(done, &[same.into()]);
                self.continue_in(null);
                self.charge(1);
                let same = self.b.ins().icmp(IntCC::Equal, a_tag, b_tag);
                self.b.ins().jump(done, &[same.into()]);
                self.continue_in(done);
                Ok(result)
            }
        }
    }

    /// Whether an optional holds something, 0 or 1, and what.
    fn tagged(&mut self, val: &Val) -> Result<(Value, Val), Refused> {
        match val {
            Val::Either(tag, held) => Ok((*tag, held.as_ref().clone())),
            Val::Present(held) => Ok((self.b.ins().iconst(types::I8, 1), held.as_ref().clone())),
            _ => Err(Refused::Malformed("an optional")),
        }
    }

    /// The position of a variant.
    fn position(&mut self, val: &Val) -> Result<Value, Refused> {
        match val {
            Val::One(position) => Ok(*position),
            Val::Variant(position, _) => Ok(self.int(i64::from(*position))),
            Val::At(place) => match self.load(ReprId::INT, *place) {
                Val::One(position) => Ok(position),
                _ => Err(Refused::Malformed("a position")),
            },
            _ => Err(Refused::Malformed("a variant")),
        }
    }

    pub(super) fn order(&mut self, op: BinaryOp, left: ExprId, right: ExprId) -> Result<Typed, Refused> {
        let (left, repr) = self.own_value(left)?;
        let right = self.value(right, repr)?;
        let (signed, float) = match op {
            BinaryOp::Less => (IntCC::SignedLessThan, FloatCC::LessThan),
            BinaryOp::LessEqual => (IntCC::SignedLessThanOrEqual, FloatCC::LessThanOrEqual),
            BinaryOp::Greater => (IntCC::SignedGreaterThan, FloatCC::GreaterThan),
            _ => (IntCC::SignedGreaterThanOrEqual, FloatCC::GreaterThanOrEqual),
        };
        let holds = match (self.layout(repr), &left, &right) {
            (Repr::Float, Val::One(a), Val::One(b)) => self.b.ins().fcmp(float, *a, *b),
            (Repr::Text, Val::Two(a, a_len), Val::Two(b, b_len)) => {
                let shorter = self.b.ins().umin(*a_len, *b_len);
                self.charge_scan(shorter);
                let order = self.call(Helper::TextOrder, &[*a, *a_len, *b, *b_len]);
                let order = order.ok_or(Refused::Malformed("an order"))?;
                self.b.ins().icmp_imm_s(signed, order, 0)
            }
            (_, Val::One(a), Val::One(b)) => self.b.ins().icmp(signed, *a, *b),
            _ => return Err(Refused::Malformed("values without an order are compared")),
        };
        Ok((Val::One(holds), ReprId::BOOL))
    }

    pub(super) fn choice(
        &mut self,
        condition: ExprId,
        then: ExprId,
        otherwise: ExprId,
        want: ReprId,
    ) -> Result<Val, Refused> {
        let (yes, no) = (self.b.create_block(), self.b.create_block());
        let mut join = self.join(want);
        self.branch(condition, yes, no)?;
        for (block, value) in [(yes, then), (no, otherwise)] {
            self.continue_in(block);
            let val = self.value(value, want)?;
            self.join_with(&mut join, &val)?;
        }
        self.joined(&join)
    }

    /// `a ?? b`.
    pub(super) fn coalesce(&mut self, left: ExprId, right: ExprId, want: ReprId) -> Result<Val, Refused> {
        let (val, repr) = self.own_value(left)?;
        let (present, held, of) = match (val, self.unit.table.layouts.present(repr)) {
            (Val::Absent, _) => return self.value(right, want),
            (Val::Present(held), Some(of)) => return self.coerce(*held, of, want),
            (Val::Either(tag, held), Some(of)) => (tag, *held, of),
            (val, None) if repr == ReprId::OPAQUE => {
                let null = self.call(Helper::IsNull, &[Self::one(&val)?]);
                let null = null.ok_or(Refused::Malformed("an answer"))?;
                (self.negated(null), val, repr)
            }
            (val, _) => return self.coerce(val, repr, want),
        };
        let (some, none) = (self.b.create_block(), self.b.create_block());
        let mut join = self.join(want);
        self.b.ins().brif(present, some, &[], none, &[]);
        self.continue_in(some);
        let held = self.coerce(held, of, want)?;
        self.join_with(&mut join, &held)?;
        self.continue_in(none);
        let val = self.value(right, want)?;
        self.join_with(&mut join, &val)?;
        self.joined(&join)
    }

    pub(super) fn matching(&mut self, scrutinee: ExprId, arms: &[Arm], want: ReprId) -> Result<Val, Refused> {
        let (val, repr) = self.own_value(scrutinee)?;
        let mut join = self.join(want);
        for arm in arms {
            let next = self.b.create_block();
            let mut bound = Vec::new();
            self.test(&arm.pattern, &val, repr, next, &mut bound)?;
            for (local, val, repr) in &bound {
                self.bind(*local, val.clone(), *repr)?;
            }
            let result = self.value(arm.body, want)?;
            for (local, ..) in &bound {
                self.unbind(*local);
            }
            self.join_with(&mut join, &result)?;
            self.continue_in(next);
        }
        // No arm fits: only a table that lies comes here.
        self.leave_to_interpreter();
        let unreached = self.poison(want);
        self.join_with(&mut join, &unreached)?;
        self.joined(&join)
    }

    /// Some value of `repr`, where none is ever looked at.
    fn poison(&mut self, repr: ReprId) -> Val {
        let values = self
            .shape(repr)
            .into_iter()
            .map(|ty| match ty {
                types::F64 => self.b.ins().f64const(0.0),
                ty => self.b.ins().iconst(ty, 0),
            })
            .collect::<Vec<_>>();
        self.implode(&values, repr, true).unwrap_or(Val::Absent)
    }

    /// Goes on where the pattern fits, to `otherwise` where it does not.
    fn test(
        &mut self,
        pattern: &Pattern,
        val: &Val,
        repr: ReprId,
        otherwise: Block,
        bound: &mut Vec<(LocalId, Val, ReprId)>,
    ) -> Result<(), Refused> {
        let present = self.unit.table.layouts.present(repr);
        match (pattern, present) {
            (Pattern::Any, _) => Ok(()),
            (Pattern::Bind(local), _) => {
                bound.push((*local, val.clone(), repr));
                Ok(())
            }
            (Pattern::Present(inner), Some(of)) => {
                let held = self.held(val, of, otherwise);
                self.test(inner, &held, of, otherwise, bound)
            }
            (Pattern::Present(inner), None) => {
                if repr == ReprId::OPAQUE {
                    let null = self.call(Helper::IsNull, &[Self::one(val)?]);
                    let null = null.ok_or(Refused::Malformed("an answer"))?;
                    let some = self.negated(null);
                    self.go_on_if(some, otherwise);
                }
                self.test(inner, val, repr, otherwise, bound)
            }
            (Pattern::Literal(Constant::Null), _) => {
                self.charge(1);
                let null = match val {
                    Val::Absent => return Ok(()),
                    Val::Present(_) => self.b.ins().iconst(types::I8, 0),
                    Val::Either(tag, _) => self.negated(*tag),
                    val => {
                        let null = self.call(Helper::IsNull, &[Self::one(val)?]);
                        null.ok_or(Refused::Malformed("an answer"))?
                    }
                };
                self.go_on_if(null, otherwise);
                Ok(())
            }
            (Pattern::Literal(literal), Some(of)) => self.literal_in_optional(literal, val, of, otherwise),
            (Pattern::Literal(literal), None) => {
                let same = self.is_literal(literal, val, repr)?;
                self.go_on_if(same, otherwise);
                Ok(())
            }
            (Pattern::Variant(..), Some(of)) => {
                let held = self.held(val, of, otherwise);
                self.test(pattern, &held, of, otherwise, bound)
            }
            (Pattern::Variant(position, inner), None) => {
                let found = self.position(val)?;
                let same = self.b.ins().icmp_imm_s(IntCC::Equal, found, i64::from(*position));
                self.go_on_if(same, otherwise);
                let (Some(inner), Repr::Variants(payloads)) = (inner, self.layout(repr)) else {
                    return Ok(());
                };
                let Some(Some(of)) = payloads.get(*position as usize) else {
                    return Err(Refused::Malformed("a pattern looks into a variant that is empty"));
                };
                let payload = match val {
                    Val::At(place) => self.load(*of, Place { offset: place.offset + STEP, ..*place }),
                    Val::Variant(found, Some(payload)) if found == position => payload.as_ref().clone(),
                    // It is another variant, so this is never reached.
                    _ => self.poison(*of),
                };
                self.test(inner, &payload, *of, otherwise, bound)
            }
        }
    }

    /// What an optional holds; goes to `otherwise` where it is `null`.
    fn held(&mut self, val: &Val, of: ReprId, otherwise: Block) -> Val {
        match val {
            Val::Present(held) => held.as_ref().clone(),
            Val::Either(tag, held) => {
                self.go_on_if(*tag, otherwise);
                held.as_ref().clone()
            }
            _ => {
                let never = self.b.ins().iconst(types::I8, 0);
                self.go_on_if(never, otherwise);
                self.poison(of)
            }
        }
    }

    fn literal_in_optional(
        &mut self,
        literal: &Constant,
        val: &Val,
        of: ReprId,
        otherwise: Block,
    ) -> Result<(), Refused> {
        match val {
            Val::Either(tag, held) => {
                // The comparison with null is charged, too.
                let (some, none) = (self.b.create_block(), self.b.create_block());
                self.b.ins().brif(*tag, some, &[], none, &[]);
                self.continue_in(none);
                self.charge(1);
                self.b.ins().jump(otherwise, &[]);
                self.continue_in(some);
                let same = self.is_literal(literal, held, of)?;
                self.go_on_if(same, otherwise);
                Ok(())
            }
            Val::Present(held) => {
                let same = self.is_literal(literal, held, of)?;
                self.go_on_if(same, otherwise);
                Ok(())
            }
            _ => {
                self.charge(1);
                let no = self.b.ins().iconst(types::I8, 0);
                self.go_on_if(no, otherwise);
                Ok(())
            }
        }
    }

    fn is_literal(&mut self, literal: &Constant, val: &Val, repr: ReprId) -> Result<Value, Refused> {
        let literal = match literal {
            Constant::String(text) => self.literal_text(text)?,
            // Any other literal of a pattern is in the code.
            _ => self.constant(ExprId(u32::MAX), literal, repr)?,
        };
        self.same(&literal, val, repr)
    }

    fn go_on_if(&mut self, condition: Value, otherwise: Block) {
        let go_on = self.b.create_block();
        self.b.ins().brif(condition, go_on, &[], otherwise, &[]);
        self.continue_in(go_on);
    }
}
