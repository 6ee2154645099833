//! A library that is loaded, and calls to it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};

use kiln_sdk::{Diagnostic, Diagnostics};

use crate::abi::{ABI, Host, Report, RunHandle, Text};
use crate::description::Description;
use crate::host;

/// A library cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LibraryError {
    /// It cannot be loaded, or lacks a function.
    #[error("cannot load `{}`", path.display())]
    Load {
        /// The library.
        path: PathBuf,
        /// Why.
        source: libloading::Error,
    },
    /// It was made for another version of the header.
    #[error("`{}` was made for version {found} of kiln_plugin.h, and this is {ABI}", path.display())]
    Abi {
        /// The library.
        path: PathBuf,
        /// The version it was made for.
        found: u32,
    },
    /// What it says about itself cannot be understood.
    #[error("`{}` describes itself in a way that cannot be understood: {problem}", path.display())]
    Description {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// A loaded library. Its functions may be called from any thread, as the header says.
pub(crate) struct Library {
    path: PathBuf,
    describe: unsafe extern "C" fn() -> Text,
    prepare: unsafe extern "C" fn(Text, Report, *mut c_void),
    run: unsafe extern "C" fn(*const Host, *mut RunHandle, Text) -> c_int,
    /// Keeps the functions where they are.
    _loaded: libloading::Library,
}

impl Library {
    /// Loads a library and checks that it is for this version of the header.
    pub(crate) fn load(path: &Path) -> Result<Self, LibraryError> {
        let failed = |source| LibraryError::Load {
            path: path.to_path_buf(),
            source,
        };
        // SAFETY: its initialisers run; whoever put it among the plugins wants that.
        let loaded = unsafe { libloading::Library::new(path) }.map_err(failed)?;
        // SAFETY: the header says what type each of these functions has, and `loaded` is kept as long
        // as they are.
        unsafe {
            let abi = loaded.get::<unsafe extern "C" fn() -> u32>(b"kiln_plugin_abi\0");
            let found = abi.map_err(failed)?();
            if found != ABI {
                return Err(LibraryError::Abi {
                    path: path.to_path_buf(),
                    found,
                });
            }
            Ok(Self {
                path: path.to_path_buf(),
                describe: *loaded.get(b"kiln_plugin_describe\0").map_err(failed)?,
                prepare: *loaded.get(b"kiln_plugin_prepare\0").map_err(failed)?,
                run: *loaded.get(b"kiln_plugin_run\0").map_err(failed)?,
                _loaded: loaded,
            })
        }
    }

    /// What it offers.
    pub(crate) fn describe(&self) -> Result<Description, LibraryError> {
        // SAFETY: it takes nothing, and what it returns stays good for ever.
        let said = unsafe { text((self.describe)()) };
        Description::parse(&said.unwrap_or_default()).map_err(|problem| LibraryError::Description {
            path: self.path.clone(),
            problem,
        })
    }

    /// What it finds in options.
    pub(crate) fn prepare(&self, input: &str) -> Diagnostics {
        let mut found = Diagnostics::new();
        let input = c_text(input);
        // SAFETY: `found` and `input` outlive the call, and `report` expects such an address.
        unsafe { (self.prepare)(input.as_ptr(), report, (&raw mut found).cast()) };
        found
    }

    /// Runs a component; what it came to is in `run`.
    pub(crate) fn run(&self, run: &host::Run, input: &str) -> c_int {
        let input = c_text(input);
        // SAFETY: `run` and `input` outlive the call, after which the library does not use them any
        // more; the functions of the table expect the address of a `Run`.
        unsafe { (self.run)(&raw const host::TABLE, run.handle(), input.as_ptr()) }
    }
}

/// Notes down what a check finds.
unsafe extern "C" fn report(
    data: *mut c_void,
    is_error: c_int,
    option: Text,
    summary: Text,
    detail: Text,
    hint: Text,
) {
    // SAFETY: `data` is what `prepare` handed over, and nobody else uses it during the call; texts
    // are good until this returns.
    let (found, option, summary, detail, hint) = unsafe {
        (
            &mut *data.cast::<Diagnostics>(),
            text(option),
            text(summary),
            text(detail),
            text(hint),
        )
    };
    let (summary, detail) = (summary.unwrap_or_default(), detail.unwrap_or_default());
    let problem = match is_error {
        0 => Diagnostic::warning(summary, detail),
        _ => Diagnostic::error(summary, detail),
    };
    let problem = match option.filter(|option| !option.is_empty()) {
        Some(option) => problem.on(&option),
        None => problem,
    };
    found.push(problem.hint(hint.unwrap_or_default()));
}

/// A text of the library's; bytes that are not UTF-8 are replaced.
///
/// # Safety
///
/// `text` is null, or ends with a zero byte and is good during the call.
pub(crate) unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// A text for the library, up to the first zero byte.
pub(crate) fn c_text(text: &str) -> CString {
    let whole = text.split('\0').next().unwrap_or_default();
    CString::new(whole).expect("there is no zero byte before the first one")
}
