//! Protobuf descriptors as entries: every method of every gRPC service, with the messages that it takes and gives.
//!
//! The bytes are a `google.protobuf.FileDescriptorSet`, as `protoc --include_imports --descriptor_set_out` and
//! `buf build` write one, and as a server's reflection adds up to.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use schema::operation::{OperationDescriptor, Transport};

use crate::error::{Error, NO_DESCRIPTORS, TOO_LARGE, shown};
use crate::import::{Import, Imported, Notes, Origin, settled_server};
use crate::names::{snake, unique};
use crate::{DOCUMENT_BYTES_MAX, OPERATIONS_MAX};

mod comments;
mod entry;
mod messages;
mod prune;

use comments::Comments;

/// Kind of the source that names where descriptors are from.
pub const SOURCE: &str = "protobuf";

/// Where the descriptors as a whole stand.
const ALL: &str = "the descriptors";

/// Bytes of the descriptors of all entries together, in base64.
const ENTRIES_DESCRIPTOR_BYTES_MAX: usize = 16 << 20;

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
    /// `TOO_LARGE`; `NO_DESCRIPTORS` for what is no such set, or not all of one.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            let message = format!("the descriptors have more than {DOCUMENT_BYTES_MAX} bytes");
            return Err(Error::new(TOO_LARGE, ALL, message));
        }
        let refused = |message: String| Error::new(NO_DESCRIPTORS, ALL, message);
        let set = FileDescriptorSet::decode(bytes)
            .map_err(|error| refused(format!("they are no `FileDescriptorSet`: {error}")))?;
        let files = whole(set)?;
        if let Some((name, file)) = files.iter().find(|(_, file)| !has_known_syntax(file)) {
            let syntax = shown(file.syntax());
            return Err(refused(format!(
                "`{}` has the syntax `{syntax}`, not proto2 or proto3",
                shown(name)
            )));
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files.into_values())
            .map_err(|error| refused(format!("they contradict themselves: {error}")))?;
        Ok(Self { pool, digest: blake3::hash(bytes).to_hex().to_string() })
    }

    /// Every method as an entry, or why it is none; but for services that speak of the server itself.
    ///
    /// # Errors
    /// `TOO_LARGE` for more methods than a document may have operations; [`Error`] where `origin` names a server that
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
        let operations = self.entries(&methods, origin, ENTRIES_DESCRIPTOR_BYTES_MAX)?;
        let title = services.iter().map(ServiceDescriptor::full_name).collect::<Vec<_>>().join(", ");
        Ok(Import { title, operations })
    }

    /// Each method, as long as the descriptors of all entries have at most `bytes_max`: a small file can have many
    /// methods that all refer to much.
    fn entries(
        &self,
        methods: &[MethodDescriptor],
        origin: &Origin,
        bytes_max: usize,
    ) -> Result<Vec<Imported>, Error> {
        let mut left = bytes_max;
        let mut comments = Comments::default();
        let mut notes = Notes::default();
        let base_url = settled_server(origin, &mut notes)?;
        let mut operations = Vec::with_capacity(methods.len());
        for (method, name) in methods.iter().zip(names(methods)) {
            let path = path_of(method);
            let id = format!("sn{}.{}{name}", origin.netuid, origin.name_prefix);
            let mut entry = match left {
                0 => Err(too_much(&path, bytes_max)),
                _ => self.entry(method, origin, &id, &base_url, notes.clone(), &mut comments),
            };
            let bytes = entry.as_ref().map_or(0, |entry| descriptor_bytes(&entry.descriptor));
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => {
                    left = 0;
                    entry = Err(too_much(&path, bytes_max));
                }
            }
            operations.push(Imported { call: format!("gRPC {path}"), at: path, id, entry });
        }
        Ok(operations)
    }
}

fn too_much(path: &str, bytes_max: usize) -> Error {
    let message = format!(
        "the descriptors of all methods together have more than {bytes_max} bytes: add a file with fewer services"
    );
    Error::new(TOO_LARGE, path, message)
}

/// Bytes of an entry's descriptors, in base64.
fn descriptor_bytes(entry: &OperationDescriptor) -> usize {
    match &entry.transport {
        Transport::Grpc(grpc) => grpc.descriptors.len(),
        _ => 0,
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

/// Whether the pool can take the file: of another syntax it makes an error that it cannot place, and panics.
fn has_known_syntax(file: &FileDescriptorProto) -> bool {
    file.syntax.as_deref().is_none_or(|syntax| matches!(syntax, "proto2" | "proto3"))
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
    let mut seen: [BTreeMap<&str, usize>; 3] = Default::default();
    for spelling in &spellings {
        for (level, name) in seen.iter_mut().zip(spelling) {
            *level.entry(name).or_default() += 1;
        }
    }
    let mut taken = BTreeSet::new();
    let names = spellings.iter().map(|spelling| {
        let alone = seen.iter().zip(spelling).find(|(level, name)| level.get(name.as_str()) == Some(&1));
        let wanted = alone.map(|(_, name)| name).or_else(|| spelling.last());
        unique(wanted.cloned().unwrap_or_default(), &mut taken)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
    use prost_reflect::prost_types::{
        DescriptorProto, FieldDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto,
    };

    use super::*;

    /// A service with `count` methods of one message.
    fn service(count: usize) -> Descriptors {
        let field = FieldDescriptorProto {
            name: Some("text".into()),
            number: Some(1),
            label: Some(Label::Optional.into()),
            r#type: Some(Type::String.into()),
            ..FieldDescriptorProto::default()
        };
        let message =
            DescriptorProto { name: Some("M".into()), field: vec![field], ..DescriptorProto::default() };
        let method = |number| MethodDescriptorProto {
            name: Some(format!("Do{number}")),
            input_type: Some(".M".into()),
            output_type: Some(".M".into()),
            ..MethodDescriptorProto::default()
        };
        let service = ServiceDescriptorProto {
            name: Some("S".into()),
            method: (0..count).map(method).collect(),
            ..ServiceDescriptorProto::default()
        };
        let file = FileDescriptorProto {
            name: Some("s.proto".into()),
            syntax: Some("proto3".into()),
            message_type: vec![message],
            service: vec![service],
            ..FileDescriptorProto::default()
        };
        Descriptors::read(&FileDescriptorSet { file: vec![file] }.encode_to_vec()).unwrap()
    }

    #[test]
    fn all_entries_together_have_a_limit() {
        let descriptors = service(4);
        let methods: Vec<MethodDescriptor> =
            descriptors.pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        let within = |bytes_max| descriptors.entries(&methods, &Origin::default(), bytes_max).unwrap();
        let whole = within(ENTRIES_DESCRIPTOR_BYTES_MAX);
        let bytes = |entry: &Imported| descriptor_bytes(&entry.entry.as_ref().unwrap().descriptor);
        let all: usize = whole.iter().map(bytes).sum();
        let filed = |bytes_max| within(bytes_max).iter().filter(|one| one.entry.is_ok()).count();
        assert_eq!((filed(all), filed(all - 1), filed(all - bytes(&whole[3]))), (4, 3, 3));
        let refused = within(all - 1).pop().unwrap().entry.unwrap_err();
        assert_eq!(refused.code, "E1251");
    }

    #[test]
    fn a_service_has_as_many_methods_as_a_document_has_operations() {
        let import = |count| service(count).import(&Origin::default()).map(|import| import.operations.len());
        assert_eq!(import(OPERATIONS_MAX + 1).unwrap_err().code, "E1251");
    }
}
