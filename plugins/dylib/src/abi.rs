//! `include/kiln_plugin.h` in Rust. What each thing means is said there.

use std::ffi::{c_char, c_int, c_void};

/// Version of the header.
pub(crate) const ABI: u32 = 1;
/// It is done.
pub(crate) const OK: c_int = 0;
/// It is not.
pub(crate) const FAILED: c_int = 1;
/// The run shall stop.
pub(crate) const CANCELLED: c_int = 2;
/// Bytes of the buffer for a machine's reasons.
pub(crate) const FAULT_BYTES: usize = 512;

/// A run, of which libraries only have the address.
#[repr(C)]
pub(crate) struct RunHandle {
    _private: [u8; 0],
}

/// A text that may be absent.
pub(crate) type Text = *const c_char;
/// Takes output of a command.
pub(crate) type Sink = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, usize);
/// Takes what a check finds.
pub(crate) type Report = unsafe extern "C" fn(*mut c_void, c_int, Text, Text, Text, Text);
/// Two paths and a buffer for the reason of a failure.
pub(crate) type Transfer = unsafe extern "C" fn(*mut c_void, Text, Text, *mut c_char) -> c_int;

/// `kiln_machine`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Machine {
    pub(crate) size: usize,
    pub(crate) data: *mut c_void,
    pub(crate) execute: Option<
        unsafe extern "C" fn(
            *mut c_void,
            Text,
            Text,
            Sink,
            *mut c_void,
            *mut i32,
            *mut c_char,
        ) -> c_int,
    >,
    pub(crate) upload:
        Option<unsafe extern "C" fn(*mut c_void, Text, Text, u32, *mut c_char) -> c_int>,
    pub(crate) download: Option<Transfer>,
    pub(crate) upload_tree: Option<Transfer>,
    pub(crate) download_tree: Option<Transfer>,
}

/// `kiln_host`.
#[repr(C)]
pub(crate) struct Host {
    pub(crate) size: usize,
    pub(crate) say: unsafe extern "C" fn(*mut RunHandle, Text),
    pub(crate) complain: unsafe extern "C" fn(*mut RunHandle, Text),
    pub(crate) log: unsafe extern "C" fn(*mut RunHandle, c_int, Text),
    pub(crate) progress: unsafe extern "C" fn(*mut RunHandle, Text, u64, u64),
    pub(crate) secret: unsafe extern "C" fn(*mut RunHandle, Text),
    pub(crate) cancelled: unsafe extern "C" fn(*mut RunHandle) -> c_int,
    pub(crate) fault: unsafe extern "C" fn(*mut RunHandle) -> Text,
    pub(crate) announce: unsafe extern "C" fn(*mut RunHandle, Text, Text, *mut u64) -> c_int,
    pub(crate) release: unsafe extern "C" fn(*mut RunHandle, u64),
    pub(crate) step_begun: unsafe extern "C" fn(*mut RunHandle, Text),
    pub(crate) step_ended: unsafe extern "C" fn(*mut RunHandle, Text, Text),
    pub(crate) provision: unsafe extern "C" fn(*mut RunHandle, *const Machine, Text) -> c_int,
    pub(crate) execute:
        unsafe extern "C" fn(*mut RunHandle, Text, Option<Sink>, *mut c_void, *mut i32) -> c_int,
    pub(crate) upload: unsafe extern "C" fn(*mut RunHandle, Text, Text, u32) -> c_int,
    pub(crate) download: unsafe extern "C" fn(*mut RunHandle, Text, Text) -> c_int,
    pub(crate) upload_tree: unsafe extern "C" fn(*mut RunHandle, Text, Text) -> c_int,
    pub(crate) download_tree: unsafe extern "C" fn(*mut RunHandle, Text, Text) -> c_int,
    pub(crate) result: unsafe extern "C" fn(*mut RunHandle, Text) -> c_int,
    pub(crate) fail: unsafe extern "C" fn(*mut RunHandle, Text, Text),
}
