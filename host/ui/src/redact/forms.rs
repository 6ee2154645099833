//! Every way a secret is commonly written.

use std::collections::BTreeSet;

use super::{encoded, quoted};

/// Every way `text` is commonly written; nothing for text that is only white space.
pub(super) fn forms(text: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    // Output loses white space at the ends of lines.
    for plain in BTreeSet::from([text, text.trim_end(), text.trim()]) {
        if plain.trim().is_empty() {
            continue;
        }
        forms.insert(plain.to_owned());
        forms.extend(quoted::all(plain));
        forms.extend(encoded::urls(plain));
        // A text of one or two characters is too likely to be part of something else.
        if plain.len() >= encoded::LEAST_BYTES {
            forms.extend(encoded::bytes(plain));
        }
    }
    // A quoted text is quoted again when it is part of a JSON text or of a log line.
    let twice: Vec<String> = forms
        .iter()
        .filter(|form| form.contains(['\\', '"']))
        .map(|form| quoted::json(form))
        .collect();
    forms.extend(twice);
    forms
}
