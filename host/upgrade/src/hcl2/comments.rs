//! What `-with-annotations` explains.

pub(super) const HEADER: &str = "\
# kiln wrote this file from a legacy JSON template. Read it once before you rely on it: comments
# stand where something could not be translated. Its blocks may be moved to other files of the same
# folder whose names end in .pkr.hcl; build the folder then instead of the file.
#
# A text should have either template calls, {{ like `this` }}, or HCL2 expressions: the expressions
# are evaluated first, and the template calls work on what comes out.

";
pub(super) const PACKER: &str = "# What this template needs: a version, and plugins.\n";
pub(super) const VARIABLES: &str = "\
# Input variables. A legacy template knows text only, so all of them are of type string; another
# type may fit better.
";
pub(super) const DATA: &str = "# Data sources, which are read before a build begins.\n";
pub(super) const LOCALS: &str = "\
# Local values. These were variables, or are the same in all places; the command line cannot set
# them.
";
pub(super) const SOURCES: &str =
    "# Sources: what was `builders`. The build block below uses them.\n";
pub(super) const BUILD: &str =
    "# The build: which sources it starts from, and what happens to them.\n";
