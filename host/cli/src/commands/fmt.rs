//! `kiln fmt`.

use std::io::{self, Write};
use std::path::Path;

use host_diag::{Diagnostic, Diagnostics, SourceMap};
use host_format::{FileError, Found, Reach};
use host_ui::{Outlet, Ui};

use crate::arguments::{self, FmtArguments};
use crate::{exit, template};

/// The name of standard input in messages.
const STANDARD_INPUT: &str = "<stdin>";

/// Rewrites files in canonical layout and prints the names of those that changed. A file with
/// errors is left as it is; the others are done all the same.
pub fn run(ui: &Ui, arguments: &FmtArguments) -> u8 {
    let paths = &arguments.template.template;
    if let Err(message) = check_paths(paths) {
        ui.error(&format!(
            "{message}\n\n{}",
            arguments::help_of("fmt").trim_end()
        ));
        return exit::FAILED;
    }
    let mut work = Work {
        ui,
        arguments,
        out: Outlet::new(io::stdout(), ui.patience().clone()),
        changed: false,
        failed: false,
    };
    let done = paths
        .iter()
        .try_for_each(|path| work.path(path))
        .and_then(|()| work.out.flush());
    if let Err(error) = done {
        // A reader that has seen enough is no error.
        if error.kind() != io::ErrorKind::BrokenPipe {
            ui.error(&format!("Cannot write to standard output: {error}"));
            return exit::FAILED;
        }
    }
    match (work.failed, work.changed && arguments.check) {
        (true, _) => exit::FAILED,
        (false, true) => exit::UNFORMATTED,
        (false, false) => exit::DONE,
    }
}

/// Whether something is to be formatted, and no flag comes too late: files would be rewritten
/// although it says not to.
fn check_paths(paths: &[String]) -> Result<(), String> {
    if paths.is_empty() {
        return Err("The path is missing: a file, a folder, or - for standard input.".to_owned());
    }
    match paths
        .iter()
        .find(|path| path.len() > 1 && path.starts_with('-'))
    {
        Some(flag) => Err(format!(
            "`{flag}` stands behind a path; flags must come before all paths."
        )),
        None => Ok(()),
    }
}

/// A run. Methods fail when standard output does; every other failure is reported and noted.
struct Work<'a> {
    ui: &'a Ui,
    arguments: &'a FmtArguments,
    out: Outlet<io::Stdout>,
    /// Whether a text was not in canonical layout.
    changed: bool,
    failed: bool,
}

impl Work<'_> {
    fn path(&mut self, path: &str) -> io::Result<()> {
        if path == "-" {
            return self.standard_input();
        }
        let reach = if self.arguments.recursive {
            Reach::Tree
        } else {
            Reach::Folder
        };
        let Found { files, errors } = host_format::find(Path::new(path), reach);
        for file in files {
            self.file(&file)?;
        }
        for error in errors {
            self.report(&error);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let name = path.display().to_string();
        let text = match host_format::read(path) {
            Ok(text) => text,
            Err(error) => {
                self.report(&error);
                return Ok(());
            }
        };
        let Some(formatted) = self
            .format(&name, &text)
            .filter(|formatted| *formatted != text)
        else {
            return Ok(());
        };
        self.changed = true;
        let written = if self.writes() {
            host_format::replace(path, &formatted)
        } else {
            Ok(())
        };
        if let Err(error) = written {
            self.report(&error);
            return Ok(());
        }
        writeln!(self.out, "{name}")?;
        if self.arguments.diff {
            write!(
                self.out,
                "{}",
                host_format::unified_diff(&name, &text, &formatted)
            )?;
        }
        Ok(())
    }

    /// Prints standard input in canonical layout. When nothing is to be written, only what has it
    /// already comes out, as Packer does.
    fn standard_input(&mut self) -> io::Result<()> {
        let text = match host_format::read_from(Path::new(STANDARD_INPUT), io::stdin().lock()) {
            Ok(text) => text,
            Err(error) => {
                self.report(&error);
                return Ok(());
            }
        };
        let Some(formatted) = self.format(STANDARD_INPUT, &text) else {
            return Ok(());
        };
        let changes = formatted != text;
        self.changed |= changes;
        if changes && !self.writes() {
            return Ok(());
        }
        write!(self.out, "{formatted}")
    }

    fn writes(&self) -> bool {
        self.arguments.write && !self.arguments.check
    }

    /// The text in canonical layout; `None` when it has errors, which are reported.
    fn format(&mut self, name: &str, text: &str) -> Option<String> {
        let mut sources = SourceMap::default();
        let file = sources.add(name, text);
        match host_format::format(file, text) {
            Ok(formatted) => Some(formatted),
            Err(problems) => {
                let mut all = vec![headline(name, "It has errors, so it was left as it is.")];
                all.extend(problems);
                self.print(&all, &sources);
                None
            }
        }
    }

    fn report(&mut self, error: &FileError) {
        let mut detail = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            detail.push_str(&format!(": {cause}"));
        }
        let name = error.path().display().to_string();
        self.print(&vec![headline(&name, &detail)], &SourceMap::default());
    }

    fn print(&mut self, problems: &Diagnostics, sources: &SourceMap) {
        self.failed |= !template::report(self.ui, problems, sources);
    }
}

fn headline(name: &str, detail: &str) -> Diagnostic {
    Diagnostic::error(format!("encountered an error while formatting {name}")).detail(detail)
}
