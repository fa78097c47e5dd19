use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn decode(text: &str, profile: Profile) -> Result<Item, OcbError> {
    Item::decode(&hex(text), profile)
}

#[test]
fn agrees_with_the_examples_of_rfc_8949() {
    let array = |items: &[u64]| Item::Array(items.iter().copied().map(Item::Uint).collect());
    for (text, item) in [
        ("00", Item::Uint(0)),
        ("17", Item::Uint(23)),
        ("1818", Item::Uint(24)),
        ("1903e8", Item::Uint(1000)),
        ("1a000f4240", Item::Uint(1_000_000)),
        ("1bffffffffffffffff", Item::Uint(u64::MAX)),
        ("20", Item::int(-1)),
        ("3903e7", Item::int(-1000)),
        ("3bffffffffffffffff", Item::Nint(u64::MAX)),
        ("40", Item::Bytes(vec![])),
        ("4401020304", Item::Bytes(vec![1, 2, 3, 4])),
        ("6449455446", Item::Text("IETF".into())),
        ("64f0908591", Item::Text("𐅑".into())),
        ("8301820203820405", Item::Array(vec![Item::Uint(1), array(&[2, 3]), array(&[4, 5])])),
        ("a201020304", MapBuilder::new().with(1, 2_u64).with(3, 4_u64).build()),
        ("f4", Item::Bool(false)),
        ("f5", Item::Bool(true)),
    ] {
        assert_eq!(decode(text, Profile::Proof), Ok(item.clone()), "{text}");
        assert_eq!(item.encode(Profile::Proof), Ok(hex(text)), "{text}");
    }
    for (text, item) in [
        ("f6", Item::Null),
        ("fb3ff199999999999a", Item::Float(1.1)),
        ("fb7ff0000000000000", Item::Float(f64::INFINITY)),
        ("a26161016162820203", Item::text_map([("b".into(), array(&[2, 3])), ("a".into(), Item::Uint(1))])),
        ("a0", Item::text_map([])),
    ] {
        assert_eq!(decode(text, Profile::Value), Ok(item.clone()), "{text}");
        assert_eq!(item.encode(Profile::Value), Ok(hex(text)), "{text}");
    }
    let keys = Item::text_map([("b".into(), Item::Null), ("aa".into(), Item::Null)]);
    assert_eq!(keys.encode(Profile::Value), Ok(hex("a26162f6626161f6")), "the shorter key is first");
    assert_eq!(Item::Float(-0.0).encode(Profile::Value), Ok(hex("fb0000000000000000")));
    assert_eq!(Item::int(i64::MIN).as_int(), Some(i64::MIN));
    assert_eq!(Item::Nint(u64::MAX).as_int(), None);
}

#[test]
fn every_other_spelling_is_refused() {
    use OcbError as E;
    for (text, error) in [
        ("", E::Truncated { at: 0 }),
        ("1817", E::NotMinimal { at: 0 }),
        ("1900ff", E::NotMinimal { at: 0 }),
        ("1a0000ffff", E::NotMinimal { at: 0 }),
        ("1b00000000ffffffff", E::NotMinimal { at: 0 }),
        ("3817", E::NotMinimal { at: 0 }),
        ("5801ff", E::NotMinimal { at: 0 }),
        ("980100", E::NotMinimal { at: 0 }),
        ("a1180101", E::NotMinimal { at: 1 }),
        ("1c", E::NotInProfile { at: 0, byte: 0x1c }),
        ("9fff", E::Indefinite { at: 0 }),
        ("5f4101ff", E::Indefinite { at: 0 }),
        ("bfff", E::Indefinite { at: 0 }),
        ("c100", E::NotInProfile { at: 0, byte: 0xc1 }),
        ("f6", E::NotInProfile { at: 0, byte: 0xf6 }),
        ("f7", E::NotInProfile { at: 0, byte: 0xf7 }),
        ("f820", E::NotInProfile { at: 0, byte: 0xf8 }),
        ("f93c00", E::NotInProfile { at: 0, byte: 0xf9 }),
        ("fb3ff199999999999a", E::NotInProfile { at: 0, byte: 0xfb }),
        ("ff", E::NotInProfile { at: 0, byte: 0xff }),
        ("61ff", E::NotUtf8 { at: 0 }),
        ("6261", E::Truncated { at: 0 }),
        ("19ff", E::Truncated { at: 0 }),
        ("8201", E::Truncated { at: 0 }),
        ("820102ff", E::Trailing { at: 3 }),
        ("0000", E::Trailing { at: 1 }),
        ("a201000100", E::KeyOrder { at: 3 }),
        ("a202000100", E::KeyOrder { at: 3 }),
        ("a1616100", E::KeyKind { at: 1 }),
        ("a12000", E::KeyKind { at: 1 }),
    ] {
        assert_eq!(decode(text, Profile::Proof), Err(error), "{text}");
    }
    for (text, error) in [
        ("f93c00", E::NotInProfile { at: 0, byte: 0xf9 }),
        ("fa3f800000", E::NotInProfile { at: 0, byte: 0xfa }),
        ("fb8000000000000000", E::Double { at: 0 }),
        ("fb7ff8000000000000", E::Double { at: 0 }),
        ("fb3ff1", E::Truncated { at: 0 }),
        ("a10100", E::KeyKind { at: 1 }),
        ("a2616100616100", E::KeyOrder { at: 4 }),
        ("a2626161006162 00", E::KeyOrder { at: 5 }),
        ("f7", E::NotInProfile { at: 0, byte: 0xf7 }),
    ] {
        assert_eq!(decode(text, Profile::Value), Err(error), "{text}");
    }
}

#[test]
fn announced_lengths_reserve_nothing() {
    for bomb in [
        "9b7fffffffffffffff",
        "bb7fffffffffffffff",
        "5b7fffffffffffffff",
        "7bffffffffffffffff",
        "9a7fffffff00",
    ] {
        for profile in [Profile::Proof, Profile::Value] {
            assert_eq!(decode(bomb, profile), Err(OcbError::Truncated { at: 0 }), "{bomb}");
        }
    }
}

#[test]
fn nesting_is_bounded() {
    for profile in [Profile::Proof, Profile::Value] {
        let nested = |depth: usize| (1..depth).fold(Item::Array(vec![]), |item, _| Item::Array(vec![item]));
        let most = nested(profile.depth_max());
        let bytes = most.encode(profile).unwrap();
        assert_eq!(Item::decode(&bytes, profile), Ok(most));
        let more = nested(profile.depth_max() + 1);
        assert_eq!(more.encode(profile), Err(OcbError::TooDeep { at: 0 }));
        let mut bytes = vec![0x81; profile.depth_max()];
        bytes.push(0x80);
        assert_eq!(Item::decode(&bytes, profile), Err(OcbError::TooDeep { at: profile.depth_max() }));
    }
}

#[test]
fn items_of_the_other_profile_are_not_written() {
    for item in [Item::Null, Item::Float(1.0), Item::text_map([])] {
        assert!(matches!(item.encode(Profile::Proof), Err(OcbError::Kind { .. })));
    }
    assert!(matches!(MapBuilder::new().build().encode(Profile::Value), Err(OcbError::Kind { .. })));
    assert_eq!(Item::Float(f64::NAN).encode(Profile::Value), Err(OcbError::Double { at: 0 }));
}

#[test]
fn fields_are_taken_by_key_and_kind() {
    let item = MapBuilder::new()
        .with(1, 7_u64)
        .with(2, "x")
        .with(3, crate::hash::Hash([9; 32]))
        .with(4, vec![Item::Bool(true)])
        .with(5, MapBuilder::new().with(1, -5_i64))
        .with_some(6, None::<u64>)
        .build();
    let mut fields = Fields::of(item).unwrap();
    assert_eq!(fields.small::<u8>(1), Ok(7));
    assert_eq!(fields.uint(2), Err(FieldError::Kind { key: 2, expected: "an unsigned integer" }));
    assert_eq!(fields.hash(3), Ok(crate::hash::Hash([9; 32])));
    assert_eq!(fields.array(4), Ok(vec![Item::Bool(true)]));
    let mut inner = fields.map(5).unwrap();
    assert_eq!(inner.int(1), Ok(-5));
    assert_eq!(inner.finish(), Ok(()));
    assert_eq!(fields.optional(6, Fields::uint), Ok(None));
    assert_eq!(fields.uint(6), Err(FieldError::Missing { key: 6 }));
    assert_eq!(fields.finish(), Ok(()));
    assert!(matches!(Fields::of(Item::Null), Err(FieldError::NotAMap)));
}

fn leaf() -> BoxedStrategy<Item> {
    prop_oneof![
        any::<u64>().prop_map(Item::Uint),
        (0_u64..300).prop_map(Item::Uint),
        any::<u64>().prop_map(Item::Nint),
        vec(any::<u8>(), 0..40).prop_map(Item::Bytes),
        any::<String>().prop_map(Item::Text),
        any::<bool>().prop_map(Item::Bool),
    ]
    .boxed()
}

fn proof_item() -> impl Strategy<Value = Item> {
    leaf().prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Item::Array),
            btree_map(0_u64..300, inner, 0..6).prop_map(Item::Map),
        ]
    })
}

fn value_item() -> impl Strategy<Value = Item> {
    let float = prop::num::f64::ANY
        .prop_filter("one zero, no NaN", |v| !(v.is_nan() || *v == 0.0 && v.is_sign_negative()));
    let leaf = prop_oneof![leaf(), Just(Item::Null), float.prop_map(Item::Float)];
    leaf.prop_recursive(8, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Item::Array),
            btree_map("[a-z]{0,4}", inner, 0..6).prop_map(Item::text_map),
        ]
    })
}

/// Whatever is accepted is the one encoding of what it decodes to.
fn accepted_is_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    for profile in [Profile::Proof, Profile::Value] {
        if let Ok(item) = Item::decode(bytes, profile) {
            prop_assert_eq!(item.encode(profile), Ok(bytes.to_vec()));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn proof_items_round_trip_and_every_bit_counts(item in proof_item()) {
        let bytes = item.encode(Profile::Proof).unwrap();
        prop_assert_eq!(Item::decode(&bytes, Profile::Proof), Ok(item.clone()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            accepted_is_canonical(&flipped)?;
            prop_assert_ne!(Item::decode(&flipped, Profile::Proof).ok(), Some(item.clone()));
        }
        for cut in 0..bytes.len() {
            prop_assert!(Item::decode(&bytes[..cut], Profile::Proof).is_err());
        }
    }

    #[test]
    fn value_items_round_trip_and_every_bit_counts(item in value_item()) {
        let bytes = item.encode(Profile::Value).unwrap();
        prop_assert_eq!(Item::decode(&bytes, Profile::Value), Ok(item.clone()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            accepted_is_canonical(&flipped)?;
            prop_assert_ne!(Item::decode(&flipped, Profile::Value).ok(), Some(item.clone()));
        }
    }

    #[test]
    fn noise_is_refused_or_canonical(bytes in vec(any::<u8>(), 0..60)) {
        accepted_is_canonical(&bytes)?;
    }
}
