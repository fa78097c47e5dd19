//! The bundle: one file with everything an offline verifier needs.

use std::borrow::Cow;

use crate::VERSION;
use crate::body::Field;
use crate::header::Header;
use crate::key::{RuntimeKey, Signature};
use crate::limits::{
    BUNDLE_BYTES_MAX, COMMIT_BYTES_MAX, LEAVES_MAX, OBJECT_BYTES_MAX, PLAN_BYTES_MAX, SIGNATURES_MAX,
};
use crate::object::{ObjectError, Problem, Reader, Writer, decode, encode};
use crate::statement::SignedBy;

/// No commit is shorter: it holds a run id and a hash. A list of shorter ones would cost a reader more
/// memory than its bytes.
const COMMIT_BYTES_MIN: usize = 64;
/// Ends of file names of bundles, without the dot.
pub const FILE_EXTENSION: &str = "orchproof";

/// A proof bundle, whose objects are kept as the bytes that were hashed and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle<'a> {
    /// The compiled plan.
    pub plan: Cow<'a, [u8]>,
    /// The [`crate::challenge::Challenge`].
    pub challenge: Cow<'a, [u8]>,
    /// Its issuer's signature; none where the runtime issued it: the statement, signed by the same key,
    /// commits to it.
    pub challenge_signature: Option<Signature>,
    /// The [`crate::header::Header`].
    pub header: Cow<'a, [u8]>,
    /// A [`crate::commit::NodeCommit`] for every leaf, in order.
    pub commits: Vec<Cow<'a, [u8]>>,
    /// The [`crate::statement::RunStatement`].
    pub statement: Cow<'a, [u8]>,
    /// Signatures over the statement.
    pub signatures: Vec<SignedBy>,
    /// Content shown with the proof. Not signed: what is shown is held to its commit, and anyone may
    /// show less.
    pub disclosures: Vec<Disclosure<'a>>,
}

/// Content that is shown, with the salt that opens its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure<'a> {
    /// The leaf; `None` for content of the run.
    pub ordinal: Option<u32>,
    /// Which content.
    pub field: Field,
    /// The salt of its commit.
    pub salt: [u8; 32],
    /// The content; of [`Field::Attempts`], an array of the attempts' bytes.
    pub bytes: Cow<'a, [u8]>,
}

/// A bundle that cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Its header cannot be read.
    #[error(transparent)]
    Header(#[from] ObjectError),
    /// Its header names another key.
    #[error("its header names another key")]
    Key,
}

impl<'a> Bundle<'a> {
    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let commits: usize = self.commits.iter().map(|commit| commit.len() + 3).sum();
        let shown: usize = self.disclosures.iter().map(|shown| shown.bytes.len() + 64).sum();
        let objects = self.plan.len() + self.challenge.len() + self.header.len() + self.statement.len();
        encode(objects + commits + shown + 512, |fields| {
            fields.uint(0, VERSION);
            fields.bytes(1, &self.plan);
            fields.bytes(2, &self.challenge);
            fields.maybe(3, self.challenge_signature, |w, signature| w.bytes(&signature.0));
            fields.bytes(4, &self.header);
            fields.put(5, |w| {
                w.array(self.commits.len());
                self.commits.iter().for_each(|commit| w.bytes(commit));
            });
            fields.bytes(6, &self.statement);
            fields.put(7, |w| {
                w.array(self.signatures.len());
                self.signatures.iter().for_each(|signature| signature.write(w));
            });
            fields.put(8, |w| {
                w.array(self.disclosures.len());
                self.disclosures.iter().for_each(|disclosure| disclosure.write(w));
            });
        })
    }

    /// The bundle that `bytes` are; borrows from them. Its objects are taken apart by
    /// [`crate::verify::verify`], not here.
    ///
    /// # Errors
    /// [`ObjectError`] for anything [`Bundle::to_bytes`] does not make; [`crate::Problem::Version`] for another
    /// version.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, ObjectError> {
        crate::object::limit(bytes, BUNDLE_BYTES_MAX, "the size of a bundle")?;
        decode(bytes, |fields| {
            fields.get(0, |r| r.version())?;
            let object = |r: &mut Reader<'a>| r.bytes(OBJECT_BYTES_MAX, "the size of an object");
            Ok(Self {
                plan: fields.get(1, |r| r.bytes(PLAN_BYTES_MAX, "the size of a plan"))?.into(),
                challenge: fields.get(2, object)?.into(),
                challenge_signature: fields.maybe(3, |r| r.fixed())?.map(Signature),
                header: fields.get(4, object)?.into(),
                commits: fields.get(5, read_commits)?,
                statement: fields.get(6, object)?.into(),
                signatures: fields.get(7, |r| {
                    let count = r.array(SIGNATURES_MAX, "the number of signatures")?;
                    (0..count).map(|_| SignedBy::read(r)).collect::<Result<_, _>>()
                })?,
                disclosures: fields.get(8, read_disclosures)?,
            })
        })
    }

    /// Signs the statement, in place of all signatures that were there. The same key gives the same signature each time.
    ///
    /// # Errors
    /// [`SignError`] where the bundle is not of a run of this key; nothing is changed then.
    pub fn sign(&mut self, key: &RuntimeKey) -> Result<(), SignError> {
        if Header::from_bytes(&self.header)?.runtime_key != key.public() {
            return Err(SignError::Key);
        }
        self.signatures = vec![SignedBy::statement(key, &self.statement)];
        Ok(())
    }

    /// The same bundle without what `keep` does not keep: a proof for someone who may see less.
    #[must_use]
    pub fn redacted(mut self, mut keep: impl FnMut(&Disclosure<'a>) -> bool) -> Self {
        self.disclosures.retain(|disclosure| keep(disclosure));
        self
    }

    /// The content shown for `field` of the leaf `ordinal`, or of the run where that is `None`.
    #[must_use]
    pub fn disclosed(&self, ordinal: Option<u32>, field: Field) -> Option<&Disclosure<'a>> {
        let place = (ordinal, field);
        let index = self.disclosures.binary_search_by_key(&place, |shown| (shown.ordinal, shown.field));
        self.disclosures.get(index.ok()?)
    }

    /// The same bundle with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Bundle<'static> {
        let own = |bytes: Cow<'a, [u8]>| Cow::Owned(bytes.into_owned());
        Bundle {
            plan: own(self.plan),
            challenge: own(self.challenge),
            challenge_signature: self.challenge_signature,
            header: own(self.header),
            commits: self.commits.into_iter().map(own).collect(),
            statement: own(self.statement),
            signatures: self.signatures,
            disclosures: self
                .disclosures
                .into_iter()
                .map(|shown| Disclosure { bytes: own(shown.bytes), ..shown })
                .collect(),
        }
    }
}

fn read_commits<'a>(reader: &mut Reader<'a>) -> Result<Vec<Cow<'a, [u8]>>, ObjectError> {
    let count = reader.array(LEAVES_MAX as usize, "the number of leaves")?;
    let mut commits = Vec::new();
    for _ in 0..count {
        let commit = reader.bytes(COMMIT_BYTES_MAX, "the size of a node commit")?;
        if commit.len() < COMMIT_BYTES_MIN {
            return reader.fail(Problem::Range("the size of a node commit"));
        }
        commits.push(commit.into());
    }
    Ok(commits)
}

/// Ascending by leaf and field, content of the run first: one order, so one encoding.
fn read_disclosures<'a>(reader: &mut Reader<'a>) -> Result<Vec<Disclosure<'a>>, ObjectError> {
    let count = reader.array(usize::MAX, "the number of disclosures")?;
    let mut disclosures: Vec<Disclosure<'a>> = Vec::new();
    for _ in 0..count {
        let next = Disclosure::read(reader)?;
        let place = (next.ordinal, next.field);
        if disclosures.last().is_some_and(|last| (last.ordinal, last.field) >= place) {
            return reader.fail(Problem::Range("the order of disclosures"));
        }
        disclosures.push(next);
    }
    Ok(disclosures)
}

impl<'a> Disclosure<'a> {
    fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            fields.maybe(0, self.ordinal, |w, ordinal| w.uint(u64::from(ordinal)));
            fields.uint(1, self.field as u64);
            fields.bytes(2, &self.salt);
            fields.bytes(3, &self.bytes);
        });
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            let ordinal = fields.maybe(0, |r| r.u32("the ordinal"))?;
            let number = fields.get(1, |r| r.uint())?;
            let field = Field::ALL.into_iter().find(|field| *field as u64 == number);
            let Some(field) = field.filter(|field| field.is_of_run() == ordinal.is_none()) else {
                return fields.reader.fail(Problem::Range("the field of a disclosure"));
            };
            let salt = fields.get(2, |r| r.fixed())?;
            let bytes = fields.get(3, |r| r.bytes(BUNDLE_BYTES_MAX, "the size of content"))?;
            Ok(Self { ordinal, field, salt, bytes: bytes.into() })
        })
    }
}
