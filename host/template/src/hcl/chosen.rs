//! Which builds and post-processors `-only` and `-except` leave.

use host_diag::{Diagnostic, Diagnostics};

use crate::filter::Patterns;
use crate::options::LoadOptions;

/// The patterns of the command line, and how often they were of use.
pub(crate) struct Filters {
    only: Patterns,
    except: Patterns,
    only_matches: usize,
    except_matches: usize,
}

impl Filters {
    pub(crate) fn new(options: &LoadOptions, problems: &mut Diagnostics) -> Self {
        Self {
            only: Patterns::compile("only", &options.only, problems),
            except: Patterns::compile("except", &options.except, problems),
            only_matches: 0,
            except_matches: 0,
        }
    }

    /// Whether the build called `name` is wanted.
    pub(crate) fn wants(&mut self, name: &str) -> bool {
        if !self.only.is_empty() {
            if !self.only.matches(name) {
                return false;
            }
            self.only_matches += 1;
        }
        let excepted = self.except.matches(name);
        self.except_matches += usize::from(excepted);
        !excepted
    }

    /// Whether `-except` cuts a chain at the post-processor called `name`.
    pub(crate) fn cuts(&mut self, name: &str) -> bool {
        let cut = self.except.matches(name);
        self.except_matches += usize::from(cut);
        cut
    }

    /// Says when there are more patterns than matches, as Packer counts them.
    pub(crate) fn warn(&self, names: &[String], problems: &mut Diagnostics) {
        let possible = format!("Possible build names: {}", names.join(", "));
        if self.only.count() > self.only_matches {
            problems.push(
                Diagnostic::warning(
                    "an 'only' option was passed, but not all matches were found for the given \
                     build.",
                )
                .detail(possible.clone()),
            );
        }
        if self.except.count() > self.except_matches {
            problems.push(
                Diagnostic::warning("an 'except' option was passed, but did not match any build.")
                    .detail(possible),
            );
        }
    }
}
