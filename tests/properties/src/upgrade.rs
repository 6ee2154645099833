//! `fix` and `hcl2_upgrade`.

use host_diag::{Diagnostic, SourceMap};
use host_syntax::parse_hcl;
use host_upgrade::{Annotations, Document, fix, print, upgrade, validate};

use crate::{layout, places};

/// Any legacy template can be fixed and translated: what comes out can be read, and fixing or
/// formatting it again changes nothing.
///
/// # Panics
///
/// When that is not so.
pub fn check(text: &str) {
    let mut sources = SourceMap::default();
    let file = sources.add("t.json", text);
    let document = match Document::read(file, text) {
        Ok(document) => document,
        Err(problems) => return places::check_problems(&problems, &sources),
    };
    drop(validate(&document));
    check_fix(&document);
    check_upgrade(&document);
}

fn check_fix(document: &Document) {
    let mut fixed = document.clone();
    if let Err(error) = fix(&mut fixed) {
        assert!(!error.to_string().is_empty());
        return;
    }
    let once = print(&fixed);
    let mut sources = SourceMap::default();
    let file = sources.add("t.json", once.as_str());
    let mut again = Document::read(file, &once)
        .unwrap_or_else(|problems| panic!("cannot be read: {problems:?}\n{once}"));
    fix(&mut again).expect("what was fixed can be fixed");
    assert_eq!(print(&again), once);
}

fn check_upgrade(document: &Document) {
    for annotations in [Annotations::Written, Annotations::LeftOut] {
        let upgraded = upgrade(document, annotations)
            .unwrap_or_else(|error| panic!("a translation that is no HCL2: {error:?}"));
        let mut sources = SourceMap::default();
        let file = sources.add("t.pkr.hcl", upgraded.text.as_str());
        let (body, problems) = parse_hcl(file, &upgraded.text);
        assert!(
            body.is_some() && !problems.iter().any(Diagnostic::is_error),
            "{problems:?}\n{}",
            upgraded.text
        );
        layout::check(&upgraded.text);
    }
}
