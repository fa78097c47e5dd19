//! What a process that holds keys does about its memory.

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
