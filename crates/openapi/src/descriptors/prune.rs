//! The descriptors that one method needs, and no others: a change elsewhere is no news to its entry.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto};
use prost_reflect::{EnumDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor};

/// Bytes of the descriptors of one entry; in base64 they fit an entry of the Ledger with their schemas.
const ENTRY_DESCRIPTOR_BYTES_MAX: usize = 128 << 10;

/// What is kept of each file.
#[derive(Default)]
struct Kept {
    /// Top-level messages and enums, by name.
    types: BTreeSet<String>,
    /// Files whose types they refer to.
    imports: BTreeSet<String>,
}

/// The set with `method` and the messages that it takes and gives; the same for the same messages, in whatever order
/// their files came.
///
/// # Errors
/// The number of bytes that were too many.
pub(super) fn prune(method: &MethodDescriptor) -> Result<Vec<u8>, usize> {
    let home = method.parent_file();
    let mut files: BTreeMap<String, (FileDescriptor, Kept)> = BTreeMap::new();
    files.insert(home.name().to_owned(), (home.clone(), Kept::default()));
    let mut walk = Walk { files, open: Vec::new(), bytes: 0 };
    for message in [method.input(), method.output()] {
        walk.message(&home, &message);
    }
    while let Some(message) = walk.open.pop() {
        walk.parts_of(&message);
        if walk.bytes > ENTRY_DESCRIPTOR_BYTES_MAX {
            return Err(walk.bytes);
        }
    }
    let file = |(file, kept): &(FileDescriptor, Kept)| pruned(file, kept, method);
    let set = FileDescriptorSet { file: in_order(&walk.files).into_iter().map(file).collect() };
    let bytes = set.encode_to_vec();
    if bytes.len() > ENTRY_DESCRIPTOR_BYTES_MAX { Err(bytes.len()) } else { Ok(bytes) }
}

struct Walk {
    files: BTreeMap<String, (FileDescriptor, Kept)>,
    /// Top-level messages whose parts are still to be seen.
    open: Vec<MessageDescriptor>,
    bytes: usize,
}

impl Walk {
    fn message(&mut self, from: &FileDescriptor, message: &MessageDescriptor) {
        let mut top = message.clone();
        while let Some(parent) = top.parent_message() {
            top = parent;
        }
        if !self.keep(from, &top.parent_file(), top.name()) {
            return;
        }
        self.bytes = self.bytes.saturating_add(top.descriptor_proto().encoded_len());
        if top.full_name() == "google.protobuf.Any" {
            self.everything(from);
        }
        self.open.push(top);
    }

    fn enumeration(&mut self, from: &FileDescriptor, own: &EnumDescriptor) {
        match own.parent_message() {
            Some(parent) => self.message(from, &parent),
            None => {
                if self.keep(from, &own.parent_file(), own.name()) {
                    self.bytes = self.bytes.saturating_add(own.enum_descriptor_proto().encoded_len());
                }
            }
        }
    }

    /// Notes a type of `home` that `from` refers to; whether it is new.
    fn keep(&mut self, from: &FileDescriptor, home: &FileDescriptor, name: &str) -> bool {
        if from.name() != home.name()
            && let Some((_, kept)) = self.files.get_mut(from.name())
        {
            kept.imports.insert(home.name().to_owned());
        }
        let (_, kept) =
            self.files.entry(home.name().to_owned()).or_insert_with(|| (home.clone(), Kept::default()));
        kept.types.insert(name.to_owned())
    }

    /// What an `Any` holds may be any message there is.
    fn everything(&mut self, from: &FileDescriptor) {
        let pool = from.parent_pool().clone();
        for message in pool.all_messages().filter(|message| message.parent_message().is_none()) {
            let home = message.parent_file();
            if self.keep(&home, &home, message.name()) {
                self.bytes = self.bytes.saturating_add(message.descriptor_proto().encoded_len());
                self.open.push(message);
            }
        }
    }

    fn parts_of(&mut self, message: &MessageDescriptor) {
        let home = message.parent_file();
        let mut open = vec![message.clone()];
        while let Some(message) = open.pop() {
            for field in message.fields() {
                match field.kind() {
                    Kind::Message(other) => self.message(&home, &other),
                    Kind::Enum(other) => self.enumeration(&home, &other),
                    _ => {}
                }
            }
            open.extend(message.child_messages());
        }
    }
}

/// The files, each behind those that it imports.
fn in_order(files: &BTreeMap<String, (FileDescriptor, Kept)>) -> Vec<&(FileDescriptor, Kept)> {
    let mut ordered = Vec::with_capacity(files.len());
    let mut seen = BTreeSet::new();
    // Each with whether its imports are before it.
    let mut open: Vec<(&str, bool)> = files.keys().rev().map(|name| (name.as_str(), false)).collect();
    while let Some((name, is_ready)) = open.pop() {
        let Some(file) = files.get(name) else { continue };
        if is_ready {
            ordered.push(file);
        } else if seen.insert(name) {
            open.push((name, true));
            open.extend(file.1.imports.iter().rev().map(|import| (import.as_str(), false)));
        }
    }
    ordered
}

fn pruned(file: &FileDescriptor, kept: &Kept, method: &MethodDescriptor) -> FileDescriptorProto {
    let mut pruned = file.file_descriptor_proto().clone();
    pruned.message_type.retain(|message| kept.types.contains(message.name()));
    pruned.enum_type.retain(|own| kept.types.contains(own.name()));
    pruned.dependency = kept.imports.iter().cloned().collect();
    pruned.public_dependency.clear();
    pruned.weak_dependency.clear();
    pruned.extension.clear();
    pruned.options = None;
    pruned.source_code_info = None;
    let service = method.parent_service();
    pruned.service.retain(|own| file.name() == method.parent_file().name() && own.name() == service.name());
    for own in &mut pruned.service {
        own.options = None;
        own.method.retain(|own: &MethodDescriptorProto| own.name() == method.name());
    }
    for message in &mut pruned.message_type {
        without_extensions(message);
    }
    pruned
}

/// Extensions of other messages need not be among what is kept, and no JSON form names them.
fn without_extensions(message: &mut prost_reflect::prost_types::DescriptorProto) {
    message.extension.clear();
    for nested in &mut message.nested_type {
        without_extensions(nested);
    }
}
