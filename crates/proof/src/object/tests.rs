use proptest::prelude::*;
use schema::ocb::{Item, Profile};

use super::*;

/// An object with a field of every type.
type Sample = (u64, Vec<u8>, Option<String>, Vec<u64>, bool);

fn write((number, bytes, text, list, flag): &Sample) -> Vec<u8> {
    encode(0, |fields| {
        fields.uint(0, *number);
        fields.bytes(3, bytes);
        fields.maybe(4, text.as_ref(), |w, text| w.text(text));
        fields.put(30, |w| {
            w.object(|fields| {
                fields.put(1, |w| {
                    w.array(list.len());
                    list.iter().for_each(|number| w.uint(*number));
                });
            });
        });
        fields.maybe(31, flag.then_some(()), |w, ()| w.bool(true));
    })
}

fn read(bytes: &[u8]) -> Result<Sample, ObjectError> {
    decode(bytes, |fields| {
        let number = fields.get(0, |r| r.uint())?;
        let bytes = fields.get(3, |r| r.bytes(100, "bytes"))?.to_vec();
        let text = fields.maybe(4, |r| r.text(100, "text"))?.map(str::to_owned);
        let list = fields.get(30, |r| {
            r.object(|fields| {
                fields.get(1, |r| {
                    let count = r.array(100, "list")?;
                    (0..count).map(|_| r.uint()).collect()
                })
            })
        })?;
        Ok((number, bytes, text, list, fields.maybe(31, |r| r.flag())?.unwrap_or(false)))
    })
}

fn sample() -> impl Strategy<Value = Sample> {
    let number = prop_oneof![any::<u64>(), 0..300_u64, (0..5_u32).prop_map(|power| 1 << (8 * power))];
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    let list = proptest::collection::vec(number.clone(), 0..40);
    (number, bytes, proptest::option::of(".{0,9}"), list, any::<bool>())
}

proptest! {
    #[test]
    fn objects_are_what_the_codec_of_items_writes(sample in sample()) {
        let bytes = write(&sample);
        prop_assert_eq!(read(&bytes), Ok(sample));
        let item = Item::decode(&bytes, Profile::Proof).unwrap();
        prop_assert_eq!(item.encode(Profile::Proof).unwrap(), bytes);
    }

    #[test]
    fn what_is_accepted_has_one_form(sample in sample(), at: usize, bit in 0..8_u32) {
        let mut bytes = write(&sample);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = read(&bytes) {
            prop_assert_eq!(write(&changed), bytes.clone());
            prop_assert!(Item::decode(&bytes, Profile::Proof).is_ok());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let policy = crate::verify::TrustPolicy::default();
        prop_assert!(!crate::verify::verify(&bytes, &policy).valid);
    }
}

#[test]
fn limits_hold_to_the_byte() {
    let of_length = |length: usize| read(&write(&(1, vec![7; length], None, vec![], false))).is_ok();
    assert!(of_length(100) && !of_length(101));
    let of_count = |count: usize| read(&write(&(1, vec![], None, vec![7; count], false))).is_ok();
    assert!(of_count(100) && !of_count(101));
}
