//! What a process does about its memory: one that holds keys, and one that serves many.

/// Keeps the memory of this process out of core dumps, and from other processes of the same user. Where the system
/// refuses, the command goes on: it is a second line, and nothing could be done about it.
pub(crate) fn process() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // A limit does not stop a handler that the system pipes dumps to; this does.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Keeps memory in small pages. What an open stream holds is small and lies scattered, and of a large page (2 MiB) all is
/// held where any of it is: with 1,000 open streams that was a quarter of a server's memory. Pages that are large already
/// stay so.
pub(crate) fn small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
