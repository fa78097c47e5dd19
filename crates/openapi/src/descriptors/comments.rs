//! What the authors of a `.proto` file wrote above its parts, where the descriptors have it.

use std::collections::BTreeMap;

use prost_reflect::FileDescriptor;

/// Comments of files, by file and place in it.
#[derive(Debug, Default)]
pub(super) struct Comments(BTreeMap<String, BTreeMap<Vec<i32>, String>>);

impl Comments {
    /// The comment above the part of `file` at `path`, as one paragraph; empty where there is none.
    pub(super) fn above(&mut self, file: &FileDescriptor, path: &[i32]) -> String {
        let of_file = self.0.entry(file.name().to_owned()).or_insert_with(|| read(file));
        of_file.get(path).cloned().unwrap_or_default()
    }
}

fn read(file: &FileDescriptor) -> BTreeMap<Vec<i32>, String> {
    let info = file.file_descriptor_proto().source_code_info.iter();
    let commented = info.flat_map(|info| &info.location).filter_map(|location| {
        let text = location.leading_comments.as_deref().or(location.trailing_comments.as_deref())?;
        let words: Vec<&str> = text.split_whitespace().collect();
        Some((location.path.clone(), words.join(" ")))
    });
    commented.collect()
}
