//! The side that a library calls while it runs.
//!
//! Every function here is given the address of a [`Run`] and texts that are good until it returns; it
//! waits on the calling thread, which is never one of the runtime's. None of them unwinds: a panic
//! would end the process, as it does at every border to C.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiln_sdk::communicator::{Command, CommunicatorError, Exit, FileTarget, Output, tree};
use kiln_sdk::{
    Communicator, Event, Failure, Held, Progress, ProgressUnit, Ready, Resource, RunContext,
    resource, run_remote,
};
use serde_json::{Map, Value as Json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::abi::{self, Host, Machine, RunHandle, Sink, Text};
use crate::component::{object, unexplained, values};
use crate::library::{c_text, text};
use crate::machine::Foreign;

/// Pieces of output that may wait for the library.
const QUEUE: usize = 16;

/// One run of a library's component.
pub(crate) struct Run {
    cx: RunContext,
    runtime: Handle,
    /// The machine of a provisioner.
    machine: Option<Arc<dyn Communicator>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: BTreeMap<u64, Held>,
    numbers: u64,
    result: Option<Map<String, Json>>,
    failure: Option<Failure>,
}

thread_local! {
    /// Why the last function of this thread failed.
    static FAULT: RefCell<CString> = RefCell::default();
}

impl Run {
    /// A run. Needs a tokio runtime.
    pub(crate) fn new(cx: RunContext, machine: Option<Arc<dyn Communicator>>) -> Self {
        Self {
            cx,
            runtime: Handle::current(),
            machine,
            state: Mutex::default(),
        }
    }

    /// What the library knows it by.
    pub(crate) fn handle(&self) -> *mut RunHandle {
        (&raw const *self).cast_mut().cast()
    }

    /// What the run came to.
    pub(crate) fn finish(self, status: c_int) -> Result<Option<Map<String, Json>>, Failure> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match (status, state.failure) {
            (abi::OK, None) => Ok(state.result),
            (abi::CANCELLED, _) => Err(Failure::cancelled()),
            (_, Some(failure)) => Err(failure),
            (status, None) => Err(unexplained(status)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Carries out work that a cancellation ends, and notes why it fails.
    fn attempt<T>(&self, work: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, c_int>
    where
        T: Send,
    {
        let done = self.wait(self.cx.until_cancelled(work));
        done.and_then(|done| done)
            .map_err(|failure| refuse(&failure))
    }

    fn on_machine<T: Send>(&self, work: impl AsyncFnOnceOn<T>) -> c_int {
        let Some(machine) = self.machine.clone() else {
            return refuse(&Failure::new("only provisioners are given a machine"));
        };
        let failed = |error: CommunicatorError| Failure::from_error(&error);
        match self.attempt(async move { work.call(machine).await.map_err(failed) }) {
            Ok(_) => abi::OK,
            Err(status) => status,
        }
    }
}

/// Work on a machine whose future can be sent to another thread.
trait AsyncFnOnceOn<T>: Send {
    /// Does it.
    fn call(
        self,
        machine: Arc<dyn Communicator>,
    ) -> impl Future<Output = Result<T, CommunicatorError>> + Send;
}

impl<T, F, W> AsyncFnOnceOn<T> for W
where
    W: FnOnce(Arc<dyn Communicator>) -> F + Send,
    F: Future<Output = Result<T, CommunicatorError>> + Send,
{
    fn call(
        self,
        machine: Arc<dyn Communicator>,
    ) -> impl Future<Output = Result<T, CommunicatorError>> + Send {
        self(machine)
    }
}

/// Notes why a function fails, and gives what it has to return.
fn refuse(failure: &Failure) -> c_int {
    FAULT.with_borrow_mut(|fault| *fault = c_text(&failure.message));
    match failure.cancelled {
        true => abi::CANCELLED,
        false => abi::FAILED,
    }
}

/// # Safety
///
/// `run` is what the library was given, and its `kiln_plugin_run` has not returned.
unsafe fn of<'a>(run: *mut RunHandle) -> &'a Run {
    // SAFETY: the address is that of a `Run`, which lives until `kiln_plugin_run` has returned.
    unsafe { &*run.cast_const().cast::<Run>() }
}

/// A text that has to be there; an absent one is empty.
///
/// # Safety
///
/// As of [`text`].
unsafe fn word(given: Text) -> String {
    // SAFETY: as promised by the caller.
    unsafe { text(given) }.unwrap_or_default()
}

/// Writes what the library gets back through an address; none is fine.
///
/// # Safety
///
/// `place` is null or can be written.
unsafe fn give<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: as promised by the caller.
        unsafe { place.write(value) };
    }
}

/// The functions, as libraries are given them.
pub(crate) static TABLE: Host = Host {
    size: size_of::<Host>(),
    say,
    complain,
    log,
    progress,
    secret,
    cancelled,
    fault,
    announce,
    release,
    step_begun,
    step_ended,
    provision,
    execute,
    upload,
    download,
    upload_tree,
    download_tree,
    result,
    fail,
};

// SAFETY, of every function below: the library keeps to the header, so that `run` is what it was
// given and texts and addresses are good until the function returns.

unsafe extern "C" fn say(run: *mut RunHandle, said: Text) {
    // SAFETY: see above.
    let (run, said) = unsafe { (of(run), word(said)) };
    run.wait(run.cx.say(said));
}

unsafe extern "C" fn complain(run: *mut RunHandle, said: Text) {
    // SAFETY: see above.
    let (run, said) = unsafe { (of(run), word(said)) };
    run.wait(run.cx.error(said));
}

unsafe extern "C" fn log(_run: *mut RunHandle, level: c_int, said: Text) {
    // SAFETY: see above.
    let said = unsafe { word(said) };
    match level {
        1 => tracing::error!(said, "the library says"),
        2 => tracing::warn!(said, "the library says"),
        3 => tracing::info!(said, "the library says"),
        _ => tracing::debug!(said, "the library says"),
    }
}

unsafe extern "C" fn progress(run: *mut RunHandle, label: Text, done: u64, total: u64) {
    // SAFETY: see above.
    let (run, label) = unsafe { (of(run), word(label)) };
    let report = Progress {
        number: 1,
        label,
        done,
        total: (total > 0).then_some(total),
        unit: ProgressUnit::Items,
        ended: total > 0 && done >= total,
    };
    run.wait(run.cx.progress(report));
}

unsafe extern "C" fn secret(run: *mut RunHandle, value: Text) {
    // SAFETY: see above.
    let (run, value) = unsafe { (of(run), word(value)) };
    run.wait(run.cx.secret(value));
}

unsafe extern "C" fn cancelled(run: *mut RunHandle) -> c_int {
    // SAFETY: see above.
    let run = unsafe { of(run) };
    c_int::from(run.cx.cancel().is_cancelled())
}

unsafe extern "C" fn fault(_run: *mut RunHandle) -> Text {
    // Good until this thread's next call fails.
    FAULT.with_borrow(|fault| fault.as_ptr())
}

unsafe extern "C" fn announce(
    run: *mut RunHandle,
    kind: Text,
    id: Text,
    number: *mut u64,
) -> c_int {
    // SAFETY: see above.
    let (run, kind, id) = unsafe { (of(run), word(kind), word(id)) };
    let known = kind == resource::FILE || kind == resource::DIRECTORY;
    if !known || !Path::new(&id).is_absolute() {
        let text = format!(
            "`{kind}` `{id}`: only files and directories with absolute paths are put on record"
        );
        return refuse(&Failure::new(text));
    }
    match run.attempt(run.cx.announce(Resource::of(kind, id))) {
        Ok(held) => {
            let mut state = run.state();
            state.numbers += 1;
            let own = state.numbers;
            state.held.insert(own, held);
            // SAFETY: see above.
            unsafe { give(number, own) };
            abi::OK
        }
        Err(status) => status,
    }
}

unsafe extern "C" fn release(run: *mut RunHandle, number: u64) {
    // SAFETY: see above.
    let run = unsafe { of(run) };
    let held = run.state().held.remove(&number);
    if let Some(held) = held {
        run.wait(held.release());
    }
}

unsafe extern "C" fn step_begun(run: *mut RunHandle, name: Text) {
    // SAFETY: see above.
    let (run, name) = unsafe { (of(run), word(name)) };
    run.wait(run.cx.link().send(Event::StepBegun(name)));
}

unsafe extern "C" fn step_ended(run: *mut RunHandle, name: Text, error: Text) {
    // SAFETY: see above.
    let (run, name, error) = unsafe { (of(run), word(name), text(error)) };
    let ended = Event::StepEnded(name, error, std::time::Duration::ZERO);
    run.wait(run.cx.link().send(ended));
}

unsafe extern "C" fn provision(
    run: *mut RunHandle,
    machine: *const Machine,
    generated: Text,
) -> c_int {
    // SAFETY: see above.
    let (run, generated) = unsafe { (of(run), text(generated)) };
    let generated = match values(&generated.unwrap_or_else(|| "{}".to_owned())) {
        Ok(generated) => generated,
        Err(problem) => return refuse(&Failure::new(problem)),
    };
    // SAFETY: see above; the library's functions are not called after `close`.
    let machine = unsafe { Foreign::of(machine) }.map(Arc::new);
    let communicator = machine
        .clone()
        .map(|machine| machine as Arc<dyn Communicator>);
    // A host that cancels answers, too, when its provisioners have ended.
    let provisioned = run.wait(run.cx.provision(Ready {
        communicator,
        generated,
    }));
    if let Some(machine) = machine {
        run.wait(machine.close());
    }
    match provisioned {
        Ok(()) => abi::OK,
        Err(failure) => refuse(&failure),
    }
}

/// Where output of a command goes.
struct Listener {
    sink: Sink,
    data: *mut c_void,
}

impl Listener {
    fn hear(&self, output: &Output) {
        let (error, bytes) = match output {
            Output::Stdout(bytes) => (0, bytes),
            Output::Stderr(bytes) => (1, bytes),
        };
        // SAFETY: both came together from the library, which waits for this to end.
        unsafe { (self.sink)(self.data, error, bytes.as_ptr().cast(), bytes.len()) };
    }
}

unsafe extern "C" fn execute(
    run: *mut RunHandle,
    command: Text,
    sink: Option<Sink>,
    data: *mut c_void,
    status: *mut i32,
) -> c_int {
    // SAFETY: see above.
    let (run, command) = unsafe { (of(run), word(command)) };
    let Some(machine) = run.machine.clone() else {
        return refuse(&Failure::new("only provisioners are given a machine"));
    };
    let command = Command::new(command);
    let ended = match sink {
        None => run.wait(run_remote(&run.cx, &*machine, command)),
        Some(sink) => run.wait(heard(run, &*machine, command, &Listener { sink, data })),
    };
    let exit = match ended {
        Ok(exit) => exit,
        Err(failure) => return refuse(&failure),
    };
    let code = match exit {
        Exit::Code(code) => i32::try_from(code).unwrap_or(i32::MAX),
        Exit::Signal(name) => {
            return refuse(&Failure::new(format!("the command was ended by SIG{name}")));
        }
        Exit::Disconnected(seen) => {
            return refuse(&Failure::new(format!("the machine went away: {seen}")));
        }
    };
    // SAFETY: see above.
    unsafe { give(status, code) };
    abi::OK
}

/// Runs a command whose output the library hears on its own thread.
async fn heard(
    run: &Run,
    machine: &dyn Communicator,
    command: Command,
    listener: &Listener,
) -> Result<Exit, Failure> {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let hear = async {
        while let Some(output) = receiver.recv().await {
            listener.hear(&output);
        }
    };
    let both = async { tokio::join!(machine.exec(command, sender), hear) };
    tokio::select! {
        biased;
        () = run.cx.cancel().cancelled() => Err(Failure::cancelled()),
        (exit, ()) = both => exit.map_err(|error| Failure::from_error(&error)),
    }
}

unsafe extern "C" fn upload(run: *mut RunHandle, local: Text, path: Text, mode: u32) -> c_int {
    // SAFETY: see above.
    let (run, local, path) = unsafe { (of(run), word(local), word(path)) };
    run.on_machine(move |machine: Arc<dyn Communicator>| async move {
        let operation = format!("upload of {local}");
        let failed = |source| CommunicatorError::Io { operation, source };
        let opened = async {
            let file = tokio::fs::File::open(&local).await?;
            let size = file.metadata().await?.len();
            Ok((file, size))
        };
        let (file, size) = opened.await.map_err(failed)?;
        let size = Some(size);
        let target = FileTarget { path, mode, size };
        machine.upload(target, Box::new(file)).await
    })
}

unsafe extern "C" fn download(run: *mut RunHandle, path: Text, local: Text) -> c_int {
    // SAFETY: see above.
    let (run, local, path) = unsafe { (of(run), word(local), word(path)) };
    run.on_machine(move |machine: Arc<dyn Communicator>| async move {
        let operation = format!("download to {local}");
        let failed = |source| CommunicatorError::Io { operation, source };
        let file = tokio::fs::File::create(&local).await.map_err(failed)?;
        machine.download(&path, Box::new(file)).await
    })
}

unsafe extern "C" fn upload_tree(run: *mut RunHandle, local: Text, path: Text) -> c_int {
    // SAFETY: see above.
    let (run, local, path) = unsafe { (of(run), word(local), word(path)) };
    run.on_machine(move |machine: Arc<dyn Communicator>| async move {
        let entries = tree::read_local(local, tree::ReadOptions::default());
        machine.upload_tree(&path, entries).await
    })
}

unsafe extern "C" fn download_tree(run: *mut RunHandle, path: Text, local: Text) -> c_int {
    // SAFETY: see above.
    let (run, local, path) = unsafe { (of(run), word(local), word(path)) };
    run.on_machine(move |machine: Arc<dyn Communicator>| async move {
        let entries = machine.download_tree(&path, &[]).await?;
        tree::write_local(entries, &PathBuf::from(local)).await
    })
}

unsafe extern "C" fn result(run: *mut RunHandle, json: Text) -> c_int {
    // SAFETY: see above.
    let (run, json) = unsafe { (of(run), word(json)) };
    match object(&json) {
        Ok(result) => {
            run.state().result = Some(result);
            abi::OK
        }
        Err(problem) => {
            let failure = Failure::new(format!("the library has a bug: {problem}"));
            let status = refuse(&failure);
            run.state().failure = Some(failure);
            status
        }
    }
}

unsafe extern "C" fn fail(run: *mut RunHandle, message: Text, option: Text) {
    // SAFETY: see above.
    let (run, message, option) = unsafe { (of(run), word(message), text(option)) };
    let failure = Failure::new(message);
    let failure = match option.filter(|option| !option.is_empty()) {
        Some(option) => failure.on(&option),
        None => failure,
    };
    run.state().failure = Some(failure);
}
