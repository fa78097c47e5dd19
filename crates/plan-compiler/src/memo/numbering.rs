//! A number for each chunk of a text, by which it is known in later versions.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use plan_lang::Chunk;

/// The chunks of the text at hand with their numbers.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// By where they are in memory: a chunk that does not change stays there. Chunks that are alike may share it, so
    /// each goes by how many of them stand before it, too.
    known: HashMap<(usize, usize), Arc<Numbered>>,
    /// The last number given.
    last: u64,
}

/// A text that was given a number.
#[derive(Debug)]
pub(super) struct Numbered {
    /// Held, so that no other text comes to be where its own is.
    pub(super) chunk: Chunk,
    /// Its own: no other text has it.
    pub(super) number: u64,
}

impl Numbering {
    /// Turns to a text of these chunks. A chunk keeps its number where it does not change, and where only the blanks at
    /// its end do, as those of one do where another comes behind it, and it is sound: what is missing from a broken one may
    /// be missed behind the blanks.
    pub(super) fn turn_to(&mut self, chunks: impl Iterator<Item = Chunk>) -> Vec<(Chunk, Arc<Numbered>)> {
        let mut before = std::mem::take(&mut self.known);
        let mut seen: HashMap<usize, usize> = HashMap::with_capacity(before.len());
        let mut place = |chunk: &Chunk| {
            let address = Arc::as_ptr(chunk.text()).cast::<u8>().addr();
            let alike = seen.entry(address).or_default();
            *alike += 1;
            (address, *alike)
        };
        let placed = chunks.map(|chunk| {
            let place = place(&chunk);
            let known = before.remove(&place);
            (chunk, place, known)
        });
        let placed: Vec<_> = placed.collect();
        let mut changed = Vec::from_iter(before.into_values());
        // Of several that are alike the first declares something.
        changed.sort_unstable_by_key(|numbered| std::cmp::Reverse(numbered.number));
        let sound = changed.iter().filter(|numbered| numbered.chunk.is_sound());
        let mut sound: HashMap<&str, u64> =
            sound.map(|numbered| (numbered.chunk.text().trim_end(), numbered.number)).collect();
        self.known = HashMap::with_capacity(placed.len());
        let numbered = placed.into_iter().map(|(chunk, place, known)| {
            let numbered = known.unwrap_or_else(|| {
                let known = if chunk.is_sound() { sound.remove(chunk.text().trim_end()) } else { None };
                let number = known.unwrap_or_else(|| self.next());
                Arc::new(Numbered { chunk: chunk.clone(), number })
            });
            self.known.insert(place, Arc::clone(&numbered));
            (chunk, numbered)
        });
        numbered.collect()
    }

    /// A number that nothing has.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}
