//! Files of variables: objects of texts, in JSON or YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, SourceMap};
use host_syntax::json::Kind;

use crate::legacy::parse::kind_name;
use crate::legacy::problems::concealed;
use crate::legacy::texts::{Form, Texts};
use crate::legacy::variables::Text;
use crate::options::LoadOptions;
use crate::remedies::with_remedies;

/// The values of all files and of the command line; later ones win. `sensitive` names those whose
/// values no message may show.
pub(crate) fn given_values(
    options: &LoadOptions,
    sensitive: &BTreeSet<String>,
    sources: &mut SourceMap,
    texts: &mut Texts,
    problems: &mut Diagnostics,
) -> BTreeMap<String, Text> {
    let mut reader = FileReader {
        options,
        sensitive,
        sources,
        texts,
        given: BTreeMap::new(),
        problems,
    };
    for path in &options.variable_files {
        reader.read(path);
    }
    let mut given = reader.given;
    for (name, text) in &options.variables {
        let text = Text {
            text: text.clone(),
            span: None,
        };
        given.insert(name.clone(), text);
    }
    given
}

struct FileReader<'a> {
    options: &'a LoadOptions,
    sensitive: &'a BTreeSet<String>,
    sources: &'a mut SourceMap,
    texts: &'a mut Texts,
    given: BTreeMap<String, Text>,
    problems: &'a mut Diagnostics,
}

impl FileReader<'_> {
    fn read(&mut self, path: &Path) {
        let name = path.display().to_string();
        let failure = || Diagnostic::error(format!("Error reading variables in '{name}'"));
        let form = Form::of_values(path);
        let text: Arc<str> = match self.options.read_file(path) {
            Ok(text) => text.into(),
            Err(error) => {
                let problem = failure().detail(format!("The file cannot be read: {error}."));
                self.problems.push(problem);
                return;
            }
        };
        let file = self.sources.add(name.as_str(), Arc::clone(&text));
        let (root, found) = form.parse(file, &text);
        self.texts.add(file, form, text);
        let is_sound = !found.iter().any(Diagnostic::is_error);
        self.problems
            .extend(with_remedies(found).into_iter().map(|problem| {
                let detail = format!("{}: {}", problem.summary, problem.detail);
                Diagnostic {
                    summary: failure().summary,
                    detail,
                    ..problem
                }
            }));
        let Some(root) = root.filter(|_| is_sound) else {
            return;
        };
        let Kind::Object(members) = root.kind else {
            let problem = failure().detail("An object of texts is needed.");
            self.problems.push(problem.at(root.span));
            return;
        };
        for member in members {
            let span = member.value.span;
            let text = match member.value.kind {
                Kind::String(text) => text,
                // Packer reads null as empty text here.
                Kind::Null => String::new(),
                other => {
                    let found = kind_name(&other);
                    let problem = failure()
                        .detail(format!("`{}` has to be a text, not {found}.", member.key))
                        .at(span)
                        .hint("Put it between double quotes.".to_owned());
                    let is_secret = self.sensitive.contains(&member.key);
                    let secret: &[_] = if is_secret { &[span] } else { &[] };
                    self.problems.push(concealed(problem, secret, self.sources));
                    continue;
                }
            };
            let span = Some(span);
            self.given.insert(member.key, Text { text, span });
        }
    }
}
