//! Protobuf descriptors as entries: every method of every gRPC service, with the messages that it takes and gives.
//!
//! The bytes are a `google.protobuf.FileDescriptorSet`, as `protoc --include_imports --descriptor_set_out` and
//! `buf build` write one, and as a server's reflection adds up to.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};

use crate::error::{Error, NO_DESCRIPTORS, TOO_LARGE};
use crate::import::{Import, Imported, Origin};
use crate::names::{snake, unique};
use crate::{DOCUMENT_BYTES_MAX, OPERATIONS_MAX};

mod comments;
mod entry;
mod messages;
mod prune;

/// Kind of the source that names where descriptors are from.
pub const SOURCE: &str = "protobuf";

/// Where the descriptors as a whole stand.
const ALL: &str = "the descriptors";

/// The first byte of a set with a file in it: field 1, of a length.
const FIRST_BYTE: u8 = 0x0a;

/// Services that speak of the server rather than for the subnet.
const SERVER_SERVICES: [&str; 3] = ["grpc.reflection.", "grpc.health.", "grpc.channelz."];

/// Descriptors that were read, with all that they refer to.
#[derive(Clone, Debug)]
pub struct Descriptors {
    pool: DescriptorPool,
    /// BLAKE3 of the bytes.
    digest: String,
}

impl Descriptors {
    /// Whether `bytes` are meant to be a set of descriptors: what is text of a document is none.
    #[must_use]
    pub fn are_meant(bytes: &[u8]) -> bool {
        bytes.first() == Some(&FIRST_BYTE)
            && (std::str::from_utf8(bytes).is_err()
                || FileDescriptorSet::decode(bytes)
                    .is_ok_and(|set| set.file.iter().all(|file| !file.name().is_empty())))
    }

    /// Reads a `FileDescriptorSet`. What it lacks of `google/protobuf` is known here.
    ///
    /// # Errors
    /// [`TOO_LARGE`]; [`NO_DESCRIPTORS`] for what is no such set, or not all of one.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            let message = format!("the descriptors have more than {DOCUMENT_BYTES_MAX} bytes");
            return Err(Error::new(TOO_LARGE, ALL, message));
        }
        let refused = |message: String| Error::new(NO_DESCRIPTORS, ALL, message);
        let set = FileDescriptorSet::decode(bytes)
            .map_err(|error| refused(format!("they are no `FileDescriptorSet`: {error}")))?;
        let files = whole(set)?;
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files.into_values())
            .map_err(|error| refused(format!("they contradict themselves: {error}")))?;
        Ok(Self { pool, digest: blake3::hash(bytes).to_hex().to_string() })
    }

    /// Every method as an entry, or why it is none; but for services that speak of the server itself.
    ///
    /// # Errors
    /// [`TOO_LARGE`] for more methods than a document may have operations; [`Error`] where `origin` names a server that
    /// no call could go to.
    pub fn import(&self, origin: &Origin) -> Result<Import, Error> {
        let services: Vec<ServiceDescriptor> = self
            .pool
            .services()
            .filter(|service| !SERVER_SERVICES.iter().any(|own| service.full_name().starts_with(own)))
            .collect();
        let methods: Vec<MethodDescriptor> =
            services.iter().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        if methods.len() > OPERATIONS_MAX {
            return Err(Error::new(TOO_LARGE, ALL, format!("they have more than {OPERATIONS_MAX} methods")));
        }
        let names = names(&methods);
        let mut operations = Vec::with_capacity(methods.len());
        for (method, name) in methods.iter().zip(names) {
            let path = path_of(method);
            let id = format!("sn{}.{}{name}", origin.netuid, origin.name_prefix);
            let entry = self.entry(method, origin, &id)?;
            operations.push(Imported { call: format!("gRPC {path}"), at: path, id, entry });
        }
        let title = services.iter().map(ServiceDescriptor::full_name).collect::<Vec<_>>().join(", ");
        Ok(Import { title, operations })
    }
}

/// `/package.Service/Method`.
fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// The files by name, with what they import.
fn whole(set: FileDescriptorSet) -> Result<BTreeMap<String, FileDescriptorProto>, Error> {
    let mut files: BTreeMap<String, FileDescriptorProto> =
        set.file.into_iter().map(|file| (file.name().to_owned(), file)).collect();
    let known = DescriptorPool::global();
    let mut open: Vec<(String, String)> = files.values().flat_map(imports).collect();
    while let Some((import, by)) = open.pop() {
        if files.contains_key(&import) {
            continue;
        }
        let Some(file) = known.get_file_by_name(&import) else {
            let message = format!("`{by}` imports `{import}`, which is not among them");
            return Err(Error::new(NO_DESCRIPTORS, ALL, message));
        };
        let file = file.file_descriptor_proto().clone();
        open.extend(imports(&file));
        files.insert(import, file);
    }
    Ok(files)
}

/// What a file imports, each with its own name.
fn imports(file: &FileDescriptorProto) -> Vec<(String, String)> {
    file.dependency.iter().map(|import| (import.clone(), file.name().to_owned())).collect()
}

/// The name of each method: its own where no other has it, else with its service, else with the package.
fn names(methods: &[MethodDescriptor]) -> Vec<String> {
    let spellings: Vec<[String; 3]> = methods
        .iter()
        .map(|method| {
            let service = method.parent_service();
            let with = |before: &str| snake(&format!("{before}_{}", method.name()));
            [snake(method.name()), with(service.name()), with(service.full_name())]
        })
        .collect();
    let is_alone = |level: usize, name: &str| {
        spellings.iter().filter(|spelling| spelling.get(level).is_some_and(|own| own == name)).count() == 1
    };
    let mut taken = BTreeSet::new();
    let names = spellings.iter().map(|spelling| {
        let alone = spelling.iter().enumerate().find(|(level, name)| is_alone(*level, name));
        let wanted = alone.map(|(_, name)| name).or_else(|| spelling.last());
        unique(wanted.cloned().unwrap_or_default(), &mut taken)
    });
    names.collect()
}
