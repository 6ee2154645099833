//! Templates as a whole: loaded, initialised, planned, and every component configured.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use host_diag::{Diagnostic, Diagnostics, SourceMap};
use host_eval::{Type as ValueType, Value};
use host_template::{
    AttributeSchema, BlockSchema, Build, Component, ComponentKind, Components, Configured,
    Generated, LoadOptions, Primitive, Schema, Type, load,
};

use crate::{places, samples};

/// The line between the parts of a fuzzed template: `main.pkr.hcl`, `values.auto.pkrvars.hcl`,
/// `more.pkr.json`.
pub const SEPARATOR: &str = "\n=====\n";

/// Component types that take any option; all others have the options of [`strict`].
const OPEN: [&str; 2] = ["open", "null"];

/// Any HCL2 template is planned or has an error; places lie in their files, and no configuration
/// has a value that is not known.
///
/// # Panics
///
/// When that is not so.
pub fn check_hcl(text: &str) {
    let mut parts = text.splitn(3, SEPARATOR);
    let names = ["main.pkr.hcl", "values.auto.pkrvars.hcl", "more.pkr.json"];
    let files: Vec<(&str, &str)> = names.into_iter().zip(&mut parts).collect();
    check(&files, ".");
}

/// The same of a legacy JSON template.
///
/// # Panics
///
/// When that is not so.
pub fn check_legacy(text: &str) {
    check(&[("template.json", text)], "template.json");
}

fn check(files: &[(&str, &str)], path: &str) {
    if files
        .iter()
        .any(|(_, text)| samples::is_slow_on_purpose(text))
    {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file in a new folder");
    }
    let options = LoadOptions {
        path: path.to_owned(),
        working_dir: folder.path().to_owned(),
        variables: vec![("given".to_owned(), "[1, \"{{user `a`}}\"]".to_owned())],
        environment: BTreeMap::from([("PKR_VAR_fromenv".to_owned(), "7".to_owned())]),
        core_version: "1.16.0".to_owned(),
        ..LoadOptions::default()
    };
    let mut sources = SourceMap::default();
    let problems = run(&options, &mut sources);
    places::check_problems(&problems, &sources);
}

/// All there is to a template without running it.
fn run(options: &LoadOptions, sources: &mut SourceMap) -> Diagnostics {
    let offered = Offered::new();
    let (template, mut problems) = load(options, sources);
    let Some(mut template) = template else {
        assert!(failed(&problems), "no template and no error");
        return problems;
    };
    if failed(&problems) {
        return problems;
    }
    problems.extend(block_on(template.initialize(&offered, true)));
    drop((template.secrets(), template.inspect()));
    drop((template.console_scope(), template.console_variables()));
    let (builds, found) = template.builds(&offered);
    problems.extend(found);
    assert!(
        !builds.is_empty() || !problems.is_empty(),
        "nothing to build and no word about it"
    );
    let sound = !failed(&problems);
    for component in builds.iter().flat_map(components) {
        let schema = offered.schema(component.kind, &component.type_name);
        let schema = schema.expect("planned components are offered");
        for generated in [
            Generated::Names(vec!["Custom".to_owned()]),
            Generated::Later,
        ] {
            let (configured, found) = component.configure(schema, &generated);
            let is_final = matches!(generated, Generated::Names(_));
            if is_final && sound && !failed(&found) {
                assert!(!configured.value.contains_unknown(), "{configured:?}");
            }
            for span in configured.spans.values() {
                places::check(*span, sources.text(span.file));
            }
            problems.extend(found);
        }
    }
    problems
}

fn failed(problems: &[Diagnostic]) -> bool {
    problems.iter().any(Diagnostic::is_error)
}

fn components(build: &Build) -> impl Iterator<Item = &Component> {
    let provisioners = build.provisioners.iter().chain(&build.error_cleanup);
    let post_processors = build.post_processors.iter().flatten();
    std::iter::once(&build.source)
        .chain(provisioners.map(|plan| &plan.component))
        .chain(post_processors.map(|member| &member.component))
}

/// Plugins that are not there: every type exists.
struct Offered {
    open: Schema,
    strict: Schema,
}

impl Offered {
    fn new() -> Self {
        Self {
            open: Schema {
                open: true,
                ..Schema::default()
            },
            strict: strict(),
        }
    }
}

#[async_trait]
impl Components for Offered {
    fn schema(&self, _kind: ComponentKind, name: &str) -> Option<&Schema> {
        match name {
            "" | "missing" => None,
            name if OPEN.contains(&name) => Some(&self.open),
            _ => Some(&self.strict),
        }
    }

    fn names(&self, _kind: ComponentKind) -> Vec<String> {
        OPEN.iter().map(|name| (*name).to_owned()).collect()
    }

    async fn read_data(
        &self,
        _name: &str,
        config: &Configured,
        execute: bool,
    ) -> (Value, Diagnostics) {
        let value = match execute {
            true => config.value.clone(),
            false => Value::unknown(ValueType::Dynamic),
        };
        (Value::object_of([("result", value)]), Diagnostics::new())
    }
}

/// A schema with an option of every type and blocks in blocks.
fn strict() -> Schema {
    let primitive = Type::Primitive;
    let list = |ty| Type::List(Box::new(ty));
    let attributes = vec![
        option("text", primitive(Primitive::String)),
        option("number", primitive(Primitive::Number)),
        option("flag", primitive(Primitive::Bool)),
        option("time", primitive(Primitive::Duration)),
        option("any", primitive(Primitive::Any)),
        option("texts", list(primitive(Primitive::String))),
        option("rows", list(list(primitive(Primitive::String)))),
        option("tags", Type::Map(Box::new(primitive(Primitive::String)))),
        option(
            "pair",
            Type::Object(vec![
                ("a".to_owned(), primitive(Primitive::String), false),
                ("b".to_owned(), primitive(Primitive::Number), true),
            ]),
        ),
        AttributeSchema {
            late: true,
            sensitive: true,
            ..option("late", primitive(Primitive::String))
        },
    ];
    let inner = Schema {
        attributes: attributes.clone(),
        ..Schema::default()
    };
    let block = |name: &str, repeated| BlockSchema {
        name: name.to_owned(),
        schema: inner.clone(),
        repeated,
        required: false,
        doc: String::new(),
    };
    Schema {
        attributes,
        blocks: vec![block("disk", true), block("boot", false)],
        ..Schema::default()
    }
}

fn option(name: &str, ty: Type) -> AttributeSchema {
    AttributeSchema {
        name: name.to_owned(),
        ty,
        required: false,
        sensitive: false,
        late: false,
        doc: String::new(),
        default_text: String::new(),
        deprecated: String::new(),
        choices: Vec::new(),
    }
}

/// Runs a future that waits for nothing outside of it.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
